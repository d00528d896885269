"""The name of a backup says of which cluster it is and when it was made, so that a bare folder can be read."""

from __future__ import annotations

import datetime as dt
import re

from raijin.backups.archive import ENDING, PLAIN
from raijin.errors import UsageError

_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(rf"(?P<cluster>.+)-(?P<stamp>\d{{8}}T\d{{6}}Z)({re.escape(PLAIN)}|{re.escape(ENDING)})")


def new_id(cluster: str, now: float) -> str:
    """`prod-20261127T150000Z`."""
    return f"{cluster}-{dt.datetime.fromtimestamp(now, dt.UTC).strftime(_STAMP)}"


def file_name(backup: str) -> str:
    return f"{backup}{ENDING}"


def parse_name(name: str) -> tuple[str, float] | None:
    """Cluster and time (seconds since the epoch) of a file name; None when it is no backup's."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        made = dt.datetime.strptime(found["stamp"], _STAMP).replace(tzinfo=dt.UTC)
    except ValueError:
        return None
    return found["cluster"], made.timestamp()


def parse_time(text: str) -> float:
    """A point in time as people write it: `2026-11-27 15:00` (local time) or with a zone, as in ISO 8601.

    Raises UsageError.
    """
    try:
        return dt.datetime.fromisoformat(text.strip()).astimezone().timestamp()
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not a point in time", remedy="write it as in '2026-11-27 15:00' or 2026-11-27T15:00:00Z"
        ) from error
