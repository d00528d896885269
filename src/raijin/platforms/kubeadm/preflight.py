"""What must hold before anything is changed, judged from facts alone; all reasons at once.

The limits are kubeadm's own preflight's where it has one (2 CPUs and 1700 MB for a control plane), so that the refusal
comes before the first change instead of in the middle of it.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from raijin.model.node_group import NodeRole
from raijin.platforms.base import Context, Node
from raijin.platforms.kubeadm.config import kubelet_allows_cgroup_v1
from raijin.platforms.kubeadm.node import joined

MIN_CONTROL_PLANE_CPUS = 2
MIN_CONTROL_PLANE_BYTES = 1700 * 1024 * 1024
MIN_FREE_BYTES = 3 * 1024**3
MAX_CLOCK_SKEW_SECONDS = 30.0
OLDEST_KERNEL = (4, 19)

CONTROL_PLANE_PORTS = {2379: "etcd", 2380: "etcd", 10257: "kube-controller-manager", 10259: "kube-scheduler"}
NODE_PORTS = {10250: "the kubelet"}


def preflight(context: Context, *, api_failure: str = "") -> list[str]:
    """Every reason against applying the definition now; empty when there is none."""
    reasons: list[str] = []
    for node in context.reachable:
        reasons += [f"{node.name}: {reason}" for reason in _host_reasons(context, node)]
    reasons += _together(context)
    if context.control_planes:
        reasons += _existing_cluster(context, api_failure)
    return reasons


def _host_reasons(context: Context, node: Node) -> Iterable[str]:
    facts = node.facts
    if facts is None:
        return
    parts = facts.parts
    if parts.owner and parts.owner != context.cluster.name:
        yield f"it belongs to the cluster {parts.owner}; remove it there first, or choose another host"
    elif not parts.owner and parts.foreign:
        yield f"it already runs {parts.foreign}, which Raijin did not install: clean it, or choose another"
    if parts.owner:
        return  # what follows is about hosts that are still empty
    if facts.init != "systemd":
        yield f"its init system is {facts.init}; kubeadm clusters need systemd"
    if facts.kernel_version < OLDEST_KERNEL:
        oldest = ".".join(map(str, OLDEST_KERNEL))
        yield f"its kernel {facts.kernel_release} is too old; Kubernetes needs {oldest} or newer"
    yield from _resources(node)
    yield from _ports(context, node)
    if facts.cgroup_v1 and not kubelet_allows_cgroup_v1(context):
        yield (
            "it has cgroup v1, which this version's kubelet refuses; boot it with cgroup v2, or set "
            "kubernetes.kubeadm.kubeletConfiguration.failCgroupV1 to false"
        )


def _resources(node: Node) -> Iterable[str]:
    facts = node.facts
    if facts is None:
        return
    if node.role is NodeRole.CONTROL_PLANE:
        if 0 < facts.cpus < MIN_CONTROL_PLANE_CPUS:
            yield f"it has {facts.cpus} CPU, a control plane needs {MIN_CONTROL_PLANE_CPUS}"
        if 0 < facts.memory < MIN_CONTROL_PLANE_BYTES:
            yield f"it has {facts.memory >> 20} MiB of memory, a control plane needs 1700"
    for path, free in facts.free.items():
        if path in {"/", "/var", "/var/lib"} and free < MIN_FREE_BYTES:
            yield f"{path} has {free >> 20} MiB free, {MIN_FREE_BYTES >> 20} are needed: free some"
            return


def _ports(context: Context, node: Node) -> Iterable[str]:
    facts = node.facts
    if facts is None or joined(node):
        return
    wanted = dict(NODE_PORTS)
    if node.role is NodeRole.CONTROL_PLANE:
        wanted |= CONTROL_PLANE_PORTS | {context.cluster.kubernetes.api_server_port: "the API server"}
    for port, purpose in sorted(wanted.items()):
        holder = facts.listener(port)
        if holder is not None:
            yield f"port {port} is in use{f' by {holder}' if holder else ''}; {purpose} needs it: stop that program"


def _together(context: Context) -> Iterable[str]:
    """What only shows when hosts are seen side by side."""
    nodes = [(node.name, node.facts) for node in context.reachable if node.facts is not None]
    for what, values in (
        ("machine-id", {name: facts.machine_id for name, facts in nodes}),
        ("MAC address", {name: facts.mac for name, facts in nodes}),
    ):
        seen: dict[str, str] = {}
        for name, value in values.items():
            if value and value in seen:
                yield f"{name}: it has the same {what} as {seen[value]} ({value}): one is a clone; make them differ"
            seen.setdefault(value, name)
    skews = {name: facts.skew for name, facts in nodes}
    middle = statistics.median(skews.values()) if skews else 0.0
    for name, skew in skews.items():
        if abs(skew - middle) > MAX_CLOCK_SKEW_SECONDS:
            yield f"{name}: its clock is {skew - middle:+.0f} s off the others'; certificates would fail: set up NTP"


def _existing_cluster(context: Context, api_failure: str) -> Iterable[str]:
    first = context.first
    others = [n.name for n in context.workers if joined(n) and n.facts and n.facts.parts.owner == context.cluster.name]
    if first.facts and not first.facts.parts.started and others:
        yield (
            f"{first.name}: it has no control plane, but {', '.join(others)} belong to one: starting a second cluster "
            "would cut them off; restore the control plane, or destroy what is left first"
        )
    if context.state is None:
        if first.facts and first.facts.parts.started and api_failure and _changes_members(context):
            yield f"{first.name}: the API server does not answer ({api_failure}); mend it before nodes are changed"
        return
    wanted = str(context.cluster.kubernetes_version)
    for node in context.state.nodes.values():
        if node.version and node.version != wanted and node.name in {n.name for n in context.nodes}:
            yield f"{node.name}: it runs {node.version} and the definition says {wanted}: upgrades are not served yet"


def _changes_members(context: Context) -> bool:
    return bool(context.departed) or any(not joined(node) for node in context.workers)
