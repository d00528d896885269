"""Each check, with what it sees when all is well and when it is not. Law: what cannot be seen is never called well."""

from __future__ import annotations

import copy
from dataclasses import fields, replace
from typing import Any

import pytest

from raijin.errors import NotFound
from raijin.facts.base import Unknown
from raijin.facts.etcd import EtcdAccess, EtcdMember, EtcdState
from raijin.facts.gather import HostFacts
from raijin.facts.kubernetes import Kubernetes
from raijin.model.validation import HEALTH_CHECKS
from raijin.platforms.view import HostView
from raijin.validation.checks import CHECKS, chosen, judge, parts_of
from raijin.validation.finding import Finding, Grade, faults, few
from raijin.validation.seen import LISTS, Part, Seen
from raijin.validation.subject import Place, Subject, subject_from

ACCESS = EtcdAccess("https://127.0.0.1:2379", "ca", "cert", "key", "socket")
NETWORK = {"kind": "DaemonSet", "metadata": {"namespace": "kube-flannel", "name": "kube-flannel-ds"}}
SUBJECT = Subject(
    cluster="lab",
    type="VANILLA",
    version="v1.34.2",
    places=(Place("n1", True), Place("n2", True), Place("n3", True), Place("w1", False)),
    port=6443,
    kubeconfig="/etc/kubernetes/admin.conf",
    endpoint="192.0.2.250:6443",
    etcd=ACCESS,
    network=(NETWORK,),
)
NOW = 1_800_000_000.0
LONG_AGO = "2020-01-01T00:00:00Z"


def node(name: str, version: str = "v1.34.2", ready: str = "True", **more: str) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready, "message": "the runtime is down"}]
    conditions += [{"type": kind, "status": status} for kind, status in more.items()]
    return {"metadata": {"name": name}, "status": {"conditions": conditions, "nodeInfo": {"kubeletVersion": version}}}


def pod(name: str, namespace: str = "default", **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "status": {"phase": "Running", **status}}


def member(name: str, **more: Any) -> EtcdMember:
    values: dict[str, Any] = {"healthy": True, "size": 10 << 20, "in_use": 9 << 20, "index": 500, "applied": 500}
    peers = (f"https://{name}:2380",)
    return EtcdMember(**{"id": name, "name": name, "peers": peers, "clients": (), "learner": False} | values | more)


DAEMONS = {**NETWORK, "status": {"desiredNumberScheduled": 4, "numberAvailable": 4}}
DNS = {
    "kind": "Deployment",
    "metadata": {"namespace": "kube-system", "name": "coredns"},
    "spec": {"replicas": 2},
    "status": {"availableReplicas": 2},
}
WELL = Seen(
    SUBJECT,
    NOW,
    hosts={},
    api={"n1": "", "n2": "", "n3": ""},
    version="v1.34.2",
    etcd=EtcdState((member("n1", leader=True), member("n2"), member("n3"))),
    lists={
        Part.NODES: [node(place.name) for place in SUBJECT.places],
        Part.PODS: [pod("web")],
        Part.WORKLOADS: [DAEMONS, DNS],
        Part.OPERATORS: [],
    },
)


def only(seen: Seen, name: str) -> list[Finding]:
    return judge(chosen([name]), seen)


def grades(findings: list[Finding]) -> set[Grade]:
    return {finding.grade for finding in findings}


def listed(seen: Seen, part: Part, *items: dict[str, Any]) -> Seen:
    return replace(seen, lists={**seen.lists, part: list(items)})


def test_every_name_has_its_check() -> None:
    assert [check.name for check in CHECKS] == list(HEALTH_CHECKS)
    with pytest.raises(NotFound, match="no health check dns"):
        chosen(["dns"])
    assert chosen(()) == tuple(check for check in CHECKS if check.name != "cluster-operators")


def test_a_subject_travels_in_a_plan() -> None:
    assert subject_from(copy.deepcopy(SUBJECT.to_json())) == SUBJECT
    assert subject_from(replace(SUBJECT, etcd=None, network=()).to_json()).etcd is None


@pytest.mark.parametrize("name", [name for name in HEALTH_CHECKS if name not in {"host-health", "certificates"}])
def test_a_cluster_that_is_well(name: str) -> None:
    findings = only(WELL, name)
    assert grades(findings) <= {Grade.OK}
    assert faults(findings) == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_what_cannot_be_seen_is_not_well(check: Any) -> None:
    """Nothing answers: no host, no API server, no etcd, no list."""
    dark = Seen(
        SUBJECT,
        NOW,
        hosts={place.name: "no route to host" for place in SUBJECT.places},
        api={"n1": "no", "n2": "no", "n3": "no"},
        endpoint="no route to host",
        failures=dict.fromkeys(LISTS, "no route to host"),
    )
    assert faults(judge([check], dark))
    assert parts_of([check])


CASES: dict[str, tuple[str, Seen, str, Grade]] = {
    "a node that is not Ready": (
        "node-readiness",
        listed(WELL, Part.NODES, node("n1"), node("n2", ready="False"), node("n3"), node("w1")),
        "n2: it is not Ready: the runtime is down",
        Grade.FAILED,
    ),
    "a node that is missing": (
        "node-readiness",
        listed(WELL, Part.NODES, node("n1"), node("n2"), node("n3")),
        "w1: it is no node of the cluster",
        Grade.FAILED,
    ),
    "a node that nobody defined": (
        "node-readiness",
        listed(WELL, Part.NODES, *WELL.lists[Part.NODES], node("x9")),
        "x9: it is a node of the cluster and not in the definition",
        Grade.WARNING,
    ),
    "a disk that is full": (
        "node-readiness",
        listed(WELL, Part.NODES, node("n1"), node("n2"), node("n3"), node("w1", DiskPressure="True")),
        "w1: it runs out of room on its disks",
        Grade.FAILED,
    ),
    "a node left behind": (
        "versions",
        listed(WELL, Part.NODES, node("w1", version="v1.33.1")),
        "w1: its kubelet is v1.33.1, and the definition says v1.34.2",
        Grade.WARNING,
    ),
    "a kubelet ahead of its API server": (
        "versions",
        listed(WELL, Part.NODES, node("w1", version="v1.35.0")),
        "w1: its kubelet v1.35.0 is newer than the API server v1.34.2",
        Grade.FAILED,
    ),
    "one API server of three": (
        "api-availability",
        replace(WELL, api={"n1": "", "n2": "it is not ready: etcd", "n3": ""}),
        "n2: its API server does not serve: it is not ready: etcd",
        Grade.FAILED,
    ),
    "the address alone": (
        "api-availability",
        replace(WELL, endpoint="connection refused"),
        "192.0.2.250:6443: the address of the API does not serve: connection refused",
        Grade.FAILED,
    ),
    "a dead member": (
        "etcd-health",
        replace(WELL, etcd=EtcdState((member("n1"), member("n2"), member("n3", healthy=False, failure="silent")))),
        "n3: its member is broken: silent",
        Grade.FAILED,
    ),
    "no member to spare": (
        "etcd-health",
        replace(WELL, etcd=EtcdState((member("n1"), member("n2"), member("n3", healthy=False, failure="silent")))),
        "lab: it can lose no member more",
        Grade.WARNING,
    ),
    "no room": (
        "etcd-health",
        replace(WELL, etcd=EtcdState((member("n1", size=1900 << 20), member("n2"), member("n3")))),
        "n1: 1900 of 2048 MiB are taken",
        Grade.WARNING,
    ),
    "room where the quota is larger": (
        "etcd-health",
        replace(WELL, etcd=EtcdState((member("n1", size=1900 << 20, in_use=1800 << 20, quota=8 << 30),))),
        "n1: it votes and keeps up",
        Grade.OK,
    ),
    "much air": (
        "etcd-health",
        replace(WELL, etcd=EtcdState((member("n1", size=300 << 20, in_use=20 << 20), member("n2"), member("n3")))),
        "n1: of 300 MiB only 20 are in use",
        Grade.WARNING,
    ),
    "a member behind": (
        "etcd-health",
        replace(WELL, etcd=EtcdState((member("n1", index=9000, applied=9000), member("n2"), member("n3")))),
        "n2: it is 8500 entries behind",
        Grade.WARNING,
    ),
    "an alarm": (
        "etcd-health",
        replace(WELL, etcd=EtcdState((member("n1"), member("n2"), member("n3")), ("abc: NOSPACE",))),
        "lab: alarm abc: NOSPACE",
        Grade.FAILED,
    ),
    "a network that is not there": (
        "container-network",
        listed(WELL, Part.WORKLOADS, DNS),
        "DaemonSet kube-flannel/kube-flannel-ds: it is not there",
        Grade.FAILED,
    ),
    "too few of what should run": (
        "system-workloads",
        listed(WELL, Part.WORKLOADS, DAEMONS, {**DNS, "status": {"availableReplicas": 1}}),
        "Deployment kube-system/coredns: 1 of 2 are available",
        Grade.FAILED,
    ),
    "a pod of users that crashes": (
        "pod-health",
        listed(
            WELL,
            Part.PODS,
            pod("web", containerStatuses=[{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]),
            pod("job", phase="Succeeded"),
        ),
        "default: web waits: CrashLoopBackOff",
        Grade.WARNING,
    ),
    "a pod of the system that finds no node": (
        "pod-health",
        listed(
            WELL,
            Part.PODS,
            pod(
                "dns",
                "kube-system",
                phase="Pending",
                conditions=[{"type": "PodScheduled", "status": "False", "lastTransitionTime": LONG_AGO}],
            ),
        ),
        "kube-system: dns finds no node",
        Grade.FAILED,
    ),
    "an operator that is degraded": (
        "cluster-operators",
        listed(
            WELL,
            Part.OPERATORS,
            {
                "metadata": {"name": "ingress"},
                "status": {
                    "conditions": [
                        {"type": "Available", "status": "True"},
                        {"type": "Degraded", "status": "True", "message": "no router"},
                    ]
                },
            },
        ),
        "ingress: it is degraded: no router",
        Grade.FAILED,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_found(case: str) -> None:
    check, seen, text, grade = CASES[case]
    found = {str(finding): finding.grade for finding in only(seen, check)}
    assert found.get(text) is grade, found


def test_a_pod_that_has_only_begun_is_left_in_peace() -> None:
    conditions = [{"type": "Ready", "status": "False", "lastTransitionTime": "2027-01-15T07:59:30Z"}]
    waiting = [{"state": {"waiting": {"reason": "ContainerCreating"}}}]
    seen = listed(WELL, Part.PODS, pod("new", conditions=conditions, containerStatuses=waiting))
    assert grades(only(seen, "pod-health")) == {Grade.OK}


def test_a_host_in_quarantine_is_a_fault_and_says_why() -> None:
    subject = replace(SUBJECT, places=(Place("w1", False, "its disk is broken"),))
    (finding,) = only(replace(WELL, subject=subject), "host-health")
    assert (finding.grade, finding.text) == (Grade.FAILED, "in quarantine: its disk is broken")


def sqlite_server() -> HostView:
    told = Kubernetes((), ("/etc/rancher/k3s/k3s.yaml", "/var/lib/rancher/k3s/server/db/state.db"), ())
    facts = HostFacts(**{item.name: Unknown("not asked") for item in fields(HostFacts)})
    return HostView(replace(facts, kubernetes=told))


def test_a_cluster_in_sqlite_has_no_etcd_that_could_be_broken() -> None:
    """The definition cannot tell: a K3s that began with several servers has etcd on the last one too."""
    subject = replace(SUBJECT, type="K3S", places=(Place("n1", True),))
    seen = replace(WELL, subject=subject, etcd=None, hosts={"n1": sqlite_server()})
    (finding,) = only(seen, "etcd-health")
    assert (finding.grade, finding.text) == (Grade.OK, "it is kept in SQLite, without etcd")
    (finding,) = only(replace(seen, hosts={"n1": "no route to host"}), "etcd-health")
    assert finding.grade is Grade.FAILED


def test_few_of_many() -> None:
    assert few("abc") == "a, b, c"
    assert few("abcdefg", 2) == "a, b and 5 more"
