"""api-availability and etcd-health: what the cluster lives by."""

from __future__ import annotations

from collections.abc import Iterable

from raijin.facts.etcd import EtcdMember, EtcdState
from raijin.validation.finding import Finding, Grade
from raijin.validation.seen import Seen

API, ETCD = "api-availability", "etcd-health"
QUOTA = 2 * 1024**3
"""etcd's own, where it tells none (--quota-backend-bytes)."""
NEARLY_FULL = 0.8
LAGGING = 1000
"""Entries of the log; etcd makes a snapshot for a member that is tens of thousands behind."""
MEGABYTE = 1024 * 1024
AIRY = 100 * MEGABYTE


def api_availability(seen: Seen) -> Iterable[Finding]:
    subject = seen.subject
    if not subject.control_planes:
        yield Finding(API, subject.cluster, Grade.UNKNOWN, "there is no control plane host that could be asked")
        return
    for host, fault in seen.api.items():
        if fault:
            remedy = f"look at `raijin cluster logs {host} --part kube-apiserver`"
            yield Finding(API, host, Grade.FAILED, f"its API server does not serve: {fault}", remedy)
        else:
            yield Finding(API, host, Grade.OK, "its API server is ready")
    name = subject.endpoint or "the address of the API"
    if seen.endpoint:
        text, remedy = f"the address of the API does not serve: {seen.endpoint}", "look at the load balancer"
        yield Finding(API, name, Grade.FAILED, text, remedy)
    else:
        yield Finding(API, name, Grade.OK, "the address of the API serves")


def etcd_health(seen: Seen) -> Iterable[Finding]:
    subject, state = seen.subject, seen.etcd
    if subject.etcd is None:
        yield Finding(ETCD, subject.cluster, Grade.OK, "Raijin looks after no etcd of it")
        return
    if state is None and seen.sqlite:
        yield Finding(ETCD, subject.cluster, Grade.OK, "it is kept in SQLite, without etcd")
        return
    if state is None:
        text = "etcd answers on no control plane host: it has lost its quorum, or does not run"
        yield Finding(ETCD, subject.cluster, Grade.FAILED, text, "mend members, or `raijin cluster restore latest`")
        return
    yield from (_member(state, member) for member in state.members)
    for alarm in state.alarms:
        remedy = "see docs/how-to/etcd.md: free space, then disarm the alarm"
        yield Finding(ETCD, subject.cluster, Grade.FAILED, f"alarm {alarm}", remedy)
    members, planes = len(state.voters), len([place for place in subject.places if place.control_plane])
    if members != planes:
        text = f"it has {members} voting members, and the definition {planes} control plane hosts"
        yield Finding(ETCD, subject.cluster, Grade.WARNING, text, "see what `raijin plan` would do about it")
    if members > 1 and state.spare < 1:
        text = "it can lose no member more"
        yield Finding(ETCD, subject.cluster, Grade.WARNING, text, "mend or replace the member that does not answer")


def _member(state: EtcdState, member: EtcdMember) -> Finding:
    name = member.name or member.id
    if not member.healthy:
        remedy = f"look at `raijin cluster logs {name} --part etcd`, or `raijin cluster etcd replace {name}`"
        return Finding(ETCD, name, Grade.FAILED, f"its member is broken: {member.failure}", remedy)
    if member.learner:
        return Finding(ETCD, name, Grade.FAILED, "its member still learns, and has no vote")
    quota = member.quota or QUOTA
    if member.size > NEARLY_FULL * quota:
        text = f"{member.size // MEGABYTE} of {quota // MEGABYTE} MiB are taken"
        return Finding(ETCD, name, Grade.WARNING, text, "`raijin cluster etcd defragment`, or give it a larger quota")
    if state.lag(member) > LAGGING:
        text = f"it is {state.lag(member)} entries behind"
        return Finding(ETCD, name, Grade.WARNING, text, "look at its disk and at the network between the hosts")
    if member.size > AIRY and member.in_use * 2 < member.size:
        text = f"of {member.size // MEGABYTE} MiB only {member.in_use // MEGABYTE} are in use"
        return Finding(ETCD, name, Grade.WARNING, text, "`raijin cluster etcd defragment`")
    return Finding(ETCD, name, Grade.OK, "leader" if member.leader else "it votes and keeps up")
