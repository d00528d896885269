"""Keeping the audit trail: entries of commands and requests alike, and what the trail says as a report."""

from __future__ import annotations

import csv
import getpass
import io
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raijin.errors import HostKeyMismatch, RaijinError, UsageError

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine as Database

    from raijin.app.session import Session
    from raijin.plan.model import Plan
    from raijin.state.audit import Audit, Entry

COLUMNS = ("number", "at", "who", "origin", "address", "action", "target", "result", "run", "plan", "detail", "hash")


def me() -> str:
    """Who types this command."""
    try:
        return getpass.getuser()
    except OSError:
        return "unknown"


def trail(home: Path, database: Database | None = None) -> Audit:
    from raijin.state.audit import Audit  # noqa: PLC0415
    from raijin.state.database import open_database  # noqa: PLC0415

    return Audit(database or open_database(home), home)


def moment(text: str | None) -> float | None:
    """A time as people write it, in UTC: `2026-11-27` or `2026-11-27T15:00`. Raises UsageError."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text} is no time", remedy="write it as in 2026-11-27 or 2026-11-27T15:00") from error
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def note(session: Session, action: str, result: str, **more: Any) -> Entry:
    """An entry about the session's cluster, by whoever the session is for."""
    from raijin.state.audit import Entry  # noqa: PLC0415

    who, origin, address = session.actor or (me(), "cli", "")
    target = str(more.pop("target", "") or session.cluster_name or session.cluster.name)
    entry = Entry(who, origin, action, target, result, address, **more)
    return trail(session.home, session.database).append(entry)


def outcome(session: Session, verb: str, plan: Plan, error: BaseException | None, run: str = "") -> None:
    """How a run ended."""
    problem = error.problem() if isinstance(error, RaijinError) else {"detail": repr(error)} if error else {}
    detail = {"steps": len(plan.steps), "hosts": list(plan.hosts), **({"error": problem} if problem else {})}
    note(session, verb, "failed" if error else "done", run=run, plan=plan.digest, detail=detail)


def refused_key(session: Session, error: RaijinError) -> None:
    """A host that is not who it was: somebody may be in between."""
    if isinstance(error, HostKeyMismatch):
        note(session, "host-key", "refused", detail={"host": error.host or "", "message": error.message})


def written(entries: Iterable[Entry], form: str) -> Iterator[str]:
    """Lines of jsonl, csv or a report for people."""
    if form == "jsonl":
        for entry in entries:
            yield json.dumps(entry.to_json(), sort_keys=True)
    elif form == "csv":
        yield _row(COLUMNS)
        for entry in entries:
            data = entry.to_json() | {"at": clock(entry.at), "detail": json.dumps(entry.detail, sort_keys=True)}
            yield _row([str(data[name]) for name in COLUMNS])
    else:
        yield from report(list(entries))


def _row(values: Iterable[str]) -> str:
    """A spreadsheet must not take a value for a formula."""
    stream = io.StringIO()
    csv.writer(stream).writerow([f"'{v}" if v[:1] in "=+-@\t\r" else v for v in values])
    return stream.getvalue().rstrip("\r\n")


def report(entries: list[Entry]) -> Iterator[str]:
    """What happened in the time, for those who have to answer for it."""
    yield "# Audit report"
    yield ""
    if not entries:
        yield "Nothing was recorded in this time."
        return
    yield f"From {clock(entries[0].at)} to {clock(entries[-1].at)}: {len(entries)} entries, up to number "
    yield f"{entries[-1].number} with the hash `{entries[-1].hash}`."
    for title, counts in (
        ("Actions", Counter((e.action, e.result) for e in entries)),
        ("People", Counter((e.who, e.origin) for e in entries)),
    ):
        yield from ("", f"## {title}", "", f"| {title.lower()} | | count |", "|---|---|---|")
        yield from (f"| {first} | {second} | {count} |" for (first, second), count in sorted(counts.items()))
    changes = [e for e in entries if e.plan]
    yield from ("", "## Changes of clusters", "", "| time | who | what | cluster | result | run | plan |")
    yield "|---|---|---|---|---|---|---|"
    for e in changes:
        yield f"| {clock(e.at)} | {e.who} | {e.action} | {e.target} | {e.result} | {e.run} | {e.plan[:12]} |"
    incidents = [e for e in entries if e.incident]
    yield from ("", "## Security incidents", "")
    yield from (f"- {clock(e.at)} {e.action} of {e.who or 'somebody'} from {e.address or e.origin}: {_why(e.detail)}"
                for e in incidents)  # fmt: skip
    if not incidents:
        yield "None."


def _why(detail: Mapping[str, Any]) -> str:
    return str(detail.get("message") or detail.get("reason") or detail)


def clock(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
