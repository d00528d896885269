"""What a program says while it runs: one JSON line per operation, read into typed reports."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from raijin.operations.base import Operation

_UNIT, _RECORD = "\x1f", "\x1e"


class State(StrEnum):
    """The state of one operation on one host."""

    OK = "ok"
    WOULD_CHANGE = "would-change"
    STARTED = "started"
    CHANGED = "changed"
    REBOOTING = "rebooting"
    FAILED = "failed"
    REFUSED = "refused"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    LOCKED = "locked"

    @property
    def bad(self) -> bool:
        return self in {State.FAILED, State.REFUSED, State.LOCKED}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a thing: what it is, and what it will be (or was, and is now)."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one operation: its place in the program, state, milliseconds, differences, and why it failed."""

    index: int
    state: State
    milliseconds: int
    changes: tuple[FieldChange, ...] = ()
    reason: str = ""
    stderr: str = ""


def to_line(report: Report) -> str:
    """The line that a host writes for a report; `parse_line` reads it back."""
    data: dict[str, object] = {"op": report.index, "state": str(report.state), "ms": report.milliseconds}
    if report.changes:
        parts = ((c.field, f"{c.before}x" if c.field == "content" else c.before, c.after) for c in report.changes)
        data["changes"] = _encoded("".join(_UNIT.join(part) + _RECORD for part in parts))
    for name, text in (("reason", report.reason), ("stderr", report.stderr)):
        if text:
            data[name] = _encoded(text)
    return json.dumps(data, separators=(",", ":"))


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def parse_line(line: str, operations: Sequence[Operation]) -> Report | None:
    """A report from one line of output; None for a line that is not one (a login banner, say)."""
    if not line.startswith('{"op":'):
        return None
    try:
        data = json.loads(line)
        index = int(data["op"])
        operation = operations[index] if 0 <= index < len(operations) else None
        return Report(
            index=index,
            state=State(data["state"]),
            milliseconds=int(data["ms"]),
            changes=_changes(_said(data, "plain", "changes"), operation),
            reason=_said(data, "why", "reason"),
            stderr=_text(data.get("stderr", "")),
        )
    except (ValueError, KeyError, binascii.Error):
        return None


def _said(data: Mapping[str, object], plain: str, encoded: str) -> str:
    """A text that the host sends as it is, or in base64 when JSON could not hold it so."""
    return str(data[plain]) if plain in data else _text(str(data.get(encoded, "")))


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode(errors="replace")


def _changes(text: str, operation: Operation | None) -> tuple[FieldChange, ...]:
    found: list[FieldChange] = []
    for record in text.split(_RECORD):
        field, _, rest = record.partition(_UNIT)
        if not field:
            continue
        before, _, after = rest.partition(_UNIT)
        wanted = operation.desired(field) if operation else None
        if field == "content":
            # The host guards a trailing newline with one more character, which `$(...)` would have eaten.
            before = before.removesuffix("x")
        found.append(FieldChange(field, before, after if wanted is None else wanted))
    return tuple(found)
