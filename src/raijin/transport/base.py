"""What every wire to a host offers: run one script, push one file, read one file, open one tunnel.

The seam is small on purpose: everything that Raijin does on a host is a POSIX sh script on standard input, so that
one execution can carry a whole phase. `ssh`, `local` (and the twin) implement it; nothing above imports them by name
except the pool that chooses between them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

LineHandler = Callable[[str], None]
ByteCounter = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Completed:
    """The result of one execution: exit status (-1: ended by a signal or a lost connection), output, seconds."""

    status: int
    stdout: str
    stderr: str
    seconds: float


class Connection(Protocol):
    """An open way to one host, as the user that the definition names, raised to root where `root` is asked for."""

    name: str

    async def run(
        self,
        script: str,
        *,
        root: bool = True,
        timeout: float | None = None,
        on_line: LineHandler | None = None,
    ) -> Completed:
        """Run `script` with `sh`; `on_line` sees each line of standard output as it arrives.

        Raises HostUnreachable when the connection is lost, AuthenticationFailed when sudo refuses,
        DeadlineExceeded after `timeout` seconds. A non-zero status is a result, not an error.
        """
        ...

    async def push(
        self, source: Path, destination: str, *, sha256: str, mode: int = 0o644, progress: ByteCounter | None = None
    ) -> None:
        """Copy a local file: written beside `destination`, compared with `sha256`, then renamed over it.

        Raises ChecksumMismatch when what arrived differs, OperationFailed when the disk is full or the path is bad.
        """
        ...

    async def read(self, path: str) -> bytes:
        """The content of a file as root. Raises OperationFailed when it cannot be read."""
        ...

    async def pull(self, source: str, destination: Path, *, progress: ByteCounter | None = None) -> None:
        """Copy a file of the host here, as root: compared with its sha256 on the host, mode 0600.

        Raises OperationFailed when it cannot be read, ChecksumMismatch when what arrived differs.
        """
        ...

    def tunnel(self, host: str, port: int) -> AbstractAsyncContextManager[tuple[str, int]]:
        """A local (address, port) whose connections come out of the host towards host:port."""
        ...

    async def close(self) -> None: ...


TunnelIterator = AsyncIterator[tuple[str, int]]
