"""SSH by asyncssh: one verified connection per host, kept for the whole run. The only module that knows asyncssh.

What was measured (16 hosts on two cores) and is therefore so: curve25519 key exchange before the post-quantum ones (one
eighth of the controller's CPU), AES-GCM, no compression, one connection per host and one execution per phase.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes.util
import os
import shlex
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from raijin.errors import (
    AuthenticationFailed,
    DeadlineExceeded,
    HostError,
    HostKeyMismatch,
    HostUnreachable,
    OperationFailed,
    UsageError,
)
from raijin.transport.base import ByteCounter, Completed, LineHandler, TunnelIterator
from raijin.transport.become import become, check_refused
from raijin.transport.delivery import CHUNK, Received, check_received, receive, send
from raijin.transport.hostkeys import fingerprint, record_first_use

_MISSING: Any = object()


@contextlib.contextmanager
def _without_extras() -> Iterator[None]:
    """Keep asyncssh from looking for what Raijin never offers, which takes a quarter of its import.

    liboqs and nettle, by starting ldconfig, gcc and ld: for key exchanges and MACs that are not in the lists below.
    X.509: OpenSSH does not speak it. asyncssh does without what it does not find.
    """
    search, x509 = ctypes.util.find_library, sys.modules.get("cryptography.x509", _MISSING)
    ctypes.util.find_library = lambda name: None
    sys.modules["cryptography.x509"] = None  # type: ignore[assignment]  # the documented way to forbid an import
    try:
        yield
    finally:
        ctypes.util.find_library = search
        if x509 is _MISSING:
            del sys.modules["cryptography.x509"]
        else:
            sys.modules["cryptography.x509"] = x509


with _without_extras():
    import asyncssh

KEY_EXCHANGE = (
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "diffie-hellman-group14-sha256",
)
CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes128-ctr",
)
KEEPALIVE_SECONDS = 15
KEEPALIVE_MISSES = 4
SESSIONS = 8
"""Executions at the same time on one connection; sshd allows 10 (sshd_config, MaxSessions)."""
STDERR_LIMIT = 256 * 1024
"""Most bytes of standard error that are kept; the tail is what explains a failure."""


@dataclass(frozen=True, slots=True)
class SshTarget:
    """How one host is reached. `known_hosts` are read, `first_use` (if given) may be written; times in seconds."""

    name: str
    address: str
    port: int = 22
    user: str = "root"
    key: Path | None = None
    passphrase: str | None = None
    password: str | None = None
    agent: bool = True
    jump: str | None = None
    known_hosts: tuple[Path, ...] = ()
    host_key: str | None = None
    first_use: Path | None = None
    connect_timeout: float = 15.0
    become: bool = True
    become_password: str | None = None


class _Client(asyncssh.SSHClient):
    """Decides about a host key that no file vouches for, and remembers why it said no."""

    def __init__(self, target: SshTarget, known: asyncssh.SSHKnownHosts) -> None:
        self._target, self._known = target, known
        self.refusal: HostKeyMismatch | None = None

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        target = self._target
        offered = key.export_public_key("openssh").decode()
        trusted = bool(target.host_key) or bool(self._known.match(host, addr, port)[0])
        if not trusted and target.first_use is not None:
            record_first_use(target.first_use, target.address, target.port, offered)
            _known_hosts.cache_clear()
            return True
        self.refusal = refused_key(target, fingerprint(offered), changed=trusted)
        return False


def refused_key(target: SshTarget, offered: str, *, changed: bool) -> HostKeyMismatch:
    """The error for a host that is not who it was, or whom nobody vouches for."""
    if changed:
        message = f"the host key has changed: it offers {offered}, another one is on record"
        remedy = "if the machine was reinstalled, remove its old line from known_hosts; else somebody is in between"
    else:
        message = f"the host key is unknown: it offers {offered}"
        remedy = "compare it with `ssh-keygen -lf` on the host, then add it to known_hosts or as ssh.hostKey"
    return HostKeyMismatch(message, host=target.name, remedy=remedy)


@cache
def _known_hosts(files: tuple[Path, ...]) -> asyncssh.SSHKnownHosts:
    present = [str(path) for path in files if path.is_file()]
    return asyncssh.read_known_hosts(present) if present else asyncssh.import_known_hosts("")


@cache
def _private_key(path: Path, passphrase: str | None) -> asyncssh.SSHKey:
    """Read once for all hosts. Raises UsageError when it is missing, locked or not a key."""
    try:
        return asyncssh.read_private_key(path, passphrase)
    except FileNotFoundError as error:
        raise UsageError(f"the SSH key {path} does not exist", remedy="correct ssh.key or make the key") from error
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, OSError) as error:
        raise UsageError(
            f"the SSH key {path} cannot be used: {error}", remedy="correct ssh.key or ssh.passphrase"
        ) from error


async def connect(target: SshTarget, *, via: SshConnection | None = None) -> SshConnection:
    """Open a verified connection. Raises HostUnreachable, AuthenticationFailed or HostKeyMismatch."""
    known = _known_hosts(target.known_hosts)
    client = _Client(target, known)
    literal = target.host_key.encode() if target.host_key else None
    # asyncssh: an empty tuple means its defaults (the user's keys, the agent), None means none.
    keys: Any = [_private_key(target.key, target.passphrase)] if target.key else (() if target.agent else None)
    try:
        async with asyncio.timeout(target.connect_timeout):
            connection, _ = await asyncssh.create_connection(
                lambda: client,
                target.address,
                target.port,
                username=target.user,
                known_hosts=([literal], [], []) if literal else known,
                client_keys=keys,
                agent_path=() if target.agent and not target.key else None,
                password=target.password,
                tunnel=via.raw if via else (),
                kex_algs=KEY_EXCHANGE,
                encryption_algs=CIPHERS,
                compression_algs=("none",),
                keepalive_interval=KEEPALIVE_SECONDS,
                keepalive_count_max=KEEPALIVE_MISSES,
                config=(),
                preferred_auth=("publickey", "password", "keyboard-interactive"),
            )
    except Exception as error:
        raise _connect_error(error, target, client) from error
    return SshConnection(target, connection)


def _connect_error(error: Exception, target: SshTarget, client: _Client) -> HostError | UsageError:
    where = f"{target.address}:{target.port}"
    known: HostError | UsageError | None = client.refusal
    if isinstance(error, (HostError, UsageError)):
        known = error
    elif isinstance(error, asyncssh.PermissionDenied):
        known = _refused_user(target)
    elif isinstance(error, asyncssh.HostKeyNotVerifiable):
        known = known or refused_key(target, "a key that cannot be verified", changed=True)
    elif isinstance(error, asyncssh.KeyExchangeFailed) and "host key" in str(error).lower():
        known = refused_key(target, "no key of the kind on record", changed=True)
    if known is not None:
        return known
    remedy = "look whether the host is on and sshd is running"
    if isinstance(error, TimeoutError):
        text = f"no answer from {where} within {target.connect_timeout:g} s"
    elif isinstance(error, socket.gaierror):
        text, remedy = f"the name {target.address} is not known here", "give the host an `address`"
    elif isinstance(error, OSError):
        text = f"cannot connect to {where}: {os.strerror(error.errno) if error.errno else error}"
    else:
        text = f"cannot speak SSH with {where}: {error}"
    return HostUnreachable(text, host=target.name, remedy=remedy)


def _refused_user(target: SshTarget) -> AuthenticationFailed:
    ways = " and ".join(way for way, used in (("key", target.key), ("password", target.password)) if used) or "agent"
    return AuthenticationFailed(
        f"SSH refused the user {target.user} (tried: {ways})",
        host=target.name,
        remedy="correct ssh.user and ssh.key, or put the public key into the user's authorized_keys",
    )


class SshConnection:
    """`Connection` over SSH."""

    def __init__(self, target: SshTarget, raw: asyncssh.SSHClientConnection) -> None:
        self.name = target.name
        self.raw = raw
        self._target = target
        self._sessions = asyncio.Semaphore(SESSIONS)

    def _command(self, argv: list[str], *, root: bool) -> tuple[str, bytes, bool]:
        raised = root and self._target.become and self._target.user != "root"
        first = b""
        if raised:
            argv, first = become(argv, password=self._target.become_password)
        return shlex.join(argv), first, raised

    async def _execute(
        self,
        argv: list[str],
        feed: AsyncIterator[bytes],
        *,
        root: bool,
        timeout: float | None,
        on_line: LineHandler | None = None,
        into: Callable[[bytes], None] | None = None,
    ) -> Completed:
        """Run one command with the given standard input; the stream and both outputs are moved at the same time.

        into: takes the standard output as it comes, in place of the result.
        """
        command, first, raised = self._command(argv, root=root)
        started = time.monotonic()
        process: asyncssh.SSHClientProcess[bytes] | None = None
        try:
            async with self._sessions, asyncio.timeout(timeout):
                process = await self.raw.create_process(command, encoding=None)
                stdout, stderr, _ = await asyncio.gather(
                    _collect(process.stdout, on_line, into), _tail(process.stderr), _feed(process.stdin, first, feed)
                )
                await process.wait_closed()
        except TimeoutError as error:
            raise DeadlineExceeded(f"no end after {timeout:g} s", host=self.name, remedy="see why it hangs") from error
        except (asyncssh.Error, OSError) as error:
            raise self._lost(error) from error
        finally:
            if process is not None:
                process.close()
        status = process.exit_status
        if status is None and self.raw.is_closed():
            raise self._lost(None)
        done = Completed(-1 if status is None else status, stdout, stderr, time.monotonic() - started)
        if raised:
            check_refused(done, self.name)
        return done

    def _lost(self, error: Exception | None) -> HostUnreachable:
        reason = f": {error}" if error else ""
        return HostUnreachable(
            f"the connection was lost{reason}", host=self.name, remedy="look at the host, then resume"
        )

    async def run(
        self, script: str, *, root: bool = True, timeout: float | None = None, on_line: LineHandler | None = None
    ) -> Completed:
        return await self._execute(["sh", "-s"], _once(script.encode()), root=root, timeout=timeout, on_line=on_line)

    async def push(
        self, source: Path, destination: str, *, sha256: str, mode: int = 0o644, progress: ByteCounter | None = None
    ) -> None:
        argv = receive(destination, sha256, mode)
        done = await self._execute(argv, _chunks(source, progress), root=True, timeout=None)
        check_received(done, destination, self.name)

    async def pull(self, source: str, destination: Path, *, progress: ByteCounter | None = None) -> None:
        received = Received(destination, progress)
        done = await self._execute(send(source), _once(b""), root=True, timeout=None, into=received.take)
        await asyncio.to_thread(received.end, done, source, self.name)

    async def read(self, path: str) -> bytes:
        command, first, raised = self._command(["cat", "--", path], root=True)
        try:
            async with self._sessions:
                done = await self.raw.run(command, input=first or None, encoding=None)
        except (asyncssh.Error, OSError) as error:
            raise self._lost(error) from error
        if done.exit_status is None and self.raw.is_closed():
            raise self._lost(None)
        output, errors = _bytes(done.stdout), _bytes(done.stderr).decode(errors="replace")
        if done.exit_status != 0:
            if raised:
                check_refused(Completed(done.exit_status or -1, "", errors, 0.0), self.name)
            raise OperationFailed(f"cannot read {path}: {errors.strip()}", host=self.name, detail=errors)
        return output

    @asynccontextmanager
    async def tunnel(self, host: str, port: int) -> TunnelIterator:
        try:
            listener = await self.raw.forward_local_port("127.0.0.1", 0, host, port)
        except (asyncssh.Error, OSError) as error:
            raise self._lost(error) from error
        try:
            yield "127.0.0.1", listener.get_port()
        finally:
            listener.close()

    async def close(self) -> None:
        self.raw.close()
        with contextlib.suppress(asyncssh.Error, OSError):
            await self.raw.wait_closed()


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value or "").encode()


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _chunks(source: Path, progress: ByteCounter | None) -> AsyncIterator[bytes]:
    with source.open("rb") as stream:
        while chunk := await asyncio.to_thread(stream.read, CHUNK):
            yield chunk
            if progress:
                progress(len(chunk))


async def _feed(stdin: asyncssh.SSHWriter[bytes], first: bytes, feed: AsyncIterator[bytes]) -> None:
    # A host that closes early (disk full, sudo refused) says why on its outputs; the broken pipe adds nothing.
    with contextlib.suppress(asyncssh.Error, OSError):
        if first:
            stdin.write(first)
        async for chunk in feed:
            stdin.write(chunk)
            await stdin.drain()
        stdin.write_eof()


async def _collect(
    stream: asyncssh.SSHReader[bytes],
    on_line: Callable[[str], None] | None,
    into: Callable[[bytes], None] | None = None,
) -> str:
    parts: list[bytes] = []
    pending = b""
    while data := await stream.read(65536):
        if into:
            into(data)
            continue
        parts.append(data)
        if on_line:
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                on_line(line.decode(errors="replace"))
    if on_line and pending:
        on_line(pending.decode(errors="replace"))
    return b"".join(parts).decode(errors="replace")


async def _tail(stream: asyncssh.SSHReader[bytes]) -> str:
    kept = b""
    while data := await stream.read(65536):
        kept = (kept + data)[-STDERR_LIMIT:]
    return kept.decode(errors="replace")
