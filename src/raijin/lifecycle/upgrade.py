"""From the running version to the wanted one: control planes one at a time, then workers in batches.

For each version on the way (an API server moves one minor at a time):

    (once: a backup, from which everything could be begun anew)
    images     are sent ahead, which disturbs nobody
    drain      pods leave, by the eviction API; when they cannot, the node is left as it was
    upgrade    one program on the node
    current    the node is Ready, and says the new version
    settle     a control plane's API server and etcd member answer, before the next one is touched
    return     pods may come back: also when the upgrade failed, as soon as the node is Ready again

Workers follow the control planes at the end, once, as long as none of them would lag too far behind in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from raijin.lifecycle.backup import take_backup
from raijin.lifecycle.drafting import drafted
from raijin.lifecycle.stages import call, joined, live_node, settle
from raijin.model.version import Version
from raijin.plan.draft import Draft
from raijin.plan.model import Change, Disruption
from raijin.platforms import platform_of
from raijin.platforms.base import Context, Hop, Node
from raijin.platforms.etcd import member_at, stop_fault
from raijin.platforms.versions import lags

UPGRADE_SECONDS = 2400
TRANSFER_SECONDS = 3600
RETURN_SECONDS = 600
ADVANCE_SECONDS = 7200


def backup_first(context: Context) -> Iterable[Draft]:
    """Before the first control plane host is touched."""
    outside = platform_of(context.cluster).kept_outside(context.cluster)
    wanted = context.cluster.policy.backup_before_upgrade and not outside
    planes = joined(context, context.control_planes)
    changes = any(is_outdated(context, node) for node in planes)
    if wanted and planes and (changes or platform_of(context.cluster).advance(context) is not None):
        yield from take_backup(context, after=("renewed/*", "settle/*", "ready/*"))


def upgrade_nodes(context: Context) -> Iterable[Draft]:
    """Every node that runs something older than the definition says, through every version on the way."""
    before: tuple[str, ...] = ("renewed/*", "settle/*", "ready/*", "rollout/*", "keep/*")
    planes, workers = (joined(context, nodes) for nodes in (context.control_planes, context.workers))
    at = {node.name: platform_of(context.cluster).version_of(node, context.state) for node in (*planes, *workers)}
    for hop, after in zip(context.hops, (*context.hops[1:], None), strict=False):
        lead = leader(context, hop)
        for node in _behind(planes, at, hop):
            yield from _images(context, node, hop)
            yield from _one(context, node, hop, before, leads=node is lead)
            before = (_key("return", hop, node), _key("current", hop, node), _key("settle", hop, node))
        followers = _behind(workers, at, hop)
        if after is None or any(lags(version, after.version) for node in followers if (version := at[node.name])):
            yield from _workers(context, followers, hop, before)
            before = tuple(_key("return", hop, node) for node in followers) or before
            at |= dict.fromkeys((node.name for node in followers), hop.version)


def advance_cluster(context: Context) -> Iterable[Draft]:
    """What is upgraded in one piece, by means of the distribution's own, when all nodes are up to date."""
    action, name = platform_of(context.cluster).advance(context), context.cluster.name
    if action is not None and context.started:
        hops = tuple(f"{stage}@{hop.version}/*" for hop in context.hops for stage in ("current", "settle", "return"))
        yield drafted(
            "advance",
            name,
            "bring the cluster to its version",
            action,
            needs=("settle/*", "ready/*", "configure/*", "follow/*", "keep/*", *hops),
            disruption=Disruption.RESTART,
            timeout=ADVANCE_SECONDS,
            estimate=600,
        )


def return_nodes(context: Context) -> Iterable[Draft]:
    """Nodes that Raijin has cordoned in an earlier run, and that nobody is going to drain in this one."""
    leaving = {node.name for node in context.departed}
    for node in context.nodes:
        live = live_node(context, node)
        if live is None or not live.held or node.name in leaving or is_outdated(context, node):
            continue
        yield Draft(
            "return",
            node.name,
            "let pods come back",
            call(context, "kube.return-node", {}),
            needs=(f"ready/{node.name}",),
            changes=(Change(f"node {node.name}", "schedulable", "no", "yes"),),
            timeout=RETURN_SECONDS,
        )


def reasons(context: Context) -> Iterable[str]:
    """What stands against going from the running versions to the wanted one, judged from what was seen."""
    platform, wanted = platform_of(context.cluster), context.cluster.kubernetes_version
    for node in joined(context, context.nodes):
        running = platform.version_of(node, context.state)
        if running is not None and running > wanted:
            yield f"{node.name}: it runs {running}, and the definition says {wanted}: Kubernetes cannot go back"
    if not context.hops:
        return
    first = context.first.name
    if context.state is None:
        yield f"{first}: the API server does not answer: nothing is upgraded blindly"
        return
    for name, live in context.state.nodes.items():
        version = Version.parse(live.version) if live.version else None
        absent = name in {node.name for node in context.nodes if node.facts is None}
        if absent and version is not None and lags(version, wanted):
            yield f"{name}: it cannot be reached, and its kubelet {version} would be too old for {wanted}"
    planes = [node for node in joined(context, context.control_planes) if is_outdated(context, node)]
    if not planes or len(context.control_planes) == 1 or platform.etcd(context.cluster) is None:
        return
    if context.etcd is None:
        yield f"{first}: etcd does not answer: no control plane host is stopped without knowing the others"
        return
    for node in planes:
        fault = stop_fault(context.etcd, member_at(context, node))
        if fault:
            yield f"{node.name}: it cannot be upgraded now: {fault}"


def is_outdated(context: Context, node: Node) -> bool:
    """Whether a member runs something that is not of the wanted version: it is then changed by an upgrade only."""
    running = platform_of(context.cluster).version_of(node, context.state) if node.joined else None
    return running is not None and running < context.cluster.kubernetes_version


def _behind(nodes: Iterable[Node], at: Mapping[str, Version | None], hop: Hop) -> list[Node]:
    """Those that are not at this version yet, counting what the hops before it bring them to."""
    return [node for node in nodes if (version := at[node.name]) is not None and version < hop.version]


def leader(context: Context, hop: Hop) -> Node | None:
    """The control plane host that an upgrade to this version goes on with, or begins with."""
    planes, platform = joined(context, context.control_planes), platform_of(context.cluster)
    begun = (n for n in planes if (v := platform.control_plane_version(n, context.state)) and v >= hop.version)
    return next(begun, planes[0] if planes else None)


def _workers(context: Context, workers: list[Node], hop: Hop, before: tuple[str, ...]) -> Iterable[Draft]:
    """At most `policy.maxUnavailable` at the same time: as many lanes, each node waiting for the one before it.

    Workers that are out of service already count; one lane there is always.
    """
    out = [node for node in context.workers if node not in workers and _is_out(context, node)]
    lanes = max(1, context.cluster.policy.unavailable_of(len(context.workers)) - len(out))
    for place, node in enumerate(workers):
        turn = (_key("return", hop, workers[place - lanes]),) if place >= lanes else ()
        yield from _images(context, node, hop)
        yield from _one(context, node, hop, (*before, *turn), leads=False)


def _images(context: Context, node: Node, hop: Hop) -> Iterable[Draft]:
    action = platform_of(context.cluster).hop_images(context, node, hop)
    if action is not None:
        stage = _stage("images", hop)
        yield drafted(stage, node.name, "load the images", action, timeout=TRANSFER_SECONDS, estimate=30)


def _one(context: Context, node: Node, hop: Hop, before: tuple[str, ...], *, leads: bool) -> Iterable[Draft]:
    platform, version = platform_of(context.cluster), str(hop.version)
    ahead = (_key("images", hop, node), *before)
    drained = _must_drain(context, node)
    running = platform.version_of(node, context.state)
    if drained:
        yield Draft(
            _stage("drain", hop),
            node.name,
            "move the pods away",
            call(context, "kube.drain", {"force": context.force}),
            needs=ahead,
            changes=(Change(f"node {node.name}", "pods", "running", "moved to other nodes"),),
            disruption=Disruption.DRAIN,
            timeout=context.cluster.policy.drain_timeout.total_seconds(),
            estimate=30,
            renewed=True,
        )
    alone = node.control_plane and len(context.control_planes) == 1
    yield drafted(
        _stage("upgrade", hop),
        node.name,
        f"upgrade to {version}",
        platform.upgrade(context, node, hop, leads=leads),
        needs=(_key("drain", hop, node), *ahead),
        changes=(Change(f"node {node.name}", "version", str(running), version),),
        disruption=Disruption.API if alone else Disruption.RESTART,
        timeout=UPGRADE_SECONDS,
        estimate=90,
    )
    yield Draft(
        _stage("current", hop),
        node.name,
        f"wait until the node runs {version}",
        platform.arrival(context, node, hop),
        needs=(_key("upgrade", hop, node),),
        follows=True,
        timeout=RETURN_SECONDS,
        estimate=10,
    )
    if node.control_plane:
        yield settle(context, node, _stage("settle", hop), (_key("current", hop, node),))
    if drained:
        yield Draft(
            _stage("return", hop),
            node.name,
            "let pods come back",
            call(context, "kube.return-node", {}),
            needs=tuple(_key(stage, hop, node) for stage in ("drain", "upgrade", "current", "settle")),
            follows=True,
            cleanup=True,
            timeout=RETURN_SECONDS,
            estimate=2,
        )


def _is_out(context: Context, node: Node) -> bool:
    live = live_node(context, node)
    return node.facts is None or (live is not None and (not live.ready or live.unschedulable))


def _must_drain(context: Context, node: Node) -> bool:
    """Whether pods could go anywhere else, and the node is alive enough to let them go."""
    live = live_node(context, node)
    if live is None or not live.ready or context.state is None or not context.drain:
        return False
    return any(n.ready and not n.unschedulable and n.name != node.name for n in context.state.nodes.values())


def _stage(name: str, hop: Hop) -> str:
    return f"{name}@{hop.version}"


def _key(stage: str, hop: Hop, node: Node) -> str:
    return f"{_stage(stage, hop)}/{node.name}"
