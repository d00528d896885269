"""What a check says of one thing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum


class Grade(StrEnum):
    """UNKNOWN: it could not be looked at, which is not well either. WARNING: well now, and to be looked after."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def bad(self) -> bool:
        return self in {Grade.FAILED, Grade.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Finding:
    """check: its name. subject: the host, node, pod or part that it is about. remedy: what a person does about it."""

    check: str
    subject: str
    grade: Grade
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.subject}: {self.text}"

    def to_json(self) -> dict[str, str]:
        return {name: str(value) for name, value in asdict(self).items()}


def faults(findings: Iterable[Finding]) -> list[Finding]:
    """Those that keep a cluster from being well."""
    return [finding for finding in findings if finding.grade.bad]


def few(names: Iterable[str], most: int = 5) -> str:
    """The first of many names, and how many more there are."""
    known = list(names)
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return ", ".join(known[:most]) + more
