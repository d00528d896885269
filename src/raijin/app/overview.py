"""A cluster on one screen: nodes, versions, etcd, network, add-ons, backups, runs, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from raijin.app.health import Health, ago, health_of
from raijin.app.session import Session
from raijin.facts.cluster import NodeState, node_state
from raijin.transport.document import describe
from raijin.validation.certificates import NAME as CERTIFICATES
from raijin.validation.certificates import ending, soonest
from raijin.validation.control import MEGABYTE
from raijin.validation.finding import Finding, Grade, few
from raijin.validation.hosts import NAME as HOSTS
from raijin.validation.nodes import READINESS
from raijin.validation.seen import Part, Seen
from raijin.validation.workloads import counts, is_system


@dataclass(frozen=True, slots=True)
class NodeLine:
    name: str
    role: str
    state: str
    version: str
    system: str
    runtime: str
    remark: str


@dataclass(frozen=True, slots=True)
class Overview:
    """lines: what there is beside the nodes, as (title, text)."""

    title: str
    health: Health
    nodes: tuple[NodeLine, ...]
    lines: tuple[tuple[str, str], ...]

    @property
    def healthy(self) -> bool:
        return self.health.healthy

    def to_json(self) -> dict[str, Any]:
        nodes = [{name: getattr(node, name) for name in NodeLine.__slots__} for node in self.nodes]
        problems = [finding.to_json() for finding in self.health.problems]
        about = dict(self.lines)
        verdict = {"healthy": self.healthy, "verdict": self.health.verdict}
        return {
            "cluster": self.health.cluster,
            "title": self.title,
            **verdict,
            "nodes": nodes,
            "about": about,
            "problems": problems,
        }


async def overview_of(session: Session) -> Overview:
    """Everything that is looked at by `health_of`, for one screen."""
    cluster, health = session.cluster, await health_of(session)
    roles = {placed.name: placed.role.value for placed in session.definition.hosts_of(cluster)}
    title = f"{cluster.name} ({cluster.type} {cluster.kubernetes_version}): {health.verdict}"
    network = cluster.network.cni.name.value
    return Overview(title, health, tuple(_nodes(health, roles)), tuple(_lines(health, network)))


def _nodes(health: Health, roles: dict[str, str]) -> Iterable[NodeLine]:
    seen = health.seen
    live = {node.name: node for node in map(node_state, seen.items(Part.NODES))}
    said: dict[str, Finding] = {}
    for finding in health.findings:
        if finding.check in {HOSTS, READINESS} and finding.grade is not Grade.OK:
            said.setdefault(finding.subject, finding)
    for name in dict.fromkeys((*roles, *live)):
        node, trouble = live.get(name), said.get(name)
        state = _state(node, blind=Part.NODES in seen.failures)
        system, runtime, version = (node.os_image, node.runtime, node.version) if node else ("", "", "")
        yield NodeLine(name, roles.get(name, "?"), state, version, system, runtime, trouble.text if trouble else "")


def _state(node: NodeState | None, *, blind: bool) -> str:
    if node is None:
        return "unknown" if blind else "not a node"
    return ("Ready" if node.ready else "NotReady") + (", cordoned" if node.unschedulable else "")


def _lines(health: Health, network: str) -> Iterable[tuple[str, str]]:
    seen = health.seen
    yield "API", _api(seen)
    if seen.subject.etcd is not None:
        yield ("data", "SQLite on one server") if seen.etcd is None and seen.sqlite else ("etcd", _etcd(seen))
    yield "certificates", _certificates(health)
    if seen.subject.network:
        names = {describe(item) for item in seen.subject.network}
        yield "network", f"{network}: {_workloads(seen, names=names)}"
    else:
        yield "network", network
    yield "add-ons", _workloads(seen, without={describe(item) for item in seen.subject.network})
    yield "backup", _backup(health)
    yield "runs", _runs(health)


def _api(seen: Seen) -> str:
    ready = sum(not fault for fault in seen.api.values())
    address = seen.endpoint or "answers"
    version = f", {seen.version}" if seen.version else ""
    return f"{ready} of {len(seen.api)} API servers are ready{version}; {seen.subject.endpoint} {address}"


def _etcd(seen: Seen) -> str:
    state = seen.etcd
    if state is None:
        return "no member answers"
    well = sum(member.healthy for member in state.members)
    leader = state.leader
    size = max((member.size for member in state.members), default=0) / MEGABYTE
    used = max((member.in_use for member in state.members), default=0) / MEGABYTE
    alarms = f"alarms: {', '.join(state.alarms)}" if state.alarms else "no alarms"
    leads = f"{leader.name} leads" if leader else "nobody leads"
    return f"{well} of {len(state.members)} members are well, {leads}, {size:.1f} MiB ({used:.1f} in use), {alarms}"


def _certificates(health: Health) -> str:
    first = soonest(health.seen)
    if first is None:
        return "not known"
    host, certificate = first
    concerned = [f.subject for f in health.findings if f.check == CERTIFICATES and f.grade is not Grade.OK]
    told = f"{certificate.name} of {host} ends first, on {ending(certificate, health.seen.at)}"
    return f"{told}; look at {few(dict.fromkeys(concerned), 3)}" if concerned else told


def _workloads(seen: Seen, *, names: set[str] | None = None, without: set[str] | None = None) -> str:
    """`coredns 2/2`: workloads of these names, or those of the system without some."""
    if Part.WORKLOADS in seen.failures:
        return "not known"
    found = []
    for item in seen.items(Part.WORKLOADS):
        name = describe(item)
        ours = name in names if names is not None else is_system(item["metadata"].get("namespace", ""))
        if ours and name not in (without or ()):
            have, want = counts(item)
            found.append(f"{item['metadata']['name']} {have}/{want}")
    return few(found, 12) or "none"


def _backup(health: Health) -> str:
    kept = health.backups
    if kept is None or not kept.rows:
        return "none"
    latest = kept.rows[0]
    tried = next((row for row in kept.rows if row.verified and not row.fault), None)
    word = (
        "never"
        if tried is None
        else ("yes" if tried is latest else f"the one of {ago(_age(health, tried.created))} before")
    )
    made = f"{ago(_age(health, latest.created))} ago, in {', '.join(latest.targets)}"
    return f"{made}; restored on trial: {word}"


def _age(health: Health, created: float) -> float:
    return max(0.0, health.seen.at - created)


def _runs(health: Health) -> str:
    if health.last_run is None:
        return "none yet"
    latest = health.last_run
    text = f"{latest.verb} {latest.status} {ago(_age(health, latest.created))} ago ({latest.id})"
    if health.failed:
        text += f"; failed lately: {few((f'{run.verb} {run.id}' for run in health.failed), 3)}"
    return text
