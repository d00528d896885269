"""What is done while hosts answer: the definition is read, and what plans and runs is imported.

To import takes this machine as long as the hosts need for their answers. Before it asks, a command therefore imports
only what it asks with, and everything else in a thread beside the connections.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from raijin.app.session import Session
from raijin.app.verbs import VERBS

if TYPE_CHECKING:
    from raijin.app.asking import Ahead
    from raijin.engine.service import Engine
    from raijin.state.member import Member
    from raijin.transport.pool import Pool

PLANNING = ("raijin.app.planning", "raijin.plan.build")
CARRYING_OUT = ("raijin.engine.service", "raijin.engine.durable", "raijin.platforms.calls")

REHEARSED_PAUSE = 0.01
"""Seconds before a step is tried again on simulated hosts, which keep a clock of their own."""

SWITCH_SECONDS = 0.0005
"""How long the thread that imports keeps the connections waiting; Python's own 5 ms would be felt in each exchange."""


def engine_of(session: Session) -> Engine:
    """The engine with everything that plans of the session's cluster may call."""
    from raijin.app import making  # noqa: PLC0415
    from raijin.app.keeping import handlers_of  # noqa: PLC0415
    from raijin.engine.service import Engine  # noqa: PLC0415
    from raijin.platforms import calls, platform_of  # noqa: PLC0415
    from raijin.validation.calls import HANDLERS  # noqa: PLC0415

    own = {**handlers_of(session), **making.handlers_of(session)}
    handlers = {**calls.HANDLERS, **HANDLERS, **platform_of(session.cluster).handlers, **own}
    pause = REHEARSED_PAUSE if session.twin is not None else None
    return Engine(session.home, session.database, handlers, session.events, session.durable, pause)


@asynccontextmanager
async def reached(session: Session, verb: str, ahead: Ahead | None) -> AsyncIterator[Pool]:
    """Connections on their way to every host, and by then all that a plan is made with. Raises DefinitionError."""
    # The definition says who the hosts are; those that are asked ahead do not wait for it.
    await _in_thread(lambda: session.cluster, at_once=ahead is None)
    from raijin.app.reaching import departed_hosts, members_of, open_pool, wanted_hosts  # noqa: PLC0415

    members = members_of(session)
    departing = [host for host, _ in departed_hosts(session, members)]
    async with open_pool(session, departing, ahead) as pool:
        pool.expect(host.name for host, _ in wanted_hosts(session) if not _left_alone(members.get(host.name)))
        stages = VERBS[verb].stages.partition(":")[0]
        await _in_thread(lambda: [import_module(name) for name in (*PLANNING, stages)])
        yield pool


def _left_alone(member: Member | None) -> bool:
    return member is not None and member.quarantine is not None


async def _in_thread(work: Callable[[], object], *, at_once: bool = False) -> None:
    """Do it while connections go on. at_once: there are none yet."""
    if at_once:
        work()
    else:
        await asyncio.to_thread(work)


@contextmanager
def switching_often() -> Iterator[None]:
    """Let the connections of this thread go on although another one computes."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


class Coming:
    """The engine, which is imported while hosts answer and a person reads the plan."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._loading: asyncio.Task[None] | None = None

    def expect(self) -> None:
        if self._loading is None:
            self._loading = asyncio.create_task(_in_thread(lambda: [import_module(name) for name in CARRYING_OUT]))

    async def come(self) -> Engine:
        self.expect()
        if self._loading is not None:
            await self._loading
        return engine_of(self._session)
