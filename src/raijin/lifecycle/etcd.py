"""The care of etcd: its files made small again, member after member; and a broken member made anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from raijin.facts.etcd import EtcdAccess, EtcdMember
from raijin.lifecycle import apply
from raijin.lifecycle.drafting import drafted
from raijin.lifecycle.removal import remove_lost_members
from raijin.lifecycle.returned import after, emptied
from raijin.lifecycle.stages import settle
from raijin.plan.draft import Draft
from raijin.plan.model import Call, Change, Disruption
from raijin.platforms import platform_of
from raijin.platforms.base import Context, Node
from raijin.platforms.etcd import arguments, member_at, removal_fault

DEFRAGMENT_SECONDS = 900
MEGABYTE = 1024 * 1024
NO_SPACE, CORRUPT = "NOSPACE", "CORRUPT"


def defragment(context: Context) -> list[Draft]:
    """One member after the other, the one that leads last, each well again before the next; then the alarm goes."""
    access = platform_of(context.cluster).etcd(context.cluster)
    if not isinstance(access, EtcdAccess) or context.etcd is None:
        return []
    drafts: list[Draft] = []
    before: tuple[str, ...] = ()
    for node, member in _in_turn(context):
        size, used = member.size // MEGABYTE, member.in_use // MEGABYTE
        drafts.append(
            Draft(
                "defragment",
                node.name,
                "give back the room that is free in its store",
                Call("etcd.defragment", arguments(context, node, access)),
                needs=before,
                changes=(Change(f"etcd member {node.name}", "size", f"{size} MiB", f"about {used} MiB"),),
                disruption=Disruption.API if len(context.etcd.members) == 1 else Disruption.NONE,
                timeout=DEFRAGMENT_SECONDS,
                estimate=5,
            )
        )
        drafts.append(settle(context, node, "settle", (f"defragment/{node.name}",)))
        before = (f"defragment/{node.name}", f"settle/{node.name}")
    full = [alarm for alarm in context.etcd.alarms if NO_SPACE in alarm]
    if full:
        changes = tuple(Change(f"etcd alarm {alarm}", "state", "raised", "gone") for alarm in full)
        call = Call("etcd.disarm", arguments(context, context.first, access))
        drafts.append(Draft("disarm", context.first.name, "take the alarm back", call, before, changes, timeout=120))
    return drafts


def _in_turn(context: Context) -> list[tuple[Node, EtcdMember]]:
    pairs = [(node, member) for node in context.started if (member := member_at(context, node)) is not None]
    return sorted(pairs, key=lambda pair: pair[1].leader)


def defragment_reasons(context: Context, api_failure: str = "") -> list[str]:
    del api_failure
    found = list(_unserved(context))
    if found or context.etcd is None:
        return found
    found = [f"{m.name or m.id}: it does not answer: mend it first" for m in context.etcd.members if not m.healthy]
    unknown = len(context.etcd.members) - len(_in_turn(context))
    if unknown and not found:
        found.append(f"{unknown} members run on hosts that this definition does not have, or that do not answer")
    found += [f"alarm {alarm}: replace that member first" for alarm in context.etcd.alarms if CORRUPT in alarm]
    return found


def replace_member(context: Context) -> list[Draft]:
    """Out of etcd, out of the cluster, the host put back as it was, and joined as a new one: only this one host."""
    fresh = replace(context, nodes=tuple(emptied(n) if n.name in context.chosen else n for n in context.nodes))
    gone = [draft for draft in remove_lost_members(fresh) if draft.target in context.chosen]
    first = frozenset(draft.stage for draft in gone)
    rest = [
        draft
        for stage in apply.STAGES
        for draft in stage(fresh)
        if draft.target in context.chosen and draft.stage not in first
    ]
    wiped = list(_wipe(context, tuple(draft.key for draft in gone)))
    return [*gone, *wiped, *after(rest, "wipe", context.chosen)]


def _wipe(context: Context, needs: tuple[str, ...]) -> Iterable[Draft]:
    for node in context.nodes:
        farewell = platform_of(context.cluster).leave(context, node) if node.name in context.chosen else None
        if farewell is not None:
            yield drafted(
                "wipe",
                node.name,
                "put the host back as it was",
                farewell,
                needs=needs,
                changes=(Change(f"etcd data of {node.name}", "state", "there", "absent"),),
                disruption=Disruption.DATA,
                timeout=900,
                estimate=30,
                forced=True,
            )


def replace_reasons(context: Context, api_failure: str = "") -> list[str]:
    """Whatever would leave the cluster without a majority, or the host without a way back."""
    found = list(_unserved(context))
    if found or context.etcd is None:
        return found
    if context.state is None and api_failure:
        return [f"the API does not answer ({api_failure}): mend it before a member joins"]
    for node in context.nodes:
        if node.name in context.chosen:
            found += _of_one(context, node)
    return found


def _of_one(context: Context, node: Node) -> Iterable[str]:
    state, member = context.etcd, member_at(context, node)
    if node.facts is None:
        yield f"{node.name}: it cannot be reached ({node.absence}): take it out of the definition, and apply that"
    if state is None:
        return
    others = [other for other in state.members if member is None or other.id != member.id]
    if not others:
        yield f"{node.name}: it is the only member: with it the data would go; restore a backup instead"
        return
    if member is not None:
        fault = removal_fault(state, member)
        if fault:
            yield f"{node.name}: its member cannot be taken out: {fault}"
            return
        if member.healthy and not member.learner and not _corrupt(context, member) and not context.force:
            yield f"{node.name}: its member is well; there is nothing to replace (--force does it all the same)"
    sick = [other.name or other.id for other in others if not other.healthy]
    if sick:
        yield f"{node.name}: it could not join again while the member {', '.join(sick)} does not answer"


def _corrupt(context: Context, member: EtcdMember) -> bool:
    alarms = context.etcd.alarms if context.etcd else ()
    return any(alarm.startswith(f"{member.id}:") and CORRUPT in alarm for alarm in alarms)


def _unserved(context: Context) -> Iterable[str]:
    name, access = context.cluster.name, platform_of(context.cluster).etcd(context.cluster)
    if access is None:
        yield f"{name}: there is no etcd of it that Raijin looks after"
    elif not isinstance(access, EtcdAccess):
        yield f"{name}: the etcd of {context.cluster.type} clusters is looked after by their own tools"
    elif context.etcd is None:
        reason = "has no quorum, or does not run: restore a backup" if context.started else "does not run yet"
        yield f"{name}: its etcd does not answer: it {reason}"
