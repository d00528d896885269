"""Certificates renewed before they expire: control planes one at a time, each back in step before the next one.

Part of `apply` for those that are due, and of `raijin cluster certificates renew` for all. Where so many have expired
that etcd has no majority left, there is nothing to be kept up: then all control plane hosts are mended at once, which
is the only way, because they wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from raijin.facts.base import Unknown
from raijin.facts.certificates import Certificate
from raijin.facts.etcd import EtcdState
from raijin.lifecycle.stages import joined, let_go, let_in, settle
from raijin.plan.draft import Draft
from raijin.plan.model import Change, Disruption
from raijin.platforms import platform_of
from raijin.platforms.base import Context, Node
from raijin.platforms.etcd import member_at, stop_fault
from raijin.platforms.renewal import Certificates, Keeper, certificates_of, held, is_due, require
from raijin.platforms.rotation import in_the_middle

SECONDS = 1200
ALL = float("inf")
"""A threshold below which every certificate is."""


def renew_certificates(context: Context) -> Iterable[Draft]:
    """Those that are due, as far as they can be renewed now (see `notes`)."""
    if not any(_faults(context, _threshold(context))):
        yield from _renew(context, _threshold(context))


def drafts(context: Context) -> list[Draft]:
    """The steps of `raijin cluster certificates renew`: every certificate, whatever is left of it."""
    from raijin.lifecycle.apply import fetch_kubeconfig, wait_until_ready  # noqa: PLC0415  (it has us among its stages)

    return [*_renew(context, ALL), *fetch_kubeconfig(context), *wait_until_ready(context)]


def reasons(context: Context, api_failure: str = "") -> list[str]:
    """What stands against renewing all certificates now. A dead API is none: that may be what is to be mended."""
    del api_failure
    require(context.cluster)
    if not context.started:
        return [f"{context.first.name}: no control plane host of {context.cluster.name} can be reached that runs it"]
    if platform_of(context.cluster).renews_itself:
        return [f"{context.cluster.name}: the certificates of a {context.cluster.type} cluster renew themselves"]
    rotation = in_the_middle(context)
    if rotation is not None:
        go_on = "go on with `raijin cluster certificates rotate-ca`"
        return [f"{context.cluster.name}: its authorities are being replaced, which renews everything: {go_on}"]
    return list(_faults(context, ALL))


def notes(context: Context) -> Iterable[str]:
    """What people should know of the certificates: those that cannot be renewed now, and authorities that end."""
    care = certificates_of(context.cluster)
    if care is None or not context.started:
        return
    for node in joined(context, context.nodes):
        unread = node.facts.facts.certificates if node.facts else ()
        if isinstance(unread, Unknown):
            yield f"the certificates of {node.name} are not known: {unread.unknown}"
    for fault in _faults(context, _threshold(context)):
        yield f"certificates are due, and not renewed now: {fault}"
    ending = {
        c.path: f"the authority {c.subject or c.name} of {context.cluster.name} ends on {c.last_day} "
        f"({c.days_left(context.at):.0f} days left), and all that it signed with it: "
        "`raijin cluster certificates rotate-ca` replaces it"
        for node in joined(context, context.nodes)
        for c in held(care, node.facts)
        if care.keeper(c) is Keeper.AUTHORITY and is_due(c, Keeper.AUTHORITY, context.at, _threshold(context))
    }
    yield from ending.values()


def wanted(context: Context, node: Node, days: float) -> list[Certificate]:
    """What of a member makes its renewal necessary: below so many days, or, of what renews itself, when it is over."""
    care = certificates_of(context.cluster)
    if care is None:
        return []
    found = [(c, care.keeper(c)) for c in held(care, node.facts)]
    due = [c for c, keeper in found if keeper is Keeper.RAIJIN and (days == ALL or c.is_due(context.at, days))]
    late = [c for c, keeper in found if keeper is Keeper.ITSELF and c.is_expired(context.at)]
    return [*due, *late]


def _threshold(context: Context) -> float:
    return context.cluster.policy.renewal_days


def _concerned(context: Context, nodes: Iterable[Node], days: float) -> list[Node]:
    care = certificates_of(context.cluster)
    if care is None:
        return []
    return [n for n in joined(context, nodes) if wanted(context, n, days) or care.unfinished(n)]


def _renew(context: Context, days: float) -> Iterable[Draft]:
    planes = sick_first(context, _concerned(context, context.control_planes, days))
    together = lost_quorum(context)
    before: tuple[str, ...] = ()
    for node in planes:
        yield from _one(context, node, days, before, alone=together or len(context.control_planes) == 1)
        done = tuple(f"renew/{other.name}" for other in (planes if together else (node,)))
        yield settle(context, node, "renewed", done)
        before = () if together else (f"renew/{node.name}", f"renewed/{node.name}")
    after = tuple(f"{stage}/{node.name}" for node in planes for stage in ("renew", "renewed"))
    for node in _concerned(context, context.workers, days):
        yield from _one(context, node, days, after, alone=False)


def _one(context: Context, node: Node, days: float, before: tuple[str, ...], *, alone: bool) -> Iterable[Draft]:
    care, due = require(context.cluster), wanted(context, node, days)
    late = [c for c in due if care.keeper(c) is Keeper.ITSELF]
    readmission, farewell = (care.readmit(context, node), care.discard(context, node)) if late else (None, None)
    ahead = (*before, f"services/{node.name}")
    if readmission is not None:
        yield let_in(node, readmission, ahead, changes=tuple(_change(context, care, c) for c in late))
    yield Draft(
        "renew",
        node.name,
        "renew the certificates",
        care.renew(context, node, due),
        needs=(f"readmit/{node.name}", *ahead),
        changes=tuple(_change(context, care, c) for c in due if care.keeper(c) is Keeper.RAIJIN),
        disruption=Disruption.API if alone else Disruption.RESTART,
        timeout=SECONDS,
        estimate=20,
        forced=True,
    )
    if farewell is not None:
        yield let_go(node, farewell, "renew")


def _change(context: Context, care: Certificates, certificate: Certificate) -> Change:
    ends = f"{certificate.last_day}{', expired' if certificate.is_expired(context.at) else ''}"
    return Change(f"certificate {certificate.path}", "expires", ends, f"in {care.days(context):.0f} days")


def sick_first(context: Context, planes: list[Node]) -> list[Node]:
    """Those whose member is sick first: they may be so because of it, and nobody can be stopped while they are."""

    def healthy(node: Node) -> bool:
        member = member_at(context, node)
        return member is None or member.healthy

    return sorted(planes, key=healthy)


def lost_quorum(context: Context) -> bool:
    """Whether etcd has no majority because of expired certificates: then no host can be lost any more."""
    care, planes = certificates_of(context.cluster), context.control_planes
    if care is None or context.etcd is not None or len(planes) == 1:
        return False
    expired = [
        node
        for node in joined(context, planes)
        if any(c.is_expired(context.at) and care.keeper(c) is Keeper.RAIJIN for c in held(care, node.facts))
    ]
    return len(planes) - len(expired) < len(planes) // 2 + 1


def _faults(context: Context, days: float) -> Iterable[str]:
    """Why the control plane hosts concerned cannot be renewed now."""
    planes = sick_first(context, _concerned(context, context.control_planes, days))
    if not lost_quorum(context):
        yield from stop_faults(context, planes)


def stop_faults(context: Context, planes: list[Node]) -> Iterable[str]:
    """Why these control plane hosts cannot be stopped for a moment now, one after the other."""
    access = platform_of(context.cluster).etcd(context.cluster)
    if not planes or access is None or len(context.control_planes) == 1:
        return
    if context.etcd is None:
        yield f"{planes[0].name}: etcd does not answer: no control plane host is stopped without knowing the others"
        return
    state = context.etcd
    for node in planes:
        member = member_at(context, node)
        fault = stop_fault(state, member)
        if fault:
            yield f"{node.name}: {fault}"
            return
        if member is not None:  # the next one is touched when this one answers again
            healed = tuple(replace(m, healthy=True) if m.id == member.id else m for m in state.members)
            state = EtcdState(healed, state.alarms)
