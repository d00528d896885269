"""Utilisation of clusters: looked at now, collected by the server's schedule, and what follows from it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from raijin.app.reaching import members_of, opened
from raijin.app.session import Session
from raijin.errors import HostError, KubernetesError, NotFound
from raijin.facts.utilisation import Utilisation, measure
from raijin.state.samples import Collected, Moment, NodeSample, PodSample, Samples
from raijin.validation.capacity import Capacity, capacity
from raijin.validation.finding import Finding
from raijin.validation.usage import Baseline, baseline

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine as Database

LARGEST_PODS = 20
"""Pods that an answer names, the largest."""
HISTORY_HOURS = 24.0
TREND_DAYS = 30.0


async def look(session: Session) -> Utilisation:
    """What the session's cluster uses now. Raises HostError, KubernetesError."""
    held = [name for name, member in members_of(session).items() if member.quarantine]
    async with opened(session, avoiding=held) as kube:
        return await measure(kube)


async def collect(session: Session) -> Collected:
    """Look, and keep what was seen; what could not be seen is kept as a fault."""
    samples, name = Samples(session.database), session.cluster.name
    try:
        seen = await look(session)
    except (HostError, KubernetesError) as error:
        known = samples.collected(name)
        note = Collected(time.time(), known.source if known else "", (str(error),))
        samples.record(name, note, ())
        return note
    note = Collected(seen.at, seen.source, seen.faults)
    samples.record(name, note, seen.nodes, seen.pods)
    samples.thin(name)
    return note


@dataclass(frozen=True, slots=True)
class Usage:
    """nodes, pods: as they were seen last. history: of the cluster, or of the node that was asked for."""

    cluster: str
    collected: Collected | None
    nodes: Sequence[NodeSample]
    pods: Sequence[PodSample]
    history: Sequence[Moment | NodeSample]

    def to_json(self) -> dict[str, Any]:
        found = self.collected
        faults = list(found.faults) if found else [f"{self.cluster} was not looked at yet"]
        return {
            "cluster": self.cluster, "at": max((n.at for n in self.nodes), default=None),
            "asked": found.at if found else None, "source": found.source if found else "", "faults": faults,
            "total": _total(self.nodes), "nodes": [node_json(node) for node in self.nodes],
            "pods": [asdict(pod) for pod in self.pods], "history": [_point(moment) for moment in self.history],
        }  # fmt: skip


def usage(database: Database, cluster: str, *, hours: float = HISTORY_HOURS, node: str = "") -> Usage:
    """What was collected. Raises NotFound for a node that nothing is known of."""
    samples, since = Samples(database), time.time() - hours * 3600
    history: Sequence[Moment | NodeSample]
    if node:
        history = samples.of_node(cluster, node, since=since)
        if not history:
            raise NotFound(f"nothing is known of a node {node} of {cluster}", remedy="see the nodes without `node`")
    else:
        history = samples.moments(cluster, since=since)
    newest = samples.newest(cluster)
    return Usage(cluster, samples.collected(cluster), newest, samples.pods(cluster, limit=LARGEST_PODS), history)


def usage_now(cluster: str, seen: Utilisation, history: Sequence[Moment | NodeSample] = ()) -> Usage:
    """A look of now, as if it had been collected."""
    pods = sorted(seen.pods, key=lambda pod: pod.memory_used, reverse=True)[:LARGEST_PODS]
    faults = (*seen.faults, *((f"{seen.waiting} pods have no node yet",) if seen.waiting else ()))
    return Usage(cluster, Collected(seen.at, seen.source, faults), seen.nodes, pods, history)


def usual(database: Database, cluster: str, *, days: float = TREND_DAYS) -> Baseline:
    return baseline(Samples(database).moments(cluster, since=time.time() - days * 86_400))


def room(database: Database, cluster: str, seen: Utilisation | None = None) -> Capacity:
    """seen: a look of now; without one, what was collected last."""
    samples = Samples(database)
    moments = samples.moments(cluster, since=time.time() - TREND_DAYS * 86_400, taking_pods=True)
    return capacity(cluster, seen.nodes if seen else samples.newest(cluster), moments)


async def usage_of(session: Session, hours: float = HISTORY_HOURS) -> Usage:
    """A look of now, with the history if a server has collected one here."""
    seen, name = await look(session), session.cluster.name
    return usage_now(name, seen, usage(session.database, name, hours=hours).history if session.has_state else ())


async def room_of(session: Session) -> Capacity:
    """By a look of now, and by the history if a server has collected one here."""
    seen, name = await look(session), session.cluster.name
    return room(session.database, name, seen) if session.has_state else capacity(name, seen.nodes, ())


def performance(database: Database, cluster: str) -> list[Finding]:
    """What the checks of the category PERFORMANCE say: the recommendations."""
    return [item.finding for item in room(database, cluster).recommendations]


def node_json(node: NodeSample) -> dict[str, Any]:
    """cpu in cores, memory in bytes."""
    return {
        "name": node.node, "takes_pods": node.takes_pods,
        "cpu": {"used": node.cpu_used, "requested": node.cpu_requested, "size": node.cpu_size},
        "memory": {"used": node.memory_used, "requested": node.memory_requested, "size": node.memory_size},
        "pods": {"used": node.pods, "size": node.pods_size},
    }  # fmt: skip


def _total(nodes: Sequence[NodeSample]) -> dict[str, Any]:
    def summed(name: str) -> float:
        return sum(float(getattr(node, name)) for node in nodes)

    return {
        "nodes": len(nodes),
        "cpu": {"used": summed("cpu_used"), "requested": summed("cpu_requested"), "size": summed("cpu_size")},
        "memory": {
            "used": summed("memory_used"), "requested": summed("memory_requested"), "size": summed("memory_size")
        },
        "pods": {"used": summed("pods"), "size": summed("pods_size")},
    }  # fmt: skip


def _point(moment: Moment | NodeSample) -> dict[str, Any]:
    peaks = {}
    if isinstance(moment, NodeSample):
        peaks = {"cpu_peak": moment.cpu_peak, "memory_peak": moment.memory_peak}
    return {
        "at": moment.at, "seconds": moment.seconds, "cpu_used": moment.cpu_used, "cpu_size": moment.cpu_size,
        "cpu_requested": moment.cpu_requested, "memory_used": moment.memory_used, "memory_size": moment.memory_size,
        "memory_requested": moment.memory_requested, "pods": moment.pods, "pods_size": moment.pods_size,
        **peaks,
    }  # fmt: skip
