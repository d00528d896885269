"""The audit trail: who did what, when, from where, on what, with which result. Appended to, never changed.

Each entry carries the hash of the one before it, so that a changed, removed or inserted entry breaks the chain. The
newest hash is also kept in a file beside the database (`audit.head`): cutting off the end is seen too. Whoever can
write both can still write a new trail from the start; compare with an export that was taken away to see that.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from raijin.observe.masking import masked
from raijin.state.dialect import writing
from raijin.state.tables import AUDIT

START = "0" * 64
"""What the first entry has for the hash of the one before it."""
HEAD_FILE = "audit.head"
PAGE = 1000
INCIDENTS = ("access", "host-key", "login", "setup", "token")
"""Actions whose refusal is a security incident."""
CHANGED_FILE = "changed-file"
"""The action of an entry that is one by itself: somebody changed a file on a host that Raijin manages."""

OF_PEOPLE = (
    "login", "logout", "setup", "token", "token-made", "token-revoked", "user-added", "user-changed", "user-removed",
)  # fmt: skip
"""Actions whose target is a user or a token, which may be called as a cluster is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """at: seconds since the epoch. origin: cli, api, schedule. address: where a request came from.

    target: the cluster, user or token that it is about. result: done, failed, refused, begun, or what came of it.
    run, plan: the run and the digest of its plan, where there are. number and the hashes are given when it is appended.
    """

    who: str
    origin: str
    action: str
    target: str = ""
    result: str = "done"
    address: str = ""
    run: str = ""
    plan: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    at: float = field(default_factory=time.time)
    number: int = 0
    previous: str = ""
    hash: str = ""

    def digest(self) -> str:
        """Over every field but the digest itself, in one canonical writing."""
        body = {name: value for name, value in asdict(self).items() if name != "hash"}
        return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    @property
    def incident(self) -> bool:
        return self.action == CHANGED_FILE or (self.action in INCIDENTS and self.result == "refused")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


_INCIDENT = (AUDIT.c.action == CHANGED_FILE) | (AUDIT.c.action.in_(INCIDENTS) & (AUDIT.c.result == "refused"))
"""The same, asked of the database."""


@dataclass(frozen=True, slots=True)
class Verified:
    """count: entries that were read. faults: what is wrong, in words. head: the newest hash."""

    count: int
    faults: tuple[str, ...]
    head: str


class Audit:
    def __init__(self, engine: Engine, home: Path) -> None:
        self._engine, self._head = engine, home / HEAD_FILE

    def append(self, entry: Entry) -> Entry:
        """Write an entry at the end of the chain. What it says is masked first."""
        detail = masked(json.loads(json.dumps(dict(entry.detail), default=str)))
        texts = {name: masked(getattr(entry, name)) for name in ("who", "target", "result", "address")}
        with self._alone(), self._engine.connect() as db:
            writing(db, "audit")
            last = db.execute(AUDIT.select().order_by(AUDIT.c.number.desc()).limit(1)).first()
            number, previous = (last.number + 1, last.hash) if last else (1, START)
            values = asdict(entry) | texts | {"detail": detail, "number": number, "previous": previous}
            whole = Entry(**values)
            whole = Entry(**values | {"hash": whole.digest()})
            db.execute(AUDIT.insert().values(**asdict(whole) | {"detail": json.dumps(detail)}))
            db.commit()
            self._note(whole)
        return whole

    def entries(
        self,
        *,
        after: int = 0,
        before: int = 0,
        limit: int = PAGE,
        newest: bool = False,
        filters: Mapping[str, str] | None = None,
        since: float | None = None,
        until: float | None = None,
        incidents: bool = False,
        cluster: str = "",
    ) -> list[Entry]:
        """In their order, or the newest first. filters: columns and what they must say; since, until: the time.

        incidents: only security incidents. cluster: only what was done to this one, and to no user of its name.
        """
        query = AUDIT.select().order_by(AUDIT.c.number.desc() if newest else AUDIT.c.number).limit(limit)
        conditions = [AUDIT.c[name] == value for name, value in (filters or {}).items() if value]
        conditions += [_INCIDENT] if incidents else []
        conditions += [AUDIT.c.target == cluster, AUDIT.c.action.not_in(OF_PEOPLE)] if cluster else []
        conditions += [AUDIT.c.number > after] if after else []
        conditions += [AUDIT.c.number < before] if before else []
        conditions += [AUDIT.c.at >= since] if since is not None else []
        conditions += [AUDIT.c.at <= until] if until is not None else []
        with self._engine.connect() as db:
            return [_entry(row) for row in db.execute(query.where(*conditions))]

    def all(self, **filters: Any) -> Iterator[Entry]:
        """Every entry, a page at a time."""
        after = 0
        while page := self.entries(after=after, **filters):
            yield from page
            after = page[-1].number

    def count(self) -> tuple[float, float]:
        """Entries, and the security incidents among them."""
        with self._engine.connect() as db:
            every = db.execute(sa.select(sa.func.count()).select_from(AUDIT)).scalar() or 0
            bad = db.execute(sa.select(sa.func.count()).select_from(AUDIT).where(_INCIDENT)).scalar() or 0
        return float(every), float(bad)

    def verify(self) -> Verified:
        """Read the whole chain and compute every hash again."""
        faults: list[str] = []
        number, previous, noted = 0, START, self._noted()
        for entry in self.all():
            if entry.number != number + 1:
                missing = f"{number + 1}" if entry.number == number + 2 else f"{number + 1} to {entry.number - 1}"
                faults.append(f"entry {missing} is missing")
            elif entry.previous != previous:
                faults.append(f"entry {entry.number} does not follow from the one before it")
            if entry.digest() != entry.hash:
                faults.append(f"entry {entry.number} was changed")
            elif noted is not None and noted[0] == entry.number and noted[1] != entry.hash:
                faults.append(f"entry {entry.number} is another one than was written")
            number, previous = entry.number, entry.hash
        # A process that was killed may have left the file behind by one entry, never ahead.
        if noted is not None and noted[0] > number:
            faults.append(f"the end is missing: entry {noted[0]} was written, the last there is has number {number}")
        elif noted is None and number:
            faults.append(f"{self._head.name} is missing: it cannot be said whether the end is there")
        return Verified(number, tuple(faults), previous)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """The file with the newest hash is written in the order of the entries."""
        with self._head.with_name(f"{HEAD_FILE}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _note(self, entry: Entry) -> None:
        temporary = self._head.with_name(f".{self._head.name}.tmp")
        temporary.write_text(f"{entry.number} {entry.hash}\n")
        temporary.chmod(0o600)
        temporary.replace(self._head)

    def _noted(self) -> tuple[int, str] | None:
        try:
            number, _, head = self._head.read_text().strip().partition(" ")
            return int(number), head
        except (OSError, ValueError):
            return None


def _entry(row: sa.Row[Any]) -> Entry:
    data = dict(row._mapping)  # noqa: SLF001  (SQLAlchemy's public name for it)
    return Entry(**data | {"detail": json.loads(data["detail"])})
