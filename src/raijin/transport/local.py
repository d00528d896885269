"""This machine: child processes, and the same `Connection` seam as SSH. The only module that starts a process."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from raijin.errors import AuthenticationFailed, DeadlineExceeded, OperationFailed, ProcessError
from raijin.transport.base import ByteCounter, Completed, LineHandler, TunnelIterator
from raijin.transport.become import become, check_refused
from raijin.transport.delivery import Received, atomic_copy, check_received, receive, send

STREAM_LIMIT = 16 * 1024 * 1024
"""Longest line (bytes) that a child may print; a file diff in base64 is the longest thing that we expect."""


async def run(
    argv: Sequence[str],
    *,
    stdin: bytes | None = None,
    timeout: float | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    check: bool = True,
    on_line: LineHandler | None = None,
    into: Callable[[bytes], None] | None = None,
) -> Completed:
    """Run a program to its end. Raises ProcessError when it is missing or (with `check`) fails,
    DeadlineExceeded after `timeout` seconds (the child is then ended).

    into: takes the standard output as it comes, in place of the result.
    """
    started = time.monotonic()
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **env} if env is not None else None,
            cwd=cwd,
            limit=STREAM_LIMIT,
            # A session of its own, so that ending it ends what it has started too.
            start_new_session=True,
        )
    )
    try:
        # Shielded: a child that was just born when the wait was given up must be known, or it could not be ended.
        child = await asyncio.shield(starting)
    except asyncio.CancelledError:
        with contextlib.suppress(OSError):
            await _end(await starting)
        raise
    except FileNotFoundError as error:
        raise ProcessError(f"{argv[0]} is not installed", remedy=f"install the program {argv[0]}") from error
    try:
        async with asyncio.timeout(timeout):
            stdout, stderr = await _communicate(child, stdin, on_line, into)
    except TimeoutError as error:
        await _end(child)
        raise DeadlineExceeded(f"{argv[0]} did not end within {timeout:g} s", detail=" ".join(argv)) from error
    except asyncio.CancelledError:
        await _end(child)
        raise
    status = child.returncode if child.returncode is not None and child.returncode >= 0 else -1
    result = Completed(status, stdout, stderr, time.monotonic() - started)
    if check and status != 0:
        tail = stderr.strip().splitlines()[-1] if stderr.strip() else "no message"
        raise ProcessError(f"{argv[0]} ended with status {status}: {tail}", detail=f"{' '.join(argv)}\n{stderr}")
    return result


async def _communicate(
    child: asyncio.subprocess.Process,
    data: bytes | None,
    on_line: LineHandler | None,
    into: Callable[[bytes], None] | None,
) -> tuple[str, str]:
    async def feed() -> None:
        if child.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            child.stdin.write(data or b"")
            await child.stdin.drain()
        child.stdin.close()

    async def lines() -> str:
        kept: list[str] = []
        while into is not None and (chunk := await _opened(child.stdout).read(65536)):
            into(chunk)
        async for raw in _opened(child.stdout):
            line = raw.decode(errors="replace")
            kept.append(line)
            if on_line:
                on_line(line.rstrip("\n"))
        return "".join(kept)

    async def errors() -> str:
        return (await _opened(child.stderr).read()).decode(errors="replace")

    _, stdout, stderr = await asyncio.gather(feed(), lines(), errors())
    await child.wait()
    return stdout, stderr


def _opened(stream: asyncio.StreamReader | None) -> asyncio.StreamReader:
    if stream is None:
        raise ProcessError("a child process was started without its pipes")
    return stream


async def _end(child: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    try:
        async with asyncio.timeout(5):
            await child.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        await child.wait()


class LocalConnection:
    """The host is this machine. Root by being root, else by `sudo -n` (or `sudo -S` with a password)."""

    def __init__(self, name: str, *, sudo_password: str | None = None) -> None:
        self.name = name
        self._password = sudo_password

    def _argv(self, argv: list[str], *, root: bool) -> tuple[list[str], bytes]:
        if not root or os.geteuid() == 0:
            return argv, b""
        if shutil.which("sudo") is None:
            raise AuthenticationFailed("sudo is not installed", host=self.name, remedy="run raijin as root")
        return become(argv, password=self._password)

    async def run(
        self, script: str, *, root: bool = True, timeout: float | None = None, on_line: LineHandler | None = None
    ) -> Completed:
        argv, first = self._argv(["sh", "-s"], root=root)
        done = await run(argv, stdin=first + script.encode(), timeout=timeout, check=False, on_line=on_line)
        if argv[0] == "sudo":
            check_refused(done, self.name)
        return done

    async def push(
        self, source: Path, destination: str, *, sha256: str, mode: int = 0o644, progress: ByteCounter | None = None
    ) -> None:
        if os.geteuid() == 0:
            await asyncio.to_thread(atomic_copy, source, Path(destination), sha256, mode, self.name)
        else:
            argv, first = self._argv(receive(destination, sha256, mode), root=True)
            data = await asyncio.to_thread(source.read_bytes)
            done = await run(argv, stdin=first + data, check=False)
            check_refused(done, self.name)
            check_received(done, destination, self.name)
        if progress:
            progress(source.stat().st_size)

    async def pull(self, source: str, destination: Path, *, progress: ByteCounter | None = None) -> None:
        received = Received(destination, progress)
        argv, first = self._argv(send(source), root=True)
        done = await run(argv, stdin=first, check=False, into=received.take)
        if argv[0] == "sudo":
            check_refused(done, self.name)
        await asyncio.to_thread(received.end, done, source, self.name)

    async def read(self, path: str) -> bytes:
        argv, first = self._argv(["base64", path], root=True)
        done = await run(argv, stdin=first, check=False)
        if argv[0] == "sudo":
            check_refused(done, self.name)
        if done.status != 0:
            raise OperationFailed(f"cannot read {path}: {done.stderr.strip()}", host=self.name, detail=done.stderr)
        return base64.b64decode(done.stdout)

    @asynccontextmanager
    async def tunnel(self, host: str, port: int) -> TunnelIterator:
        yield host, port

    async def close(self) -> None:
        return
