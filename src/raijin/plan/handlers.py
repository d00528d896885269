"""The seam between a Call, which is data, and the code that carries it out: handlers by name, and what they get."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from raijin.observe.waiting import until
from raijin.plan.model import Json

if TYPE_CHECKING:
    from raijin.state.members import Members
    from raijin.state.secrets import SecretStore
    from raijin.transport.pool import Pool


@dataclass(frozen=True, slots=True)
class CallContext:
    """What a handler may use. `say` tells people what is going on; `timeout` is the step's deadline in seconds.

    locate: from a sha256 to the verified file on this machine.
    """

    cluster: str
    target: str
    arguments: Mapping[str, Json]
    pool: Pool
    secrets: SecretStore
    members: Members
    timeout: float
    say: Callable[[str], None]
    locate: Callable[[str], Awaitable[Path]]

    def text(self, name: str) -> str:
        return str(self.arguments[name])

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.arguments.get(name) or []
        return tuple(str(item) for item in value) if isinstance(value, list) else (str(value),)

    async def until(
        self,
        what: str,
        probe: Callable[[], Awaitable[str]],
        *,
        interval: float = 0.5,
        host: str | None = None,
        remedy: str | None = None,
    ) -> None:
        """Wait as `observe.waiting.until` does: until the step's deadline, and people hear each new reason."""
        await until(what, probe, timeout=self.timeout, interval=interval, host=host, remedy=remedy, on_wait=self.say)


Handler = Callable[[CallContext], Awaitable[None]]
Handlers = Mapping[str, Handler]
