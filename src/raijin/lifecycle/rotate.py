"""`cluster certificates rotate-ca`: other authorities for a cluster that goes on meanwhile. Read STAGES first.

    make       the new authorities, kept here
    trust      every host trusts the old ones and the new ones: control planes one at a time, then workers in batches
    publish    the cluster tells everybody of both, and what reads that at its start only is started anew
    sign       everything is signed anew by the new ones, in the same order
    forget     the old ones are trusted by nobody any more, in the same order; told and started anew as above
    tidy       nothing of the rotation is left, on the hosts and here

Each turn is over on every host before the next one begins. Where it is, the files of the hosts say: the same command
goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from raijin.errors import Unsupported
from raijin.facts.base import Unknown
from raijin.lifecycle.renew import sick_first, stop_faults
from raijin.lifecycle.stages import call, joined, let_go, let_in, settle
from raijin.plan.draft import Draft
from raijin.plan.model import Call, Change, Disruption
from raijin.platforms import platform_of
from raijin.platforms.addresses import api_endpoint
from raijin.platforms.base import Context, Node
from raijin.platforms.rotation import Rotating, in_the_middle, rotating
from raijin.platforms.turns import TITLES, Rotation, Turn

SECONDS = 1500
RESTART_SECONDS = 3600
_STAGES = {Turn.TRUST: "trust", Turn.SIGN: "sign", Turn.FORGET: "forget"}
_DONE = {Turn.TRUST: "trusted", Turn.SIGN: "signed", Turn.FORGET: "forgotten"}
Stage = Callable[[Context, Rotation], Iterable[Draft]]


def make_authorities(context: Context, rotation: Rotation) -> Iterable[Draft]:
    """Before any host is touched. What waits on hosts already is taken from there, never made a second time."""
    changes = () if rotation.kept else tuple(_announced(context, rotation))
    yield Draft(
        "authorities",
        context.cluster.name,
        "make the new authorities" if not rotation.begun else "take up the new authorities",
        _ways(context).make(context, rotation),
        changes=changes,
        ahead=True,
        timeout=120,
    )


def trust_both(context: Context, rotation: Rotation) -> Iterable[Draft]:
    yield from _every_host(context, rotation, Turn.TRUST, ())


def tell_of_both(context: Context, rotation: Rotation) -> Iterable[Draft]:
    yield from _told(context, rotation, Turn.TRUST)


def sign_anew(context: Context, rotation: Rotation) -> Iterable[Draft]:
    yield from _every_host(context, rotation, Turn.SIGN, _after(Turn.TRUST))
    yield from _kubeconfig(context, Turn.SIGN)


def forget_the_old(context: Context, rotation: Rotation) -> Iterable[Draft]:
    yield from _every_host(context, rotation, Turn.FORGET, _after(Turn.SIGN))


def tell_of_the_new(context: Context, rotation: Rotation) -> Iterable[Draft]:
    yield from _told(context, rotation, Turn.FORGET)


def tidy_up(context: Context, rotation: Rotation) -> Iterable[Draft]:
    """Workers first: as long as any host knows of the rotation, the new authorities wait on a control plane host."""
    ways = _ways(context)
    last = before = _after(ways.turns[-1])
    for node in reversed(_concerned(context, rotation, ways.turns[0])):
        title, program = "end the rotation", ways.tidy(context, rotation, node)
        yield Draft("tidy", node.name, title, program, needs=before, timeout=60, forced=True)
        before = (*last, f"tidy/{node.name}") if node.control_plane else before
    yield _forgotten(context, rotation)


STAGES: dict[Turn, tuple[Stage, ...]] = {
    Turn.TRUST: (make_authorities, trust_both, tell_of_both),
    Turn.SIGN: (make_authorities, sign_anew),
    Turn.FORGET: (make_authorities, forget_the_old, tell_of_the_new),
}
"""By turn; a stage that stands in several is drafted once. After the last one of a distribution: tidy_up."""


def drafts(context: Context) -> list[Draft]:
    """What is left of the rotation that is in the middle, or all of a new one."""
    rotation = _ways(context).rotation(context)
    if rotation.over:
        return [_forgotten(context, rotation)]
    turns = list(_turns(context, rotation))
    stages = [*dict.fromkeys(stage for turn in turns for stage in STAGES[turn])]
    if turns[-1] is _ways(context).turns[-1]:
        stages.append(tidy_up)
    return [draft for stage in stages for draft in stage(context, rotation)]


def reasons(context: Context, api_failure: str = "") -> list[str]:
    """What stands against it. Every host must be there: one that misses a turn is cut off."""
    name, ways = context.cluster.name, _ways(context)
    if not context.started:
        return [f"{name}: no control plane host can be reached that runs it"]
    found = list(ways.reasons(context))
    rotation = ways.rotation(context)
    found += _wrongly_asked(context, ways, rotation)
    if rotation.over:
        return found
    found += [
        f"{node.name}: it cannot be reached ({node.absence}), and would be cut off: bring it back, or take it out of "
        "the definition and apply"
        for node in context.nodes
        if node.facts is None
    ]
    found += [
        f"{node.name}: it has not joined yet: apply the definition first"
        for node in context.nodes
        if node.facts is not None and not node.joined
    ]
    found += [
        f"{node.name}: its certificates are not known: {node.facts.facts.certificates.unknown}"
        for node in context.nodes
        if node.facts is not None and isinstance(node.facts.facts.certificates, Unknown)
    ]
    if context.state is None and not rotation.begun:  # where it was cut off, an API server may wait for its other half
        found.append(f"{name}: the API server does not answer ({api_failure or 'it was not asked'}): mend it first")
    planes = joined(context, context.control_planes)
    # A member may be sick because it was cut off in the middle: then it is mended by going on, and first of all.
    return [*found, *stop_faults(context, sick_first(context, planes) if rotation.begun else planes)]


def unfinished(context: Context) -> Iterable[str]:
    """Against verbs that sign, join or upgrade: who trusts whom is not settled while a rotation is in the middle."""
    rotation = in_the_middle(context)
    if rotation is not None:
        yield (
            f"{context.cluster.name}: the authorities {', '.join(rotation.authorities)} are being replaced: go on with "
            "`raijin cluster certificates rotate-ca` until that has ended"
        )


def notes(context: Context) -> Iterator[str]:
    """What people should know before they say yes."""
    ways = _ways(context)
    rotation = ways.rotation(context)
    if rotation.over or not context.started:
        return
    if rotation.begun:
        yield f"a rotation of {', '.join(rotation.authorities)} is in the middle: this goes on with it"
    if rotation.turn is not ways.turns[-1] and ways.tells_pods(rotation) and not context.asked.workloads:
        yield (
            "workloads of your own that speak to the API may have read its authority at their start: those that were "
            "not started anew between the first and the second turn may fail (--restart-workloads, or --step)"
        )
    yield "kubeconfigs, client certificates and join commands that were handed out before are of no use afterwards"


def _ways(context: Context) -> Rotating:
    """Raises Unsupported where authorities are not replaced host by host."""
    found = rotating(context.cluster)
    if found is None:
        raise Unsupported(f"the authorities of {context.cluster.type} clusters are not replaced by Raijin")
    return found


def _wrongly_asked(context: Context, ways: Rotating, rotation: Rotation) -> Iterable[str]:
    wanted, known = context.asked.authorities, ways.authorities(context.cluster)
    for name in wanted:
        if name not in known:
            yield f"{context.cluster.name}: it has no authority {name} that could be replaced: {', '.join(known)}"
    if rotation.begun and not rotation.over and wanted and {*wanted} != {*rotation.authorities}:
        names = ", ".join(rotation.authorities)
        yield f"{context.cluster.name}: a rotation of {names} is in the middle: end that first (name none)"


def _turns(context: Context, rotation: Rotation) -> Iterable[Turn]:
    """Those that are left. With `step`: the one that is in the middle, or the next one when all hosts have done it."""
    first = rotation.turn or Turn.TRUST
    left = [turn for turn in _ways(context).turns if turn >= first]
    if not context.asked.step:
        return left
    ways, concerned = _ways(context), _concerned(context, rotation, first)
    whole = rotation.begun and all(ways.has_done(rotation, node, first) for node in concerned)
    return left[: 2 if whole else 1]


def _announced(context: Context, rotation: Rotation) -> Iterable[Change]:
    for name in rotation.authorities:
        yield Change(f"authority {name} of {context.cluster.name}", "key", "the old one", "a new one")


def _concerned(context: Context, rotation: Rotation, turn: Turn) -> list[Node]:
    """Control planes first, and of those one whose member is sick: it may be the one where it was cut off."""
    ways, planes = _ways(context), sick_first(context, joined(context, context.control_planes))
    return [node for node in (*planes, *joined(context, context.workers)) if ways.concerns(rotation, node, turn)]


def _every_host(context: Context, rotation: Rotation, turn: Turn, first: tuple[str, ...]) -> Iterable[Draft]:
    """One turn: control planes one at a time, each back in step before the next one; then workers in batches."""
    stage, concerned = _STAGES[turn], _concerned(context, rotation, turn)
    first, behind = (f"authorities/{context.cluster.name}", *first), tuple[str, ...]()
    for node in (node for node in concerned if node.control_plane):
        yield from _one(context, rotation, node, turn, (*first, *behind))
        yield settle(context, node, _DONE[turn], (f"{stage}/{node.name}",))
        behind = (f"{stage}/{node.name}", f"{_DONE[turn]}/{node.name}")
    workers = [node for node in concerned if not node.control_plane]
    planes = tuple(f"{s}/{node.name}" for node in concerned if node.control_plane for s in (stage, _DONE[turn]))
    lanes = context.cluster.policy.unavailable_of(len(context.workers)) if workers else 1
    for place, node in enumerate(workers):
        behind = (f"{_DONE[turn]}/{workers[place - lanes].name}",) if place >= lanes else ()
        yield from _one(context, rotation, node, turn, (*first, *planes, *behind))
        wait, needs = call(context, "kube.wait-node", {}), (f"{stage}/{node.name}",)
        title = "wait until the node is Ready"
        yield Draft(_DONE[turn], node.name, title, wait, needs=needs, follows=True, timeout=600, estimate=5)


def _one(context: Context, rotation: Rotation, node: Node, turn: Turn, before: tuple[str, ...]) -> Iterable[Draft]:
    ways, stage = _ways(context), _STAGES[turn]
    coming = not ways.has_done(rotation, node, turn)
    letting_in, farewell = ways.readmit(context, node, turn), ways.discard(context, node, turn)
    if letting_in is not None:
        yield let_in(node, letting_in, before)
    alone = node.control_plane and len(context.control_planes) == 1
    yield Draft(
        stage,
        node.name,
        TITLES[turn],
        ways.turned(context, rotation, node, turn),
        needs=(*((f"readmit/{node.name}",) if letting_in else ()), *before),
        changes=tuple(ways.changes(rotation, node, turn)) if coming else (),
        disruption=Disruption.API if alone else Disruption.RESTART,
        timeout=SECONDS,
        estimate=60 if node.control_plane else 10,
        forced=coming,
    )
    if farewell is not None:
        yield let_go(node, farewell, stage)


def _told(context: Context, rotation: Rotation, turn: Turn) -> Iterable[Draft]:
    """What the cluster publishes, what is kept here, and workloads that read the authorities at their start only."""
    ways, name, stage = _ways(context), context.cluster.name, _STAGES[turn]
    which = "both" if turn is Turn.TRUST else "the new ones"
    needs = (f"{stage}/*", f"{_DONE[turn]}/*")
    change = (Change(f"cluster {name}", "authorities told", "as before", which),)
    title = f"tell of {which}"
    publish = ways.publish(context, rotation, turn)
    if publish is not None:
        yield Draft(f"publish@{stage}", name, title, publish, needs=needs, changes=change, timeout=600, estimate=10)
    yield from _kubeconfig(context, turn)
    if ways.tells_pods(rotation):
        mark = f"{stage}-{rotation.id.rpartition('.')[2]}"
        yield Draft(
            f"restart@{stage}",
            name,
            "start anew what reads the authorities at its start",
            ways.restart(context, mark),
            needs=(f"publish@{stage}/{name}",),
            changes=(Change(f"workloads of {name}", "authorities read", "as before", which),),
            disruption=Disruption.RESTART,
            timeout=RESTART_SECONDS,
            estimate=60,
        )


def _kubeconfig(context: Context, turn: Turn) -> Iterable[Draft]:
    first, stage = context.first.name, _STAGES[turn]
    fetch = {"kubeconfig": platform_of(context.cluster).kubeconfig, "endpoint": api_endpoint(context)}
    yield Draft(
        f"kubeconfig@{stage}",
        first,
        "keep the kubeconfig",
        Call("cluster.kubeconfig", fetch),
        needs=(f"{stage}/*", f"{_DONE[turn]}/*"),
        changes=(Change(f"kubeconfig of {context.cluster.name}", "content", "as before", "that of the host"),),
        timeout=60,
    )


def _after(turn: Turn) -> tuple[str, ...]:
    """All of a turn, on all hosts."""
    stage = _STAGES[turn]
    return tuple(f"{s}/*" for s in (stage, _DONE[turn], f"publish@{stage}", f"restart@{stage}", f"kubeconfig@{stage}"))


def _forgotten(context: Context, rotation: Rotation) -> Draft:
    name = context.cluster.name
    return Draft(
        "forget-keys",
        name,
        "forget the texts of the rotation",
        Call("authorities.forget", {"rotation": rotation.id}),
        needs=("tidy/*",),
        changes=(Change(f"rotation of {name}", "state", "kept here", "forgotten"),),
        timeout=30,
    )
