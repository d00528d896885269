"""What nodes and pods use: by the metrics API, by the kubelets where there is none, and what is missing is said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from tests.unit.transport.test_kube import Api, serving

from raijin.errors import KubernetesError
from raijin.facts.quantity import amount, quantity
from raijin.facts.utilisation import measure, requests
from raijin.transport.kube import Kube, open_kube

NODES, PODS = "/api/v1/nodes", "/api/v1/pods"
METRICS = "/apis/metrics.k8s.io/v1beta1"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(tmp_path_factory.mktemp("tls")) as api:
        yield api


@pytest.fixture
def api(server: Api) -> Api:
    server.requests.clear()
    server.answers.clear()
    server.answer("GET", NODES, 200, {"items": [node("n1", taint="NoSchedule"), node("n2"), node("n3", cordoned=True)]})
    pods = [pod("web", "n2", cpu="500m"), pod("old", "n2", phase="Succeeded"), pod("new", "")]
    server.answer("GET", PODS, 200, {"items": pods})
    return server


@pytest.fixture
async def kube(api: Api) -> AsyncIterator[Kube]:
    async with open_kube(api.kubeconfig, ("127.0.0.1", api.port), "lab") as opened:
        yield opened


def node(name: str, *, taint: str = "", cordoned: bool = False) -> dict[str, Any]:
    taints = [{"key": "node-role.kubernetes.io/control-plane", "effect": taint}] if taint else []
    return {
        "metadata": {"name": name},
        "spec": {"taints": taints, "unschedulable": cordoned},
        "status": {
            "allocatable": {"cpu": "3920m", "memory": "7983192Ki", "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def pod(name: str, on: str, *, cpu: str = "100m", phase: str = "Running") -> dict[str, Any]:
    asked = {"resources": {"requests": {"cpu": cpu, "memory": "64Mi"}}}
    return {
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"nodeName": on, "containers": [asked]},
        "status": {"phase": phase},
    }


def by_metrics(api: Api, *names: str) -> None:
    usage = {"cpu": "250000000n", "memory": "1Gi"}
    api.answer("GET", f"{METRICS}/nodes", 200, {"items": [{"metadata": {"name": n}, "usage": usage} for n in names]})
    both = [{"usage": {"cpu": "1m", "memory": "1Mi"}}, {"usage": {"cpu": "2m", "memory": "3Mi"}}]
    item = {"metadata": {"name": "web", "namespace": "shop"}, "containers": both}
    api.answer("GET", f"{METRICS}/pods", 200, {"items": [item]})


def by_kubelet(api: Api, name: str) -> None:
    parts = {"cpu": {"usageNanoCores": 500_000_000}, "memory": {"workingSetBytes": 2**30}}
    one = {"podRef": {"name": "web", "namespace": "shop"}, **parts}
    starting = {"podRef": {"name": "new", "namespace": "shop"}, "cpu": {}, "memory": {}}
    answer = {"node": {"nodeName": name, **parts}, "pods": [one, starting]}
    api.answer("GET", f"{NODES}/{name}/proxy/stats/summary", 200, answer)


async def test_the_metrics_api_is_asked_first(api: Api, kube: Kube) -> None:
    by_metrics(api, "n1", "n2", "n3")
    seen = await measure(kube)
    assert (seen.source, seen.faults, seen.waiting) == ("metrics.k8s.io", (), 1)
    n2 = seen.nodes[1]
    assert (n2.cpu_used, n2.cpu_size, n2.cpu_requested) == (0.25, 3.92, 0.5)
    assert (n2.memory_used, n2.memory_size, n2.memory_requested) == (2**30, 7983192 * 1024, 64 * 2**20)
    assert (n2.pods, n2.pods_size) == (1, 110)  # who has ended takes nothing
    assert [n.takes_pods for n in seen.nodes] == [False, True, False]
    (web,) = seen.pods
    assert (web.namespace, web.pod, web.node) == ("shop", "web", "n2")
    assert (web.cpu_used, web.memory_used, web.cpu_requested) == (pytest.approx(0.003), 4 * 2**20, 0.5)
    assert not any("proxy" in request.path for request in api.requests)


async def test_a_node_that_the_metrics_api_does_not_know_is_said(api: Api, kube: Kube) -> None:
    by_metrics(api, "n1", "n3")
    seen = await measure(kube)
    assert [n.node for n in seen.nodes] == ["n1", "n3"]
    assert seen.faults == ("n2: metrics.k8s.io tells nothing of it",)


async def test_without_a_metrics_api_each_kubelet_is_asked(api: Api, kube: Kube) -> None:
    for name in ("n1", "n2"):
        by_kubelet(api, name)
    api.refuse("GET", f"{NODES}/n3/proxy/stats/summary", 503, "error trying to reach service: connection refused")
    seen = await measure(kube)
    assert seen.source == "kubelet"
    assert [(n.node, n.cpu_used, n.memory_used) for n in seen.nodes] == [("n1", 0.5, 2**30), ("n2", 0.5, 2**30)]
    assert [p.pod for p in seen.pods] == ["web"]
    (fault,) = seen.faults
    assert fault.startswith("n3: ")
    assert "connection refused" in fault
    asked = [r for r in api.requests if r.path.endswith("/summary")]
    assert all(request.query == {"only_cpu_and_memory": ["true"]} for request in asked)


async def test_a_kubelet_that_has_not_measured_yet_is_not_taken_for_an_idle_one(api: Api, kube: Kube) -> None:
    for name in ("n1", "n2"):
        by_kubelet(api, name)
    api.answer("GET", f"{NODES}/n3/proxy/stats/summary", 200, {"node": {"nodeName": "n3"}, "pods": []})
    seen = await measure(kube)
    assert [n.node for n in seen.nodes] == ["n1", "n2"]
    assert seen.faults == ("n3: its kubelet has not measured yet",)


async def test_when_nobody_tells_it_is_an_error_that_says_what_to_do(api: Api, kube: Kube) -> None:
    for name in ("n1", "n2", "n3"):
        api.refuse("GET", f"{NODES}/{name}/proxy/stats/summary", 403, "forbidden")
    with pytest.raises(KubernetesError, match="no metrics API") as caught:
        await measure(kube)
    assert "metrics-server" in (caught.value.remedy or "")
    assert "n2: " in (caught.value.detail or "")


async def test_what_is_no_quantity_is_an_error_of_the_cluster(api: Api, kube: Kube) -> None:
    by_metrics(api, "n1", "n2", "n3")
    broken = {"items": [{**node("n1"), "status": {"allocatable": {"cpu": "many"}}}]}
    api.answer("GET", NODES, 200, broken)
    with pytest.raises(KubernetesError, match="'many' is no quantity"):
        await measure(kube)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("250m", 0.25), ("1500000n", 0.0015), ("12u", 12e-6), ("2", 2.0), ("0.5", 0.5), ("64Mi", 64 * 2**20),
        ("1e3", 1000.0), ("2E3", 2000.0), ("2E", 2e18), ("1k", 1000.0), ("128974848000m", 128974848.0), (4, 4.0),
    ],
)  # fmt: skip
def test_quantities(text: object, value: float) -> None:
    assert quantity(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "Mi", "1 Gi", "1KI", "--1", None, "0x10", "1mi"])
def test_what_is_none(text: object) -> None:
    with pytest.raises(ValueError, match="no quantity"):
        quantity(text)


def test_an_amount_that_is_not_there_is_none() -> None:
    assert amount(None, "cpu") == amount({}, "cpu") == 0.0


def asking(cpu: str, **more: Any) -> dict[str, Any]:
    return {"resources": {"requests": {"cpu": cpu}}, **more}


@pytest.mark.parametrize(
    ("spec", "cpu"),
    [
        ({"containers": [asking("1"), asking("500m"), {}]}, 1.5),
        ({"containers": [asking("1")], "initContainers": [asking("3")]}, 3.0),
        ({"containers": [asking("1")], "initContainers": [asking("500m", restartPolicy="Always")]}, 1.5),
        # An init container beside the sidecar that was started before it.
        ({"containers": [asking("1")], "initContainers": [asking("1", restartPolicy="Always"), asking("2")]}, 3.0),
        ({"containers": [asking("1")], "overhead": {"cpu": "250m"}}, 1.25),
        ({"containers": [asking("1")], "resources": {"requests": {"cpu": "4"}}}, 4.0),
        ({}, 0.0),
    ],
    ids=["sum", "init", "sidecar", "init-and-sidecar", "overhead", "pod-level", "nothing"],
)
def test_what_the_scheduler_counts_for_a_pod(spec: dict[str, Any], cpu: float) -> None:
    assert requests({"spec": spec})[0] == pytest.approx(cpu)
