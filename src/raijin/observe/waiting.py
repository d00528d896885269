"""Waiting for a condition: it is probed, it has a deadline, and the error says what was waited for and seen last."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from raijin.errors import DeadlineExceeded, RaijinError


class Clock(Protocol):
    """Time, as waits see it: `now` in seconds, and how long until the next probe."""

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class _Real:
    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Hurried:
    """The clock of a rehearsal, one per wait: nobody waits, and the deadline comes after as many probes as fit.

    A simulated cluster does at once what it will do at all, so the pauses grow: a wait that is in vain costs some
    dozens of probes, whatever its deadline is.
    """

    def __init__(self) -> None:
        self._elapsed = 0.0

    def now(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        self._elapsed += max(seconds, self._elapsed / 10)
        await asyncio.sleep(0)


_clocks: list[Callable[[], Clock]] = [_Real]


@contextmanager
def hurried() -> Iterator[None]:
    """Within it, all waits of this process go by the clock of a rehearsal."""
    _clocks.append(Hurried)
    try:
        yield
    finally:
        _clocks.remove(Hurried)


async def until(
    what: str,
    probe: Callable[[], Awaitable[str]],
    *,
    timeout: float,
    interval: float = 0.5,
    host: str | None = None,
    remedy: str | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> None:
    """Probe until the condition holds.

    `probe` returns an empty text when it does, else why not yet; a transient error of ours counts as not yet, any other
    ends the wait at once; a probe that hangs ends with the deadline. `on_wait` hears each new reason.
    Raises DeadlineExceeded after `timeout` seconds.
    """
    clock = _clocks[-1]()
    deadline = clock.now() + timeout
    last = ""
    while True:
        try:
            async with asyncio.timeout(max(0.0, deadline - clock.now())):
                reason = await probe()
        except TimeoutError:
            reason = "the probe gave no answer"
        except RaijinError as error:
            if not error.transient:
                raise
            reason = str(error)
        if not reason:
            return
        if reason != last and on_wait:
            on_wait(f"waiting for {what}: {reason}")
        last = reason
        if clock.now() + interval > deadline:
            raise DeadlineExceeded(
                f"{what}: not so after {timeout:g} s; seen last: {last}", host=host, remedy=remedy, detail=last
            )
        await clock.sleep(interval)
