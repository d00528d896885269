"""When a workload counts as rolled out, and what is said of one that does not."""

from __future__ import annotations

from typing import Any

import pytest

from raijin.platforms.rollout import is_silent, pod_trouble, rollout_reason

DEAD = {"w2"}


def daemon_set(total: int, renewed: int, *, noticed: bool = True, available: int | None = None) -> dict[str, Any]:
    status = {
        "desiredNumberScheduled": total,
        "updatedNumberScheduled": renewed,
        "numberAvailable": total if available is None else available,
        "observedGeneration": 2 if noticed else 1,
    }
    return {
        "kind": "DaemonSet",
        "metadata": {"name": "net", "namespace": "kube-system", "generation": 2},
        "status": status,
    }


def deployment(wanted: int, **status: Any) -> dict[str, Any]:
    available = [{"type": "Available", "status": "True" if status.pop("enough", True) else "False"}]
    return {
        "kind": "Deployment",
        "metadata": {"name": "controller", "namespace": "kube-system", "generation": 1},
        "spec": {"replicas": wanted},
        "status": {"observedGeneration": 1, "conditions": available, **status},
    }


def pod(node: str, revision: str = "new", *, ready: bool = True, **status: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    made = f"2027-01-01T00:00:0{int(revision == 'new')}Z"
    labels = {"controller-revision-hash": revision}
    return {
        "metadata": {"name": f"net-{node}", "labels": labels, "creationTimestamp": made},
        "spec": {"nodeName": node},
        "status": {"conditions": conditions, **status},
    }


def container(name: str, reason: str, message: str = "", ended: dict[str, Any] | None = None) -> dict[str, Any]:
    last = {"lastState": {"terminated": ended}} if ended else {}
    return {"name": name, "state": {"waiting": {"reason": reason, "message": message}}, **last}


def test_it_runs_everywhere() -> None:
    assert rollout_reason(daemon_set(2, 2), [pod("n1"), pod("w1")], set()) == ""


@pytest.mark.parametrize(
    ("live", "pods", "reason"),
    [
        (daemon_set(2, 2, noticed=False), [pod("n1"), pod("w1")], "its change has not been noticed yet"),
        (daemon_set(0, 0), [], "no node is to run it yet"),
        (daemon_set(1, 0), [], "0 of 1 pods are of its newest form"),
        (daemon_set(2, 0), [pod("n1", "old"), pod("w1", "old")], "0 of 2 pods are of its newest form"),
        (daemon_set(2, 1), [pod("n1"), pod("w1", "old")], "1 of 2 pods are of its newest form"),
        (daemon_set(2, 2), [pod("n1"), pod("w1", ready=False)], "1 of 2 pods are ready"),
        (daemon_set(2, 2, available=1), [pod("n1"), pod("w1")], "1 of 2 pods are ready"),
    ],
)
def test_what_is_missing(live: dict[str, Any], pods: list[dict[str, Any]], reason: str) -> None:
    assert rollout_reason(live, pods, set()) == f"DaemonSet kube-system/net: {reason}"


def test_a_silent_node_holds_nobody_up() -> None:
    """Its pod is counted by the DaemonSet, and will not become ready: the node is dead, or the line to it."""
    pods = [pod("n1"), pod("w1"), pod("w2", "old", ready=False)]
    assert rollout_reason(daemon_set(3, 2, available=2), pods, DEAD) == ""
    assert "2 of 3" in rollout_reason(daemon_set(3, 2, available=2), pods, set())


def test_a_pod_that_was_renewed_on_a_silent_node_does_not_stand_for_one_that_was_not() -> None:
    pods = [pod("n1"), pod("w1", "old"), pod("w2", ready=False)]
    assert "1 of 2 pods are of its newest form" in rollout_reason(daemon_set(3, 2), pods, DEAD)


def test_a_node_that_says_that_it_is_not_ready_is_waited_for() -> None:
    """Before the first network runs, every node says so."""
    ready = {"type": "Ready", "status": "False", "message": "cni plugin not initialized"}
    assert not is_silent({"status": {"conditions": [ready]}})
    assert is_silent({"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}})
    assert not is_silent({})


@pytest.mark.parametrize(
    ("live", "reason"),
    [
        (deployment(1, replicas=1, updatedReplicas=1, availableReplicas=1), ""),
        (deployment(2, replicas=2, updatedReplicas=2, availableReplicas=1), ""),
        (deployment(0), ""),
        (deployment(1, replicas=1, updatedReplicas=1, availableReplicas=0), "0 of 1 pods are ready"),
        (deployment(3, replicas=3, updatedReplicas=3, availableReplicas=1, enough=False), "1 of 3 pods are ready"),
        (deployment(2, replicas=2, updatedReplicas=1, availableReplicas=2), "1 of 2 pods are of its newest form"),
        (deployment(2, replicas=3, updatedReplicas=2, availableReplicas=3), "1 pods of its old form are still there"),
    ],
)
def test_deployments(live: dict[str, Any], reason: str) -> None:
    """A second operator that finds no second node yet is not waited for: a first apply has one node."""
    said = rollout_reason(live, [], set())
    assert said == (f"Deployment kube-system/controller: {reason}" if reason else "")


def test_why_a_pod_does_not_run() -> None:
    pull = pod("w1", ready=False, containerStatuses=[container("flanneld", "ImagePullBackOff", "manifest unknown")])
    said = rollout_reason(daemon_set(1, 1), [pull], set())
    assert said.endswith("0 of 1 pods are ready (net-w1 on w1: flanneld waits: ImagePullBackOff, manifest unknown)")


def test_how_a_container_that_crashes_ended() -> None:
    ended = {"exitCode": 1, "message": "starting\nFailed to find interface eth9\n"}
    crashed = pod(
        "w1", ready=False, initContainerStatuses=[container("init", "CrashLoopBackOff", "back-off 10s", ended)]
    )
    assert pod_trouble(crashed) == "net-w1 on w1: init waits: CrashLoopBackOff, Failed to find interface eth9"
    silent = pod("w1", containerStatuses=[container("a", "CrashLoopBackOff", "back-off", {"exitCode": 137})])
    assert pod_trouble(silent).endswith("CrashLoopBackOff, it ended with status 137")


def test_a_pod_that_only_starts_is_no_trouble() -> None:
    assert pod_trouble(pod("w1", containerStatuses=[container("a", "ContainerCreating")])) == ""
    assert pod_trouble({"metadata": {"name": "x"}}) == ""


def test_a_pod_that_fits_nowhere() -> None:
    lonely = {
        "metadata": {"name": "op-2"},
        "status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}]},
    }
    assert pod_trouble(lonely) == "op-2: 0/1 nodes are available"


def test_many_troubles_are_counted() -> None:
    pods = [pod(f"w{n}", ready=False, containerStatuses=[container("a", "ErrImagePull")]) for n in range(9)]
    said = rollout_reason(daemon_set(9, 9), pods, set())
    assert said.count("ErrImagePull") == 3
    assert said.endswith("and 6 more)")


def test_a_long_message_is_cut() -> None:
    long = pod("w1", containerStatuses=[container("a", "ErrImagePull", "x" * 1000)])
    assert len(pod_trouble(long)) < 300
