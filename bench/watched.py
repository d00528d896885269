"""Raijin's command line, with a clock on its wires: how long of a command hosts and clusters were at work.

watched.py REPORT.JSON ARGUMENTS...

The product runs as it is. Around its wires (connecting, commands and files over SSH, requests to API servers) and
around the one place where it waits for a condition, a counter notes when at least one of them is under way. What is
left of the wall time is Raijin's own: its start, the plan, the journal, the pauses between two steps.
"""

from __future__ import annotations

import functools
import json
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from raijin.cli import main as command
from raijin.observe import waiting
from raijin.transport import kube, ssh


class Busy:
    """Seconds in which at least one of several overlapping works was under way, from any thread."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._under_way, self._since, self._lock = 0, 0.0, threading.Lock()

    @contextmanager
    def work(self) -> Iterator[None]:
        with self._lock:
            if self._under_way == 0:
                self._since = time.monotonic()
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1
                if self._under_way == 0:
                    self.seconds += time.monotonic() - self._since

    def around(self, action: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        @functools.wraps(action)
        async def timed(*arguments: Any, **options: Any) -> Any:
            with self.work():
                return await action(*arguments, **options)

        return timed


def watch(busy: Busy) -> None:
    for owner, name in (
        (ssh, "connect"),
        (ssh.SshConnection, "_execute"),
        (ssh.SshConnection, "read"),
        (kube._Named, "handle_async_request"),  # noqa: SLF001
        (waiting._Real, "sleep"),  # noqa: SLF001
    ):
        setattr(owner, name, busy.around(getattr(owner, name)))


def main() -> None:
    report, arguments = Path(sys.argv[1]), sys.argv[2:]
    busy = Busy()
    watch(busy)
    sys.argv = ["raijin", *arguments]
    try:
        command()
    finally:
        report.write_text(json.dumps({"hosts": busy.seconds}))


if __name__ == "__main__":
    main()
