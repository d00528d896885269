"""Draining. Laws: nothing is evicted that would be lost; budgets are obeyed; a drain that fails gives the node back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from raijin.errors import DeadlineExceeded, KubernetesError
from raijin.observe import waiting
from raijin.platforms import drain as module
from raijin.platforms.drain import drain


def pod(name: str, owner: str = "ReplicaSet", **more: Any) -> dict[str, Any]:
    owners = [{"kind": owner, "controller": True}] if owner else []
    return {
        "metadata": {"name": name, "namespace": "web", "ownerReferences": owners, **more},
        "status": {"phase": "Running"},
    }


class Cluster:
    """A cluster of one node: pods end when they were evicted, unless a budget holds them."""

    def __init__(self, *pods: dict[str, Any], cordoned: bool = False, budgets: set[str] | None = None) -> None:
        self.pods = {p["metadata"]["name"]: p for p in pods}
        spec = {"unschedulable": True} if cordoned else {}
        self.node: dict[str, Any] | None = {"metadata": {"name": "alpha"}, "spec": spec}
        self.budgets = budgets or set()
        self.history: list[str] = []
        self.slow: set[str] = set()

    async def get(self, document: dict[str, Any]) -> dict[str, Any] | None:
        assert document["metadata"]["name"] == "alpha"
        return self.node

    async def patch_node(self, name: str, patch: dict[str, Any]) -> None:
        assert name == "alpha"
        self.history.append("cordon" if patch["spec"]["unschedulable"] else "uncordon")

    async def list_pods(self, *, node: str) -> list[dict[str, Any]]:
        assert node == "alpha"
        return list(self.pods.values())

    async def evict(self, namespace: str, name: str) -> bool:
        assert namespace == "web"
        if name in self.budgets:
            return False
        self.history.append(f"evict {name}")
        if name in self.slow:
            self.pods[name]["metadata"]["deletionTimestamp"] = "now"
        else:
            del self.pods[name]
        return True


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    async def until(*args: Any, **more: Any) -> None:
        await waiting.until(*args, **{**more, "interval": 0.005})

    monkeypatch.setattr(module, "until", until)


async def drained(cluster: Cluster, *, timeout: float = 2, force: bool = False) -> list[str]:
    said: list[str] = []
    await drain(cluster, "alpha", timeout=timeout, force=force, say=said.append)  # type: ignore[arg-type]
    return said


async def test_cordoned_first_then_every_pod_is_asked_to_leave() -> None:
    cluster = Cluster(pod("one"), pod("two", "StatefulSet"), pod("three", "Job"))
    said = await drained(cluster)
    assert cluster.history == ["cordon", "evict one", "evict two", "evict three"]
    assert said[-1] == "3 pods left alpha"


async def test_what_belongs_to_the_node_stays() -> None:
    static = pod("static", "", annotations={"kubernetes.io/config.mirror": "x"})
    finished = pod("finished", "") | {"status": {"phase": "Succeeded"}}
    cluster = Cluster(pod("daemon", "DaemonSet"), static, finished, pod("one"))
    await drained(cluster)
    assert cluster.history == ["cordon", "evict one"]


async def test_what_nobody_would_make_again_is_not_lost() -> None:
    cluster = Cluster(pod("one"), pod("alone", ""), pod("lonely", ""))
    with pytest.raises(KubernetesError, match="web/alone, web/lonely") as caught:
        await drained(cluster)
    assert cluster.history == ["cordon", "uncordon"]
    assert "--force" in (caught.value.remedy or "")
    await drained(cluster, force=True)
    assert cluster.pods == {}


async def test_a_budget_is_waited_for_and_obeyed() -> None:
    cluster = Cluster(pod("one"), pod("held"), budgets={"held"})
    task = asyncio.create_task(drained(cluster))
    await asyncio.sleep(0.03)
    assert cluster.history == ["cordon", "evict one"]
    assert "held" in cluster.pods
    cluster.budgets.clear()
    said = await task
    assert any("a PodDisruptionBudget holds web/held" in text for text in said)
    assert cluster.pods == {}


async def test_a_budget_that_never_allows_it_gives_the_node_back_and_says_who() -> None:
    cluster = Cluster(pod("held"), budgets={"held"})
    with pytest.raises(DeadlineExceeded, match="a PodDisruptionBudget holds web/held") as caught:
        await drained(cluster, timeout=0.03)
    assert cluster.history == ["cordon", "uncordon"]
    assert "drainTimeout" in (caught.value.remedy or "")


async def test_a_pod_that_is_ending_is_waited_for_and_not_asked_again() -> None:
    cluster = Cluster(pod("slow"))
    cluster.slow.add("slow")
    task = asyncio.create_task(drained(cluster))
    await asyncio.sleep(0.03)
    assert not task.done()
    assert cluster.history == ["cordon", "evict slow"]
    cluster.pods.clear()
    await task


async def test_being_interrupted_gives_the_node_back() -> None:
    cluster = Cluster(pod("held"), budgets={"held"})
    task = asyncio.create_task(drained(cluster))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cluster.history == ["cordon", "uncordon"]


async def test_a_node_that_was_cordoned_before_stays_so() -> None:
    cluster = Cluster(pod("held"), cordoned=True, budgets={"held"})
    with pytest.raises(DeadlineExceeded):
        await drained(cluster, timeout=0.02)
    assert "uncordon" not in cluster.history


async def test_a_node_that_is_gone_needs_no_drain() -> None:
    cluster = Cluster()
    cluster.node = None
    assert await drained(cluster) == ["the node object is gone already"]
    assert cluster.history == []
