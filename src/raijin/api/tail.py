"""Events as they are written, for any number of listeners: the journal is asked once for all of them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field

from starlette.concurrency import run_in_threadpool

from raijin.observe.events import Event

LOG = logging.getLogger("raijin.api")
POLL_SECONDS = 0.25
QUIET_SECONDS = 15.0
"""After so long without an event a listener is told that the connection lives."""
OVERLAP = 200
"""Numbers that are asked for again: of two that write at the same time, the higher number may be seen first."""
SETTLED_SECONDS = 5.0
"""After so long without an event nobody is still writing one of a lower number: only the newest number is asked for."""
WAITING = 5000
"""Events that a listener may be behind; one that is further behind is disconnected, and comes again by itself."""

Item = tuple[int, Event, str]
"""Number, event, and how it is written on the wire: once, whatever the number of listeners."""


class Seen:
    """Which numbers were there before: the last so many of them."""

    def __init__(self, most: int) -> None:
        self._order: deque[int] = deque()
        self._known: set[int] = set()
        self._most = most

    def add(self, number: int) -> bool:
        """Returns whether it is new."""
        if number in self._known:
            return False
        if len(self._order) >= self._most:
            self._known.discard(self._order.popleft())
        self._order.append(number)
        self._known.add(number)
        return True


@dataclass(slots=True)
class Tail:
    """events_after, last: how the journal is asked. Runs while somebody listens."""

    events_after: Callable[[int], list[tuple[int, Event]]]
    last: Callable[[], int]
    _queues: set[asyncio.Queue[Item | None]] = field(default_factory=set)
    _task: asyncio.Task[None] | None = None

    @property
    def listeners(self) -> int:
        return len(self._queues)

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[AsyncIterator[list[Item]]]:
        """What is written from now on, all that waits at once; an empty list when nothing was for a while."""
        queue: asyncio.Queue[Item | None] = asyncio.Queue(WAITING)
        started = self._begin()
        self._queues.add(queue)
        try:
            await started
            yield self._items(queue)
        finally:
            self._queues.discard(queue)
            if not self._queues and self._task is not None:
                self._task.cancel()
                self._task = None

    @staticmethod
    async def _items(queue: asyncio.Queue[Item | None]) -> AsyncIterator[list[Item]]:
        """Together what waits together: to write to a connection costs more than what is written."""
        while True:
            try:
                waiting = [await asyncio.wait_for(queue.get(), QUIET_SECONDS)]
            except TimeoutError:
                yield []
                continue
            while not queue.empty():
                waiting.append(queue.get_nowait())
            if found := [item for item in waiting if item is not None]:
                yield found
            if None in waiting:
                return

    def _begin(self) -> asyncio.Future[None]:
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._task is None:
            self._task = asyncio.create_task(self._poll(ready))
        else:
            ready.set_result(None)
        return ready

    async def _poll(self, ready: asyncio.Future[None]) -> None:
        try:
            await self._watch(ready)
        except Exception as error:  # noqa: BLE001  (whatever it is, nobody may be left waiting)
            # Listeners come again by themselves, and find out whether the journal can be read by then.
            LOG.warning("the journal cannot be followed: %s", error)
            self._task = None
            if not ready.done():
                ready.set_exception(error)
            for queue in list(self._queues):
                self._drop(queue)

    async def _watch(self, ready: asyncio.Future[None]) -> None:
        newest = await run_in_threadpool(self.last)
        seen = Seen(4 * OVERLAP)
        for number, _ in await run_in_threadpool(self.events_after, newest - OVERLAP):
            seen.add(number)
        if not ready.done():
            ready.set_result(None)
        quiet = 0.0
        while True:
            if quiet > SETTLED_SECONDS and await run_in_threadpool(self.last) <= newest:
                await asyncio.sleep(POLL_SECONDS)
                continue
            fresh = [
                (number, event)
                for number, event in await run_in_threadpool(self.events_after, newest - OVERLAP)
                if seen.add(number)
            ]
            for number, event in fresh:
                newest = max(newest, number)
                self._hand_out(number, event)
            quiet = 0.0 if fresh else quiet + POLL_SECONDS
            # As long as much comes, the next page is waiting already.
            await asyncio.sleep(0 if len(fresh) > OVERLAP else POLL_SECONDS)

    def _hand_out(self, number: int, event: Event) -> None:
        text = as_sse(number, event)
        for queue in list(self._queues):
            if queue.qsize() >= WAITING - 1:
                self._drop(queue)
            else:
                queue.put_nowait((number, event, text))

    def _drop(self, queue: asyncio.Queue[Item | None]) -> None:
        queue.put_nowait(None)
        self._queues.discard(queue)


def as_sse(number: int, event: Event) -> str:
    """One event as the wire wants it (HTML Living Standard, 9.2 Server-sent events)."""
    data = json.dumps(asdict(event) | {"id": number})
    return f"id: {number}\nevent: {event.kind}\ndata: {data}\n\n"
