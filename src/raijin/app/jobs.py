"""What a runner does with a run that a server was asked for: plan and carry it out, or go on where another has died.

Whatever comes of it stands in the journal: a job has no other end, and no error.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from raijin.app.changes import as_asked, session_for
from raijin.app.running import carry_out, resume
from raijin.app.session import Session
from raijin.engine.ending import end
from raijin.errors import Cancelled, Locked, RaijinError
from raijin.observe.waiting import until
from raijin.plan.codec import plan_from_json
from raijin.plan.model import Plan
from raijin.state.locks import LEASE_SECONDS, Locks
from raijin.state.plans import Plans
from raijin.state.runs import RunRecord, Runs

if TYPE_CHECKING:
    from raijin.app.planning import Planned
    from raijin.app.running import Finished
    from raijin.app.service import Service

LOG = logging.getLogger("raijin.jobs")


@dataclass(frozen=True, slots=True)
class Jobs:
    service: Service

    @property
    def runs(self) -> Runs:
        return self.service.runs

    async def carry_out(self, run: str) -> None:
        record = self.runs.get(run)
        if record.status.ended and not self._wanted_again(record):
            return
        try:
            if record.plan:
                await self._go_on(record)
            else:
                await self._begin(record)
        except RaijinError as error:
            self._failed(run, error)
        except Exception as error:  # a defect must not leave the run standing as one that is going on
            LOG.exception("a defect ended the run %s", run)
            self._failed(run, RaijinError(f"unexpected {type(error).__name__}: {error}", remedy="please report this"))

    @staticmethod
    def _wanted_again(record: RunRecord) -> bool:
        return bool((record.request or {}).get("resume") == record.attempt)

    async def _begin(self, record: RunRecord) -> None:
        """Plan, and carry out what comes of it."""
        if record.cancel:
            raise Cancelled("the run was cancelled before it began")
        self.runs.planning(record.id)
        asked = dict(record.request or {})
        session = await asyncio.to_thread(session_for, self.service, record)  # it may read files, and check them
        session.run, session.actor = record.id, _actor(asked)

        def confirm(planned: Planned) -> bool:
            del planned
            self.service.unlocked(record.cluster, run=record.id)  # before a change of the definition is kept
            return not self.runs.cancel_requested(record.id)

        finished = await self._act(session, record.verb, asked, confirm)
        if finished.declined:
            raise Cancelled("the run was cancelled before anything was changed")
        if finished.run is None:
            self.runs.record(end(self.runs, record.id, None))

    async def _act(
        self, session: Session, verb: str, asked: dict[str, Any], confirm: Callable[[Planned], bool]
    ) -> Finished:
        promised = self._promised(session, asked.get("plan"))
        if verb == "restore":
            from raijin.app.restoring import restore  # noqa: PLC0415

            return await restore(
                session,
                asked.get("backup") or "latest",
                confirm,
                at=asked.get("at"),
                force=bool(asked.get("force")),
                promised=promised,
                restoration=str(asked.get("restoration") or ""),
            )
        return await carry_out(session, verb, confirm, promised=promised, force=bool(asked.get("force")))

    def _promised(self, session: Session, digest: str | None) -> Plan | None:
        if not digest:
            return None
        return plan_from_json(Plans(self.service.database).get(session.cluster.name, digest), ours=True)

    async def _go_on(self, record: RunRecord) -> None:
        """Go on with a run whose runner has died, or that somebody wants to go on with."""
        asked = self._wanted_again(record)
        name = f"cluster/{record.cluster}"

        async def free() -> str:
            holder = Locks(self.service.database).held(name)
            return "" if holder is None else f"the run {holder} holds it"

        if not asked:  # the lock of the dead: its lease may still run for a moment
            await until(f"the lock of {record.cluster}", free, timeout=LEASE_SECONDS + 10, interval=0.5)

        request = dict(record.request or {})

        def session_of(plan: Plan) -> Session:
            session = self.service.session(plan.cluster)
            session.actor = _actor(request)
            if plan.leads_on:  # what follows is planned as the beginning was
                as_asked(session, plan.verb, request)
            return session

        await resume(
            session_of,
            self.service.session(record.cluster).home,
            record.id,
            survivor=not asked,
            further=lambda _: True,
            force=bool(request.get("force")),
        )

    def _failed(self, run: str, error: RaijinError) -> None:
        record = self.runs.get(run)
        mine = record.status.ended and not isinstance(error, Locked)
        if mine and record.error is not None:
            return  # the engine has written it down
        self.runs.record(end(self.runs, run, error))


def _actor(asked: Mapping[str, Any]) -> tuple[str, str, str]:
    who = str(asked.get("who", ""))
    return who, "schedule" if "due" in asked else "api", str(asked.get("address", ""))
