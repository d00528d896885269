"""Waiting for a condition: it is probed, it has a deadline, and the error says what was waited for and seen last."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from raijin.errors import DeadlineExceeded, RaijinError


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
    deadline = time.monotonic() + timeout
    last = ""
    while True:
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
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
        if time.monotonic() + interval > deadline:
            raise DeadlineExceeded(
                f"{what}: not so after {timeout:g} s; seen last: {last}", host=host, remedy=remedy, detail=last
            )
        await asyncio.sleep(interval)
