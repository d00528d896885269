"""What is known of backups beside their files: what is in them, and whether one was ever restored to try it."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

from sqlalchemy.engine import Engine

from raijin.state.dialect import upsert
from raijin.state.tables import BACKUPS


@dataclass(frozen=True, slots=True)
class BackupRecord:
    """host: whose member the snapshot is of. created and verified: seconds since the epoch; sha256: of the file.

    verified is None when nobody has tried it; fault says what came of a try that failed; keys: how many etcd held.
    """

    id: str
    cluster: str
    version: str
    host: str
    created: float
    sha256: str
    verified: float | None = None
    keys: int | None = None
    fault: str | None = None


class Backups:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, backup: BackupRecord) -> None:
        with self._engine.begin() as db:
            upsert(db, BACKUPS, [asdict(backup)], keys=("id",))

    def tried(self, backup: str, *, keys: int | None, fault: str | None = None) -> None:
        """Note that a backup was restored to try it, and what came of it."""
        with self._engine.begin() as db:
            query = BACKUPS.update().where(BACKUPS.c.id == backup)
            db.execute(query.values(verified=time.time(), keys=keys, fault=fault))

    def forget(self, backup: str) -> None:
        with self._engine.begin() as db:
            db.execute(BACKUPS.delete().where(BACKUPS.c.id == backup))

    def of(self, cluster: str) -> dict[str, BackupRecord]:
        """By id, the oldest first."""
        with self._engine.connect() as db:
            rows = db.execute(BACKUPS.select().where(BACKUPS.c.cluster == cluster).order_by(BACKUPS.c.created))
            return {row.id: BackupRecord(**row._mapping) for row in rows}  # noqa: SLF001  (its documented name)
