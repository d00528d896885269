"""Utilisation over time: what nodes and pods used at a moment, kept for a while and then thinned.

A sample of a node stands for one moment (`seconds` is 0) while it is young, and after that for an hour: the mean, with
the peak beside it. Pods are kept for hours only, and only those of each moment that use the most.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from raijin.state.dialect import upsert, writing
from raijin.state.tables import COLLECTED, POD_SAMPLES, SAMPLES

HOUR = 3600.0
EXACT_SECONDS = 48 * HOUR
"""How long each sample of a node is kept as it was taken."""
KEPT_SECONDS = 30 * 24 * HOUR
"""How long hours of nodes are kept."""
PODS_SECONDS = 6 * HOUR
MOST_PODS = 200
"""Of a cluster, at one moment: those that use the most."""


@dataclass(frozen=True, slots=True)
class NodeSample:
    """cpu in cores, memory in bytes. size: allocatable to pods; requested: by the pods that are there.

    takes_pods: it is ready, not cordoned, and keeps nobody away by a taint. at: seconds since the epoch. seconds: 0,
    or how long a time this is the mean of, with the peaks.
    """

    node: str
    at: float
    cpu_used: float
    cpu_size: float
    cpu_requested: float
    memory_used: float
    memory_size: float
    memory_requested: float
    pods: int
    pods_size: int
    takes_pods: bool
    cpu_peak: float = 0.0
    memory_peak: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class PodSample:
    namespace: str
    pod: str
    node: str
    at: float
    cpu_used: float
    cpu_requested: float
    memory_used: float
    memory_requested: float


@dataclass(frozen=True, slots=True)
class Moment:
    """All nodes of a cluster together that were asked for, at a moment or in an hour."""

    at: float
    seconds: float
    nodes: int
    cpu_used: float
    cpu_size: float
    cpu_requested: float
    memory_used: float
    memory_size: float
    memory_requested: float
    pods: float
    pods_size: float


@dataclass(frozen=True, slots=True)
class Collected:
    """The last time that a cluster was looked at. source: who told, `metrics.k8s.io` or `kubelet`.

    faults: what is missing, in words.
    """

    at: float
    source: str
    faults: tuple[str, ...]


class Samples:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(
        self, cluster: str, collected: Collected, nodes: Sequence[NodeSample], pods: Sequence[PodSample] = ()
    ) -> None:
        """What was seen at one moment; the same moment again is the same sample."""
        note = {"cluster": cluster, "at": collected.at, "source": collected.source, "faults": _joined(collected)}
        biggest = sorted(pods, key=lambda pod: (pod.memory_used, pod.cpu_used), reverse=True)
        kept = {*biggest[: MOST_PODS // 2], *sorted(pods, key=lambda p: p.cpu_used, reverse=True)[: MOST_PODS // 2]}
        with self._engine.begin() as db:
            upsert(db, COLLECTED, [note], keys=("cluster",))
            upsert(db, SAMPLES, [_row(cluster, sample) for sample in nodes], keys=("cluster", "node", "at"))
            rows = [asdict(pod) | {"cluster": cluster} for pod in kept]
            upsert(db, POD_SAMPLES, rows, keys=("cluster", "namespace", "pod", "at"))

    def collected(self, cluster: str) -> Collected | None:
        with self._engine.connect() as db:
            row = db.execute(COLLECTED.select().where(COLLECTED.c.cluster == cluster)).first()
        return Collected(row.at, row.source, tuple(filter(None, row.faults.split("\n")))) if row else None

    def newest(self, cluster: str) -> list[NodeSample]:
        """Of each node that was seen the last time."""
        last = sa.select(sa.func.max(SAMPLES.c.at)).where(SAMPLES.c.cluster == cluster).scalar_subquery()
        query = SAMPLES.select().where(SAMPLES.c.cluster == cluster, SAMPLES.c.at == last).order_by(SAMPLES.c.node)
        with self._engine.connect() as db:
            return [_node(row) for row in db.execute(query)]

    def of_node(self, cluster: str, node: str, *, since: float) -> list[NodeSample]:
        query = SAMPLES.select().where(SAMPLES.c.cluster == cluster, SAMPLES.c.node == node, SAMPLES.c.at >= since)
        with self._engine.connect() as db:
            return [_node(row) for row in db.execute(query.order_by(SAMPLES.c.at))]

    def moments(self, cluster: str, *, since: float, taking_pods: bool = False) -> list[Moment]:
        """The sums over the nodes, by time. taking_pods: only of nodes that take pods."""
        column = SAMPLES.c
        query = sa.select(
            column.at, sa.func.max(column.seconds).label("seconds"), sa.func.count().label("nodes"), *_sums()
        )
        query = query.where(column.cluster == cluster, column.at >= since)
        if taking_pods:
            query = query.where(column.takes_pods == 1)
        with self._engine.connect() as db:
            rows = db.execute(query.group_by(column.at).order_by(column.at))
            return [Moment(**row._mapping) for row in rows]  # noqa: SLF001  (SQLAlchemy's public name for it)

    def pods(self, cluster: str, *, limit: int) -> list[PodSample]:
        """Those of the last time that use the most memory."""
        last = sa.select(sa.func.max(POD_SAMPLES.c.at)).where(POD_SAMPLES.c.cluster == cluster).scalar_subquery()
        query = POD_SAMPLES.select().where(POD_SAMPLES.c.cluster == cluster, POD_SAMPLES.c.at == last)
        query = query.order_by(POD_SAMPLES.c.memory_used.desc(), POD_SAMPLES.c.pod).limit(limit)
        with self._engine.connect() as db:
            return [_pod(row) for row in db.execute(query)]

    def of_pod(self, cluster: str, namespace: str, pod: str) -> list[PodSample]:
        column = POD_SAMPLES.c
        query = POD_SAMPLES.select().where(column.cluster == cluster, column.namespace == namespace, column.pod == pod)
        with self._engine.connect() as db:
            return [_pod(row) for row in db.execute(query.order_by(column.at))]

    def totals(self, *, since: float) -> dict[str, Moment]:
        """The last moment of each cluster that was looked at since."""
        column = SAMPLES.c
        last = (
            sa.select(column.cluster, sa.func.max(column.at).label("at"))
            .where(column.at >= since).group_by(column.cluster).subquery()
        )  # fmt: skip
        query = sa.select(column.cluster, column.at, sa.func.count().label("nodes"), *_sums())
        query = query.join(last, (column.cluster == last.c.cluster) & (column.at == last.c.at))
        with self._engine.connect() as db:
            rows = db.execute(query.group_by(column.cluster, column.at)).mappings()
            return {row["cluster"]: Moment(seconds=0.0, **{k: row[k] for k in row if k != "cluster"}) for row in rows}

    def thin(self, cluster: str, *, now: float | None = None) -> None:
        """Let old samples become hours, and let go what is older than that. Doing it again changes nothing."""
        now = time.time() if now is None else now
        column, border = SAMPLES.c, (now - EXACT_SECONDS) // HOUR * HOUR
        old = (column.cluster == cluster) & (column.seconds == 0) & (column.at < border)
        with self._engine.connect() as db:
            writing(db, f"samples/{cluster}")
            rows = [_node(row) for row in db.execute(SAMPLES.select().where(old))]
            if rows:
                db.execute(SAMPLES.delete().where(old))
                hours = [_row(cluster, sample) for sample in hourly(rows)]
                upsert(db, SAMPLES, hours, keys=("cluster", "node", "at"))
            db.execute(SAMPLES.delete().where(column.cluster == cluster, column.at < now - KEPT_SECONDS))
            pods = POD_SAMPLES.c
            db.execute(POD_SAMPLES.delete().where(pods.cluster == cluster, pods.at < now - PODS_SECONDS))
            db.commit()

    def forget(self, cluster: str) -> None:
        """Of a cluster that is no more."""
        with self._engine.begin() as db:
            for table in (SAMPLES, POD_SAMPLES, COLLECTED):
                db.execute(table.delete().where(table.c.cluster == cluster))


def _sums() -> list[sa.Label[Any]]:
    """Over the nodes, of everything that a Moment adds up."""
    names = [field for field in Moment.__dataclass_fields__ if field not in {"at", "seconds", "nodes"}]
    return [sa.func.sum(SAMPLES.c[name]).label(name) for name in names]


def hourly(samples: Sequence[NodeSample]) -> list[NodeSample]:
    """Moments as hours, node by node: the means, and the peaks."""
    groups: dict[tuple[str, float], list[NodeSample]] = {}
    for sample in samples:
        groups.setdefault((sample.node, sample.at // HOUR * HOUR), []).append(sample)
    return [_hour(node, at, found) for (node, at), found in groups.items()]


def _hour(node: str, at: float, found: Sequence[NodeSample]) -> NodeSample:
    def mean(name: str) -> float:
        return sum(float(getattr(sample, name)) for sample in found) / len(found)

    return NodeSample(
        node, at, mean("cpu_used"), mean("cpu_size"), mean("cpu_requested"),
        mean("memory_used"), mean("memory_size"), mean("memory_requested"),
        round(mean("pods")), round(mean("pods_size")), mean("takes_pods") >= 0.5,
        max(s.cpu_peak for s in found), max(s.memory_peak for s in found), HOUR,
    )  # fmt: skip


def _joined(collected: Collected) -> str:
    return "\n".join(fault.replace("\n", " ") for fault in collected.faults)


def _row(cluster: str, sample: NodeSample) -> dict[str, Any]:
    peaks = {
        "cpu_peak": max(sample.cpu_peak, sample.cpu_used),
        "memory_peak": max(sample.memory_peak, sample.memory_used),
    }
    return asdict(sample) | peaks | {"cluster": cluster, "takes_pods": int(sample.takes_pods)}


def _node(row: sa.Row[Any]) -> NodeSample:
    data = {name: value for name, value in row._mapping.items() if name != "cluster"}  # noqa: SLF001
    return NodeSample(**data | {"takes_pods": bool(data["takes_pods"])})


def _pod(row: sa.Row[Any]) -> PodSample:
    return PodSample(**{name: value for name, value in row._mapping.items() if name != "cluster"})  # noqa: SLF001
