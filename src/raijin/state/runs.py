"""The journal: every run, the state of every step of it, and the events in their order."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from raijin.errors import Locked, NotFound
from raijin.observe.events import Event, Kind
from raijin.state.dialect import writing
from raijin.state.tables import EVENTS, RUNS, STEPS


class RunStatus(StrEnum):
    """RUNNING also stands in the journal of a process that was killed; `resume` tells by the lock.

    QUEUED and PLANNING: asked of a server; there is no plan yet.
    """

    QUEUED = "queued"
    PLANNING = "planning"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in {RunStatus.DONE, RunStatus.FAILED, RunStatus.CANCELLED}

    @property
    def planned(self) -> bool:
        """Whether it ever had a plan that was carried out; a request that ended before has none either."""
        return self not in {RunStatus.QUEUED, RunStatus.PLANNING}


class StepState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run. plan and settings are JSON texts; times in seconds since the epoch; error a problem document.

    plan is empty while a server has only been asked for the run; request: what it was asked, by whom.
    """

    id: str
    cluster: str
    verb: str
    status: RunStatus
    attempt: int
    plan: str
    settings: str
    created: float
    finished: float | None
    error: Mapping[str, object] | None
    cancel: bool
    request: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class StepRecord:
    step: str
    position: int
    stage: str
    target: str
    state: StepState
    attempt: int
    started: float | None
    seconds: float | None
    error: Mapping[str, object] | None


_ONE = (STEPS.c.run == sa.bindparam("of")) & (STEPS.c.step == sa.bindparam("which"))
_STARTED = (
    STEPS.update().where(_ONE)
    .values(state=StepState.RUNNING, started=sa.bindparam("now"), attempt=STEPS.c.attempt + 1)
)  # fmt: skip
_ENDED = (
    STEPS.update().where(_ONE)
    .values(state=sa.bindparam("end"), seconds=sa.bindparam("took"), error=sa.bindparam("why"))
)  # fmt: skip
_APPEND = EVENTS.insert()
"""Written for every step of every run: made once."""


class Runs:
    """Reads and writes the journal. Each write is its own transaction: what was recorded survives a kill."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(
        self, run: str, *, cluster: str, verb: str, plan: str, settings: str, steps: Iterable[tuple[str, str, str]]
    ) -> None:
        """A new run, or the plan of one that was asked for; `steps` are (id, stage, target) in the plan's order."""
        rows = [
            {
                "run": run,
                "step": step,
                "position": n,
                "stage": stage,
                "target": target,
                "state": "waiting",
                "attempt": 0,
            }
            for n, (step, stage, target) in enumerate(steps)
        ]
        values = {"status": RunStatus.RUNNING, "plan": plan, "settings": settings}
        with self._engine.begin() as db:
            asked = RUNS.update().where(RUNS.c.id == run, RUNS.c.plan == "")
            if not db.execute(asked.values(**values)).rowcount:
                new = {"id": run, "cluster": cluster, "verb": verb, "attempt": 1, "created": time.time()}
                db.execute(RUNS.insert().values(**new, **values))
            if rows:
                db.execute(STEPS.insert(), rows)

    def extend(self, run: str, *, plan: str, settings: str, steps: Iterable[tuple[str, str, str]]) -> int:
        """Another plan for a run, which has the old steps in it: a new attempt. Returns its number."""
        with self._engine.begin() as db:
            known = set(db.execute(sa.select(STEPS.c.step).where(STEPS.c.run == run)).scalars())
            rows = [
                {"run": run, "step": step, "position": n, "stage": stage, "target": target, "state": "waiting"}
                | {"attempt": 0}
                for n, (step, stage, target) in enumerate(steps)
                if step not in known
            ]
            values = {"plan": plan, "settings": settings, "attempt": RUNS.c.attempt + 1}
            db.execute(RUNS.update().where(RUNS.c.id == run).values(**values))
            if rows:
                db.execute(STEPS.insert(), rows)
            return int(db.execute(sa.select(RUNS.c.attempt).where(RUNS.c.id == run)).scalar_one())

    def ask(self, run: str, *, cluster: str, verb: str, request: Mapping[str, Any]) -> None:
        """Note what a server was asked to do; it has no plan yet.

        Raises Locked when something else that was asked for this cluster has not ended.
        """
        values = {"status": RunStatus.QUEUED, "attempt": 1, "plan": "", "settings": "{}", "created": time.time()}
        with self._engine.connect() as db:
            writing(db, f"ask/{cluster}")
            _nothing_waits(db, cluster)
            db.execute(RUNS.insert().values(id=run, cluster=cluster, verb=verb, request=json.dumps(request), **values))
            db.commit()

    def nothing_waits(self, cluster: str) -> None:
        """Raises Locked when something that was asked for this cluster has not begun yet."""
        with self._engine.connect() as db:
            _nothing_waits(db, cluster)

    def counts(self) -> dict[str, float]:
        """How many runs there are in each state."""
        with self._engine.connect() as db:
            rows = db.execute(sa.select(RUNS.c.status, sa.func.count()).group_by(RUNS.c.status)).all()
        found = {str(status): float(count) for status, count in rows}
        return {str(status): found.get(str(status), 0.0) for status in RunStatus}

    def wish(self, run: str, request: Mapping[str, Any]) -> None:
        """Note what is asked of a run that there is."""
        with self._engine.begin() as db:
            db.execute(RUNS.update().where(RUNS.c.id == run).values(request=json.dumps(dict(request))))

    def newest(self, clusters: Iterable[str]) -> dict[str, RunRecord]:
        """The newest run of each of these clusters; of its plan only whether there is one (see `history`)."""
        names = list(clusters)
        last = (
            sa.select(RUNS.c.cluster, sa.func.max(RUNS.c.created).label("created"))
            .where(RUNS.c.cluster.in_(names))
            .group_by(RUNS.c.cluster)
            .subquery()
        )
        query = _brief().join(last, (RUNS.c.cluster == last.c.cluster) & (RUNS.c.created == last.c.created))
        with self._engine.connect() as db:
            return {row.cluster: _run(row) for row in db.execute(query)}

    def planning(self, run: str) -> None:
        with self._engine.begin() as db:
            asked = RUNS.update().where(RUNS.c.id == run, RUNS.c.status == RunStatus.QUEUED)
            db.execute(asked.values(status=RunStatus.PLANNING))

    def get(self, run: str) -> RunRecord:
        """By id, by a unique beginning of it, or `latest`. Raises NotFound."""
        query = RUNS.select().order_by(RUNS.c.created.desc())
        query = query.limit(1) if run == "latest" else query.where(RUNS.c.id.startswith(run, autoescape=True)).limit(2)
        with self._engine.connect() as db:
            rows = db.execute(query).all()
        exact = [row for row in rows if row.id == run] or rows
        if not exact and run == "latest":
            raise NotFound("there are no runs yet", remedy="check RAIJIN_HOME; `raijin apply` begins one")
        if len(exact) != 1:
            problem = f"several runs begin with {run}" if exact else f"there is no run {run}"
            raise NotFound(problem, remedy="see `raijin run list`")
        return _run(exact[0])

    def history(
        self,
        *,
        cluster: str | None = None,
        limit: int = 50,
        before: str = "",
        planned: bool = False,
        plans: bool = False,
    ) -> list[RunRecord]:
        """The newest first. before: only runs older than this one. planned: only those that have a plan.

        plans: with their plans; else the plan of one that has one is `{}`. A plan of a thousand hosts is megabytes.
        """
        query = (RUNS.select() if plans else _brief()).order_by(RUNS.c.created.desc(), RUNS.c.id.desc()).limit(limit)
        if cluster:
            query = query.where(RUNS.c.cluster == cluster)
        if planned:
            query = query.where(RUNS.c.plan != "")
        if before:
            at = sa.select(RUNS.c.created).where(RUNS.c.id == before).scalar_subquery()
            query = query.where((RUNS.c.created < at) | ((RUNS.c.created == at) & (RUNS.c.id < before)))
        with self._engine.connect() as db:
            return [_run(row) for row in db.execute(query)]

    def steps(self, run: str) -> list[StepRecord]:
        with self._engine.connect() as db:
            rows = db.execute(STEPS.select().where(STEPS.c.run == run).order_by(STEPS.c.position))
            return [_step(row) for row in rows]

    def next_attempt(self, run: str, *, again: Iterable[str] = ()) -> int:
        """Open the run again:

        what was not done waits again, and the steps `again`. Returns the new attempt's number.
        """
        with self._engine.begin() as db:
            db.execute(
                RUNS.update()
                .where(RUNS.c.id == run)
                .values(attempt=RUNS.c.attempt + 1, status=RunStatus.RUNNING, finished=None, error=None, cancel=0)
            )
            db.execute(
                STEPS.update()
                .where(STEPS.c.run == run, (STEPS.c.state != StepState.DONE) | STEPS.c.step.in_(list(again)))
                .values(state=StepState.WAITING, error=None)
            )
            return int(db.execute(sa.select(RUNS.c.attempt).where(RUNS.c.id == run)).scalar_one())

    def go_on(self, run: str, *, cancelled: bool = False) -> int:
        """Take up a run whose process was killed: a new attempt, in which all that has ended stays as it ended.

        An old wish to cancel it is over, unless it counts (`cancelled`) because nobody has asked to go on.
        """
        values = {"attempt": RUNS.c.attempt + 1} | ({} if cancelled else {"cancel": 0})
        with self._engine.begin() as db:
            db.execute(RUNS.update().where(RUNS.c.id == run).values(**values))
            return int(db.execute(sa.select(RUNS.c.attempt).where(RUNS.c.id == run)).scalar_one())

    def step_started(self, run: str, step: str) -> None:
        with self._engine.begin() as db:
            db.execute(_STARTED, {"of": run, "which": step, "now": time.time()})

    def step_ended(
        self, run: str, step: str, state: StepState, *, seconds: float | None, error: Mapping[str, object] | None
    ) -> None:
        text = json.dumps(error) if error else None
        with self._engine.begin() as db:
            db.execute(_ENDED, {"of": run, "which": step, "end": state, "took": seconds, "why": text})

    def finish(self, run: str, status: RunStatus, error: Mapping[str, object] | None) -> None:
        values = {"status": status, "finished": time.time(), "error": json.dumps(error) if error else None}
        with self._engine.begin() as db:
            db.execute(RUNS.update().where(RUNS.c.id == run).values(**values))

    def request_cancel(self, run: str) -> None:
        """Ask the process that runs it to stop after the operations in hand."""
        with self._engine.begin() as db:
            db.execute(RUNS.update().where(RUNS.c.id == run).values(cancel=1))

    def cancel_requested(self, run: str) -> bool:
        with self._engine.connect() as db:
            return bool(db.execute(sa.select(RUNS.c.cancel).where(RUNS.c.id == run)).scalar())

    def record(self, *events: Event) -> None:
        """Append to the journal, all or none."""
        rows = [
            {"run": e.run, "at": e.at, "kind": e.kind, "step": e.step, "host": e.host, "data": json.dumps(e.data)}
            for e in events
        ]
        with self._engine.begin() as db:
            db.execute(_APPEND, rows)

    def events_after(self, after: int, *, limit: int = 1000) -> list[tuple[int, Event]]:
        """Of all runs, in the order they were written."""
        query = EVENTS.select().where(EVENTS.c.id > after).order_by(EVENTS.c.id).limit(limit)
        with self._engine.connect() as db:
            return [_event(row) for row in db.execute(query)]

    def last_event(self) -> int:
        with self._engine.connect() as db:
            return int(db.execute(sa.select(sa.func.max(EVENTS.c.id))).scalar() or 0)

    def events(self, run: str, *, after: int = 0, limit: int = 10_000) -> list[tuple[int, Event]]:
        query = EVENTS.select().where(EVENTS.c.run == run, EVENTS.c.id > after).order_by(EVENTS.c.id).limit(limit)
        with self._engine.connect() as db:
            return [_event(row) for row in db.execute(query)]


def _brief() -> sa.Select[Any]:
    """Runs without the texts of their plans. Whether there is one, the steps tell: an index knows them."""
    planned = sa.exists().where(STEPS.c.run == RUNS.c.id)
    plan = sa.case((planned, "{}"), else_="").label("plan")
    return sa.select(*(column if column.name != "plan" else plan for column in RUNS.columns))


def _nothing_waits(db: sa.Connection, cluster: str) -> None:
    waiting = RUNS.c.status.in_((RunStatus.QUEUED, RunStatus.PLANNING))
    busy = db.execute(sa.select(RUNS.c.id).where(RUNS.c.cluster == cluster, waiting)).scalar()
    if busy is not None:
        raise Locked(
            f"the run {busy} of {cluster} has not begun yet",
            remedy=f"wait for it, or stop it with `raijin run cancel {busy}`",
        )


def _run(row: sa.Row[tuple[object, ...]]) -> RunRecord:
    data = dict(row._mapping)  # noqa: SLF001  (SQLAlchemy's public name for it)
    data["status"] = RunStatus(str(data["status"]))
    data["error"] = json.loads(data["error"]) if data["error"] else None
    data["cancel"] = bool(data["cancel"])
    data["request"] = json.loads(data["request"]) if data["request"] else None
    return RunRecord(**data)


def _event(row: sa.Row[Any]) -> tuple[int, Event]:
    return row.id, Event(Kind(row.kind), row.run, row.step, row.host, json.loads(row.data), row.at)


def _step(row: sa.Row[tuple[object, ...]]) -> StepRecord:
    data = dict(row._mapping)  # noqa: SLF001
    del data["run"]
    data["state"] = StepState(str(data["state"]))
    data["error"] = json.loads(data["error"]) if data["error"] else None
    return StepRecord(**data)
