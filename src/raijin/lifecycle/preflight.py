"""What must hold before anything is changed, judged from facts alone; all reasons at once.

What holds for every platform is here; a platform adds its ports, its least machine and its own reasons, so that the
refusal comes before the first change instead of in the middle of it.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from raijin.lifecycle import endpoint, network, rotate, upgrade
from raijin.lifecycle.desired import installed_network, wanted_network
from raijin.model.node_group import NodeRole
from raijin.platforms import etcd, platform_of
from raijin.platforms.base import Context, Node

MIN_FREE_BYTES = 3 * 1024**3
MAX_CLOCK_SKEW_SECONDS = 30.0
OLDEST_KERNEL = (4, 19)


def preflight(context: Context, api_failure: str = "") -> list[str]:
    """Every reason against applying the definition now; empty when there is none."""
    reasons = list(host_reasons(context))
    if context.control_planes:
        reasons += _existing_cluster(context, api_failure)
    reasons += network.reasons(context)
    reasons += endpoint.reasons(context)
    reasons += etcd.reasons(context)
    reasons += upgrade.reasons(context)
    if not context.departed or _grows(context):  # hosts that are lost in the middle of it may leave
        reasons += rotate.unfinished(context)
    return [*reasons, *platform_of(context.cluster).preflight(context)]


def host_reasons(context: Context) -> Iterable[str]:
    """What stands against using the hosts, whatever the cluster is like."""
    for node in (*context.reachable, *context.beside):
        yield from (f"{node.name}: {reason}" for reason in _host_reasons(context, node))
    yield from _together(context)


def _host_reasons(context: Context, node: Node) -> Iterable[str]:
    facts, parts = node.facts, node.parts
    if facts is None:
        return
    if parts.owner and parts.owner != context.cluster.name:
        yield f"it belongs to the cluster {parts.owner}; remove it there first, or choose another host"
    elif not parts.owner and parts.foreign and node.name not in context.members:
        yield f"it already runs {parts.foreign}, which Raijin did not install: clean it, or choose another"
    if node.role is not NodeRole.BASTION:
        yield from network.kernel_reasons(context, facts)
    if parts.owner:
        return  # what follows is about hosts that are still empty
    if facts.init not in platform_of(context.cluster).inits:
        yield f"its init system is {facts.init}; {context.cluster.type} clusters need {_inits(context)}"
    if facts.kernel_version < OLDEST_KERNEL:
        oldest = ".".join(map(str, OLDEST_KERNEL))
        yield f"its kernel {facts.kernel_release} is too old; Kubernetes needs {oldest} or newer"
    if node.role is not NodeRole.BASTION:
        yield from network.address_reasons(context, facts)
    yield from _resources(context, node)
    yield from _ports(context, node)


def _inits(context: Context) -> str:
    return " or ".join(platform_of(context.cluster).inits)


def _resources(context: Context, node: Node) -> Iterable[str]:
    facts = node.facts
    if facts is None:
        return
    cpus, memory = platform_of(context.cluster).least(node)
    what = "a control plane" if node.control_plane else "a node"
    if 0 < facts.cpus < cpus:
        yield f"it has {facts.cpus} CPU, {what} needs {cpus}"
    if 0 < facts.memory < memory:
        yield f"it has {facts.memory >> 20} MiB of memory, {what} needs {memory >> 20}"
    for path, free in facts.free.items():
        if path in {"/", "/var", "/var/lib"} and free < MIN_FREE_BYTES:
            yield f"{path} has {free >> 20} MiB free, {MIN_FREE_BYTES >> 20} are needed: free some"
            return


def _ports(context: Context, node: Node) -> Iterable[str]:
    facts = node.facts
    if facts is None or node.parts.joined:
        return
    if node.role is NodeRole.BASTION:
        wanted = endpoint.ports(context)
    else:
        wanted = platform_of(context.cluster).ports(context, node) | _network_ports(context)
    for port, purpose in sorted(wanted.items()):
        holder = facts.listener(port)
        if holder is not None:
            yield f"port {port} is in use{f' by {holder}' if holder else ''}; {purpose} needs it: stop that program"


def _network_ports(context: Context) -> dict[int, str]:
    network = installed_network(context.cluster)
    return dict(network.ports(wanted_network(context))) if network is not None and context.tags else {}


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
    running = [n.name for n in context.nodes if n.parts.joined and n.parts.owner == context.cluster.name]
    if not context.started and running and first.facts:
        yield (
            f"{first.name}: no control plane is left, but {', '.join(running)} belong to one: starting a second "
            "cluster would cut them off; restore the control plane, or destroy what is left first"
        )
    if context.state is None:
        if context.started and api_failure and _changes_members(context):
            yield f"{first.name}: the API server does not answer ({api_failure}); mend it before nodes are changed"
        return


def _changes_members(context: Context) -> bool:
    return bool(context.departed) or _grows(context)


def _grows(context: Context) -> bool:
    return any(not node.joined for node in context.nodes)
