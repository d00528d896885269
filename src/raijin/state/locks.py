"""One run per cluster at a time: a lock with an owner and a lease, so that nobody waits for the dead."""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from raijin.errors import Locked
from raijin.state.dialect import writing
from raijin.state.tables import LOCKS

LEASE_SECONDS = 30.0
RENEW_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, so exactly named that another with the same pid is not taken for it."""

    machine: str
    pid: int
    started: str
    user: str

    @classmethod
    def current(cls) -> Owner:
        return cls(_boot_id(), os.getpid(), _start_time(os.getpid()), os.environ.get("USER", str(os.geteuid())))

    def gone(self) -> bool:
        """Certainly dead: it ran on this boot of this machine, and no such process is there any more."""
        return self.machine == _boot_id() and _start_time(self.pid) != self.started


def _boot_id() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else socket.gethostname()


def _start_time(pid: int) -> str:
    """Field 22 of /proc/PID/stat (proc(5)): clock ticks after boot; empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


class Locks:
    """Named locks in the state database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def acquire(self, name: str, run: str) -> None:
        """Take the lock, also from an owner that is dead or whose lease has run out. Raises Locked."""
        mine, now = Owner.current(), time.time()
        with self._engine.connect() as db:
            # Whoever reads the row first is also the one who may write it.
            writing(db, name)
            row = db.execute(LOCKS.select().where(LOCKS.c.name == name)).first()
            if row is not None:
                holder = Owner(**json.loads(row.owner))
                ours = holder == mine and row.run == run
                if not ours and row.expires > now and not holder.gone():
                    raise Locked(
                        f"the run {row.run} of {holder.user} (process {holder.pid}) holds {name}"
                        f" since {time.strftime('%H:%M:%S', time.localtime(row.acquired))}",
                        remedy=f"wait for it, or stop it with `raijin run cancel {row.run}`",
                    )
                db.execute(LOCKS.delete().where(LOCKS.c.name == name))
            values = {"name": name, "run": run, "owner": json.dumps(asdict(mine)), "acquired": now}
            db.execute(LOCKS.insert().values(**values, expires=now + LEASE_SECONDS))
            db.commit()

    def renew(self, name: str) -> bool:
        """Prolong our lease; False when somebody else has taken the lock."""
        mine = json.dumps(asdict(Owner.current()))
        with self._engine.begin() as db:
            query = LOCKS.update().where(LOCKS.c.name == name, LOCKS.c.owner == mine)
            return bool(db.execute(query.values(expires=time.time() + LEASE_SECONDS)).rowcount)

    def release(self, name: str) -> None:
        mine = json.dumps(asdict(Owner.current()))
        with self._engine.begin() as db:
            db.execute(LOCKS.delete().where(LOCKS.c.name == name, LOCKS.c.owner == mine))

    def held(self, name: str) -> str | None:
        """The run that holds the lock and is alive, if any."""
        with self._engine.connect() as db:
            row = db.execute(sa.select(LOCKS).where(LOCKS.c.name == name)).first()
        if row is None or row.expires <= time.time() or Owner(**json.loads(row.owner)).gone():
            return None
        return str(row.run)
