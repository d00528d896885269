"""The processes that carry out runs for a server: each has a lease, so that a survivor takes over from a dead one."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass

from sqlalchemy.engine import Engine

from raijin.state.dialect import upsert
from raijin.state.locks import Owner
from raijin.state.tables import RUNNERS

LEASE_SECONDS = 15.0
RENEW_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class RunnerRecord:
    """id: the executor of its workflows. started, expires: seconds since the epoch."""

    id: str
    owner: Owner
    started: float
    expires: float

    @property
    def dead(self) -> bool:
        return self.expires <= time.time() or self.owner.gone()


class Runners:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def renew(self, runner: str, started: float) -> None:
        """Say that we live; also for the first time."""
        owner, now = json.dumps(asdict(Owner.current())), time.time()
        row = {"id": runner, "owner": owner, "started": started, "expires": now + LEASE_SECONDS}
        with self._engine.begin() as db:
            upsert(db, RUNNERS, [row], keys=("id",))

    def all(self) -> list[RunnerRecord]:
        with self._engine.connect() as db:
            rows = db.execute(RUNNERS.select().order_by(RUNNERS.c.started)).all()
        return [RunnerRecord(r.id, Owner(**json.loads(r.owner)), r.started, r.expires) for r in rows]

    def claim(self, dead: RunnerRecord) -> bool:
        """Be the one who takes over from a dead runner; False when another was faster.

        The lease becomes ours for a moment: whoever dies while taking over is taken over from in the same way.
        """
        owner, now = json.dumps(asdict(Owner.current())), time.time()
        with self._engine.begin() as db:
            query = RUNNERS.update().where(RUNNERS.c.id == dead.id, RUNNERS.c.expires == dead.expires)
            return bool(db.execute(query.values(owner=owner, expires=now + LEASE_SECONDS)).rowcount)

    def remove(self, runner: str) -> None:
        with self._engine.begin() as db:
            db.execute(RUNNERS.delete().where(RUNNERS.c.id == runner))
