"""The engine of a server: a thread with a loop of its own, so that planning never keeps a request waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from raijin.errors import StateError

if TYPE_CHECKING:
    from raijin.engine.works import Works

T = TypeVar("T")
START_SECONDS = 120.0
DRAIN_SECONDS = 5.0
"""How long the end of a server waits for runs in hand. What is not done by then is gone on with by the next runner."""


@dataclass(slots=True)
class Background:
    """works: entered on the loop of the thread between `start` and `stop`; None for a server that only looks."""

    works: Works | None
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None
    _ready: threading.Event = field(default_factory=threading.Event)
    _over: asyncio.Event | None = None
    _error: BaseException | None = None

    def start(self) -> None:
        """Raises what the works raise when they begin."""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="raijin-works", daemon=True)
        self._thread.start()
        if not self._ready.wait(START_SECONDS):
            raise StateError("the engine did not start in time", remedy="look at the load of this machine")
        if self._error is not None:
            raise self._error

    def stop(self) -> bool:
        """Take nothing more, wait a moment for runs in hand. False: some go on, and are left to the next runner."""
        if self._loop is None or self._over is None or self._thread is None:
            return True
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(DRAIN_SECONDS + START_SECONDS)
        return self.works is None or not self.works.tasks

    def begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start something on the loop of the engine."""
        if self._loop is None:
            work.close()
            raise StateError("the engine of this server is not running", remedy="start the server again")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def wait(self, work: Coroutine[Any, Any, T], seconds: float = 30.0) -> T:
        """The result, for threads that are no event loop."""
        return self.begin(work).result(seconds)

    async def result(self, work: Coroutine[Any, Any, T]) -> T:
        """The result, for another event loop."""
        return await asyncio.wrap_future(self.begin(work))

    async def _main(self) -> None:
        self._over = asyncio.Event()
        try:
            if self.works is None:
                await self._serve()
                return
            async with self.works as works:
                await self._serve()
                if works.tasks:
                    await asyncio.wait(works.tasks, timeout=DRAIN_SECONDS)
        except BaseException as error:
            self._error = error
            if self._ready.is_set():
                raise
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        if self._over is not None:
            await self._over.wait()
