"""restore: the cluster goes on from a snapshot, on the control plane hosts that are left, or on new ones.

Every control plane host that can be reached is halted first, so that nobody writes into the past. On one of them the
snapshot becomes the data of an etcd with one member, the cluster is started with it, and from there on it is an
ordinary `apply`: the other control plane hosts join as new ones, the container network and the labels are looked at,
and the workers, which kept their pods running all the time, register with the API again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from raijin.errors import PlanRefused
from raijin.lifecycle import apply, endpoint
from raijin.lifecycle.drafting import drafted
from raijin.lifecycle.preflight import host_reasons
from raijin.lifecycle.returned import after
from raijin.lifecycle.stages import call, let_go, let_in
from raijin.plan.draft import Draft
from raijin.plan.model import Call, Change, Disruption
from raijin.platforms import platform_of
from raijin.platforms.base import Action, Context, Node, Parts
from raijin.platforms.outside import ByCalls
from raijin.platforms.rotation import Rotating, rotating
from raijin.platforms.turns import Turn
from raijin.platforms.versions import MINORS_BETWEEN_RESTORE

HALT_SECONDS = 900
SEED_SECONDS = 3600
RESTART_SECONDS = 3600
_FOUNDING = frozenset({"found", "start"})
_REBUILT = frozenset({"start", "join", "endpoint"})
"""Stages whose programs see, in the plan, a control plane that will have been halted when their turn comes."""


def drafts(context: Context) -> list[Draft]:
    """Everything that a restoration does. Raises PlanRefused when no control plane host can be reached."""
    fresh = emptied(context)
    rest = _adapted(fresh, apply.drafts(fresh), [node.name for node in halting(context)])
    return [
        *halt(context),
        *leave_behind(context),
        *seed(fresh),
        *rest,
        *forget_nodes(context, fresh.first),
        *wake(fresh),
        tidy(fresh),
    ]


def halt(context: Context) -> Iterable[Draft]:
    for node in halting(context):
        yield drafted(
            "halt",
            node.name,
            "halt the control plane",
            platform_of(context.cluster).halt(context, node),
            disruption=Disruption.API,
            timeout=HALT_SECONDS,
            estimate=15,
            forced=True,
        )


def leave_behind(context: Context) -> Iterable[Draft]:
    """A control plane host that cannot be reached may come back with the old cluster on it: it is left alone then."""
    for node in unseen(context):
        if node.name in context.members:
            reason = f"it was away when the cluster was restored: `raijin cluster reset {node.name}` when it is back"
            yield Draft(
                "quarantine",
                node.name,
                "leave the host alone from now on",
                Call("raijin.quarantine", {"reason": reason}),
                changes=(Change(f"host {node.name}", "quarantine", "no", reason),),
                timeout=30,
            )


def seed(context: Context) -> Iterable[Draft]:
    first, action = context.first, platform_of(context.cluster).seed(context)
    if action is None:
        return
    yield drafted(
        "seed",
        first.name,
        "restore the data",
        action,
        needs=("halt/*", f"services/{first.name}", f"images/{first.name}"),
        disruption=Disruption.DATA,
        timeout=SEED_SECONDS,
        estimate=20,
        forced=True,
    )


def forget_nodes(context: Context, first: Node) -> Iterable[Draft]:
    """The snapshot knows nodes that were control planes then; kubeadm would refuse to join a second one of a name.

    A machine that joins by its configuration alone is the same node again, maybe before anybody could delete it: a
    kubelet that runs does not notice that its node is gone.
    """
    itself = isinstance(platform_of(context.cluster), ByCalls)
    for node in _planes(context):
        if node.name != first.name and not (itself and node.facts is not None):
            yield Draft(
                "delete-node",
                node.name,
                "delete the node object",
                call(context, "kube.delete-node", {}),
                needs=(f"start/{first.name}",),
                changes=(Change(f"node {node.name}", "state", "as in the snapshot", "absent"),),
                timeout=60,
            )


def wake(context: Context) -> Iterable[Draft]:
    """Kubelets hold watches of a later time than the one that is restored."""
    ways, strangers = rotating(context.cluster), list[Node]()
    for node in context.workers:
        if node.facts is None or not node.joined:
            continue
        needs: tuple[str, ...] = (f"start/{context.first.name}", f"network/{context.cluster.name}")
        program: Action = platform_of(context.cluster).register(context, node)
        if ways is not None and ways.is_estranged(context, node):
            strangers.append(node)
            yield from _readmit(context, ways, node)
            needs, program = (*needs, f"readmit/{node.name}"), ways.reconciled(context, node)
        yield drafted(
            "register",
            node.name,
            "register the node again",
            program,
            needs=needs,
            disruption=Disruption.RESTART,
            timeout=300,
            forced=True,
        )
    if ways is not None and strangers and context.snapshot is not None:
        yield Draft(
            "restart",
            context.cluster.name,
            "start anew what reads the authorities at its start",
            ways.restart(context, f"restored-{context.snapshot.restoration}"),
            needs=("register/*", "join/*"),
            changes=(Change(f"workloads of {context.cluster.name}", "authorities read", "later ones", "restored"),),
            disruption=Disruption.RESTART,
            timeout=RESTART_SECONDS,
            estimate=60,
        )


def _readmit(context: Context, ways: Rotating, node: Node) -> Iterable[Draft]:
    """Authorities were replaced since the backup: a worker is let in anew by the one that is restored."""
    letting_in, farewell = ways.readmit(context, node, Turn.SIGN), ways.discard(context, node, Turn.SIGN)
    change = (Change(f"node {node.name}", "authority", "a later one", "that of the backup"),)
    if letting_in is not None and farewell is not None:
        yield let_in(node, letting_in, (f"start/{context.first.name}",), changes=change)
        yield let_go(node, farewell, "register")


def tidy(context: Context) -> Draft:
    return Draft(
        "tidy",
        context.cluster.name,
        "forget the opened backup",
        Call("backup.forget", {"snapshot": context.snapshot.sha256 if context.snapshot else ""}),
        needs=("start/*", "join/*", "ready/*"),
        follows=True,
        timeout=30,
    )


def reasons(context: Context, api_failure: str = "") -> list[str]:
    """What stands against it. Other than for apply, a dead cluster is no reason, and neither is a dead worker."""
    del api_failure
    found = list(host_reasons(context))
    found += endpoint.reasons(context)
    found += _version_reasons(context)
    if platform_of(context.cluster).kept_outside(context.cluster):
        found.append(f"{context.cluster.name}: its data is in a database outside: restore that with its own tools")
    if not context.force:
        found += [
            f"{node.name}: it cannot be reached ({node.absence}); if the old control plane still runs there, two "
            "clusters would claim the same nodes: switch it off or take it out of the definition, and use --force"
            for node in unseen(context)
        ]
    return found


def halting(context: Context) -> list[Node]:
    """The reachable hosts that have something of a control plane of this cluster."""
    return [node for node in _planes(context) if node.facts is not None and (node.parts.begun or node.joined)]


def unseen(context: Context) -> list[Node]:
    """The control plane hosts that cannot be reached, and may have the old cluster on them."""
    return [node for node in _planes(context) if node.facts is None]


def emptied(context: Context) -> Context:
    """The same hosts as they will be when all are halted, one that can be reached first."""
    if not any(node.facts is not None for node in context.control_planes):
        raise PlanRefused(
            "no control plane host can be reached: there is nowhere to restore to",
            remedy="put new hosts into a node group with role CONTROL_PLANE",
        )
    nodes = [
        replace(node, parts=Parts(owner=node.parts.owner)) if node.control_plane else node for node in context.nodes
    ]
    nodes.sort(key=lambda node: node.facts is None)
    # Those that have left the definition are halted, and taken out by the next apply.
    return replace(context, nodes=tuple(nodes), departed=(), state=None, etcd=None)


def _planes(context: Context) -> tuple[Node, ...]:
    return (*context.control_planes, *(node for node in context.departed if node.control_plane))


def _adapted(context: Context, drafts: list[Draft], halted: list[str]) -> list[Draft]:
    """The drafts of apply, after the halt of all control planes and the seeding of one."""
    waiting = [d if d.cleanup else replace(d, needs=(*d.needs, "halt/*")) for d in drafts]
    seeded = [
        replace(d, needs=(*d.needs, f"seed/{context.first.name}")) if d.stage in _FOUNDING else d for d in waiting
    ]
    return after(seeded, "halt", halted, forced=_REBUILT)


def _version_reasons(context: Context) -> Iterable[str]:
    if context.snapshot is None:
        return
    made, wanted = context.snapshot.version, context.cluster.kubernetes_version
    if (made.major, made.minor) > (wanted.major, wanted.minor) or wanted.minor - made.minor > MINORS_BETWEEN_RESTORE:
        yield (
            f"the backup is of {made}, and the definition says {wanted}: write version: {made} into the definition, "
            "restore, and upgrade afterwards"
        )
