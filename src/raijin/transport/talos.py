"""A Talos machine: no shell and no SSH, only its API, spoken to by `talosctl` on this machine.

Sources: `talosctl --help` of v1.12.0, and its source (cmd/talosctl). Keys are handed to it in memory, never on a disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from raijin.errors import AuthenticationFailed, DeadlineExceeded, HostError, HostUnreachable, OperationFailed
from raijin.transport import local
from raijin.transport.base import ByteCounter, Completed, LineHandler
from raijin.transport.private import private_file
from raijin.transport.twin import Inside, Machine

KUBECONFIG = "talosctl kubeconfig"
"""What is read in place of a path to get the administrator's kubeconfig, made for whoever asks."""
SECONDS = 30.0
"""How long a question may take. talosctl itself would wait much longer for a machine that is off."""

_UNREACHABLE = (
    "connection refused", "no route to host", "i/o timeout", "context deadline exceeded", "connection reset",
    "network is unreachable", "code = Unavailable", "no such host",
)  # fmt: skip
_STRANGER = ("x509:", "tls:", "authentication handshake failed", "certificate required", "code = Unauthenticated")


@dataclass
class TalosAccess:
    """The tool, and the keys of one cluster. tool: the verified talosctl; bundle: its secrets, empty when there are
    none yet (then only machines in maintenance mode answer).
    """

    cluster: str
    tool: Callable[[], Awaitable[Path]]
    bundle: Callable[[], str]
    _made: dict[str, str] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self, *arguments: str, text: str | None = None, timeout: float = SECONDS) -> Completed:
        """talosctl with `text` on standard input; a status other than 0 is a result. Raises DeadlineExceeded."""
        tool = await self.tool()
        data = text.encode() if text is not None else None
        return await local.run([str(tool), *arguments], stdin=data, timeout=timeout, check=False)

    async def talosconfig(self) -> str:
        """Credentials of an administrator, made from the bundle, for as long as this process lives; empty: no bundle.

        Raises OperationFailed when the bundle is no bundle.
        """
        bundle = self.bundle()
        if not bundle:
            return ""
        async with self._turn:
            if bundle not in self._made:
                words = ("gen", "config", self.cluster, "https://127.0.0.1:6443", "--with-secrets", "/dev/stdin")
                done = await self.run(*words, "--output-types", "talosconfig", "--output", "-", text=bundle)
                if done.status != 0:
                    raise OperationFailed(
                        f"talosctl could not use the kept secrets of {self.cluster}: {_last(done.stderr)}",
                        remedy="restore RAIJIN_HOME, or the secrets bundle in it, from a backup",
                    )
                self._made = {bundle: done.stdout}
        return self._made[bundle]


@dataclass(frozen=True, slots=True)
class TalosTarget:
    """address: where its API answers, at TCP port 50000. machine: what is there in a rehearsal."""

    name: str
    address: str
    access: TalosAccess
    machine: Machine | None = None


class TalosConnection:
    """The seam of all hosts, as far as a machine without a shell can serve it, and `talosctl` for those who know."""

    def __init__(self, target: TalosTarget) -> None:
        self.name = target.name
        self.address = target.address
        self.access = target.access
        self._machine = target.machine

    async def talosctl(
        self, *arguments: str, maintenance: bool = False, text: str | None = None, timeout: float = SECONDS
    ) -> str:
        """What a command about this machine prints. maintenance: it has no configuration, and knows nobody.

        Raises HostUnreachable, AuthenticationFailed (it is not a machine of this cluster) and OperationFailed.
        """
        node = ("--nodes", self.address)
        credentials = "" if maintenance else await self.access.talosconfig()
        if not maintenance and not credentials:
            raise AuthenticationFailed(
                f"no secrets of {self.access.cluster} are kept here",
                host=self.name,
                remedy="use the RAIJIN_HOME that made the cluster; a new one is made by `raijin apply`",
            )
        try:
            if maintenance:
                done = await self.access.run(*arguments, *node, "--insecure", text=text, timeout=timeout)
            else:
                with private_file(credentials) as path:
                    words = (*arguments, *node, "--endpoints", self.address, "--talosconfig", path)
                    done = await self.access.run(*words, text=text, timeout=timeout)
        except DeadlineExceeded as error:
            raise HostUnreachable(f"no answer within {timeout:g} s", host=self.name, remedy=_LOOK) from error
        if done.status != 0:
            raise _fault(self.name, arguments, done)
        return done.stdout

    async def run(
        self, script: str, *, root: bool = True, timeout: float | None = None, on_line: LineHandler | None = None
    ) -> Completed:
        del script, root, timeout, on_line
        raise OperationFailed("no program can run on it: it is a Talos machine", host=self.name)

    async def push(
        self, source: Path, destination: str, *, sha256: str, mode: int = 0o644, progress: ByteCounter | None = None
    ) -> None:
        del source, destination, sha256, mode, progress
        raise OperationFailed("no file can be put on it: it is a Talos machine", host=self.name)

    async def read(self, path: str) -> bytes:
        words = ("kubeconfig", "--merge=false", "-") if path == KUBECONFIG else ("read", path)
        return (await self.talosctl(*words)).encode()

    async def pull(self, source: str, destination: Path, *, progress: ByteCounter | None = None) -> None:
        del progress
        destination.touch(mode=0o600)
        destination.write_bytes(await self.read(source))

    @asynccontextmanager
    async def tunnel(self, host: str, port: int) -> AsyncIterator[tuple[str, int]]:
        """Its ports are reached as they are: there is no way through the machine."""
        if self._machine is not None:
            await self._machine.reach()
            yield Inside(self._machine.way_to(host, port), port)
            return
        yield (self.address if host in {"127.0.0.1", "localhost"} else host), port

    async def close(self) -> None:
        return


_LOOK = "look whether the machine is on, and whether TCP port 50000 of it is open from here"


def _fault(host: str, arguments: tuple[str, ...], done: Completed) -> HostError:
    text, last = done.stderr, _last(done.stderr)
    if any(word in text for word in _STRANGER):
        return AuthenticationFailed(
            f"it does not know the keys of this cluster: {last}",
            host=host,
            remedy="use the RAIJIN_HOME that made the cluster, or reset the machine",
            detail=text,
        )
    if any(word in text for word in _UNREACHABLE):
        return HostUnreachable(f"the Talos API does not answer: {last}", host=host, remedy=_LOOK, detail=text)
    what = " ".join(word for word in arguments[:2] if not word.startswith(("-", "/")))
    return OperationFailed(
        f"talosctl {what} failed (status {done.status}): {last}",
        host=host,
        remedy="mend what the message says, then resume the run",
        detail=text,
    )


def _last(text: str) -> str:
    """What gRPC wraps, without its wrapping: `rpc error: code = Unavailable desc = connection error: desc = "..."`."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rpartition("desc = ")[2].strip('"') if lines else "no message"
