"""A private sshd on loopback: its own host key, its own authorized_keys, an unprivileged port, gone after the tests."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from raijin.transport import ssh
from raijin.transport.ssh import SshConnection, SshTarget

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
DIE_WITH_US = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()
ROOT = os.geteuid() == 0
ME = pwd.getpwuid(os.geteuid()).pw_name


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.ssh)
            if SSHD is None or shutil.which("ssh-keygen") is None:
                item.add_marker(pytest.mark.skip(reason="sshd is not installed (apt-get install openssh-server)"))


def keygen(path: Path, passphrase: str = "") -> str:
    """A fresh ed25519 key; returns its public line."""
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", str(path))
    return path.with_name(f"{path.name}.pub").read_text().strip()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def run(*argv: str, text: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, input=text, capture_output=True, text=True, check=check)


@dataclass
class Sshd:
    """One daemon. `public` is its host key; `key` logs in as every user of this machine that may log in."""

    folder: Path
    port: int
    key: Path
    settings: dict[str, str] = field(default_factory=dict)
    public: str = ""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        host_key = self.folder / "host_key"
        if not host_key.exists():
            self.public = keygen(host_key)
        settings = {
            "Port": str(self.port),
            "ListenAddress": "127.0.0.1",
            "HostKey": str(host_key),
            "PidFile": "none",
            "AuthorizedKeysFile": str(self.key.with_name("authorized_keys")),
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "PermitRootLogin": "yes",
            "LogLevel": "VERBOSE",
            **self.settings,
        }
        config = self.folder / "sshd_config"
        config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        log = self.folder / "log"
        assert SSHD
        argv = [*DIE_WITH_US, SSHD, "-D", "-e", "-f", str(config)]
        with log.open("ab") as sink:
            self.process = subprocess.Popen(argv, stderr=sink, start_new_session=True)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert self.process.poll() is None, log.read_text()
                time.sleep(0.01)
            else:
                return
        raise AssertionError(log.read_text())

    def stop(self) -> None:
        if self.process is None:
            return
        for child in children_of(self.process.pid):
            end(child)
        self.process.terminate()
        self.process.wait(10)
        self.process = None

    def change_host_key(self) -> None:
        """The machine was reinstalled, or is another one."""
        self.stop()
        for path in self.folder.glob("host_key*"):
            path.unlink()
        self.start()

    def known_hosts(self, path: Path, public: str | None = None) -> tuple[Path, ...]:
        path.write_text(f"[127.0.0.1]:{self.port} {public or self.public}\n")
        return (path,)

    def target(self, **changes: object) -> SshTarget:
        values: dict[str, object] = {
            "name": "alpha",
            "address": "127.0.0.1",
            "port": self.port,
            "user": ME,
            "key": self.key,
            "agent": False,
            "host_key": self.public,
            "become": False,
        }
        return SshTarget(**{**values, **changes})  # type: ignore[arg-type]


def children_of(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def end(pid: int) -> None:
    """End a process of our daemon and what it started."""
    for child in children_of(pid):
        end(child)
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@pytest.fixture(scope="session")
def ground() -> Iterator[Path]:
    """A folder that other users may enter (sshd reads authorized_keys as the user who logs in)."""
    if ROOT and not (made := Path("/run/sshd")).exists():
        made.mkdir(mode=0o755)
    folder = Path(tempfile.mkdtemp(prefix="raijin-ssh-"))
    folder.chmod(0o755)
    public = keygen(folder / "key")
    (folder / "authorized_keys").write_text(f"{public}\n")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def make_sshd(ground: Path) -> Iterator[Callable[..., Sshd]]:
    made: list[Sshd] = []

    def make(**settings: str) -> Sshd:
        daemon = Sshd(ground / f"sshd-{len(made)}", free_port(), ground / "key", settings)
        made.append(daemon)
        daemon.start()
        return daemon

    yield make
    for daemon in made:
        daemon.stop()


@pytest.fixture(scope="session")
def shared_sshd(make_sshd: Callable[..., Sshd]) -> Sshd:
    return make_sshd(PasswordAuthentication="yes")


@pytest.fixture
def sshd(shared_sshd: Sshd) -> Sshd:
    """For tests that leave the daemon as it was."""
    return shared_sshd


@pytest.fixture
def connected(sshd: Sshd) -> Callable[..., object]:
    """`async with connected(**changes) as connection`."""

    @asynccontextmanager
    async def connect(daemon: Sshd | None = None, **changes: object) -> AsyncIterator[SshConnection]:
        connection = await ssh.connect((daemon or sshd).target(**changes))
        try:
            yield connection
        finally:
            await connection.close()

    return connect


@pytest.fixture
def new_key(tmp_path: Path) -> Callable[..., Path]:
    """A private key that no host knows."""

    def make(passphrase: str = "") -> Path:
        keygen(tmp_path / "new-key", passphrase)
        return tmp_path / "new-key"

    return make


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    if not ROOT:
        pytest.skip("needs root, to mount a small disk")
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder), check=False)
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small disk here: {mounted.stderr.strip()}")
    yield folder
    run("umount", str(folder))


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
async def listen() -> AsyncIterator[Callable[[Handler], Awaitable[int]]]:
    """A TCP service on loopback; gives its port."""
    servers: list[asyncio.Server] = []
    writers: list[asyncio.StreamWriter] = []

    async def start(handler: Handler) -> int:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            with contextlib.suppress(OSError):
                await handler(reader, writer)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()
    for writer in writers:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@pytest.fixture(autouse=True)
async def fresh_trust() -> AsyncIterator[None]:
    """What one test trusted, the next does not; refused connections close in the loop's next turns."""
    yield
    await asyncio.sleep(0.02)
    for cached in (getattr(ssh, "_known_hosts", None), getattr(ssh, "_private_key", None)):
        if hasattr(cached, "cache_clear"):
            cached.cache_clear()


@dataclass(frozen=True)
class SudoUsers:
    """Temporary users of this machine and what sudo lets them do."""

    password: str
    with_password: str
    without_asking: str
    forbidden: str


@pytest.fixture(scope="session")
def sudo_users(ground: Path) -> Iterator[SudoUsers]:
    if not ROOT:
        pytest.skip("needs root, to make temporary users")
    if shutil.which("sudo") is None:
        pytest.skip("sudo is not installed (apt-get install sudo)")
    forget_dead_testers()
    tag = str(os.getpid())
    password = f"pa ss'\"$(id)-{secrets.token_hex(6)}"
    users = SudoUsers(password, f"raijin-p-{tag}", f"raijin-n-{tag}", f"raijin-x-{tag}")
    names = (users.with_password, users.without_asking, users.forbidden)
    rights = Path("/etc/sudoers.d") / f"raijin-test-{tag}"
    try:
        for name in names:
            home = ground / name
            run("useradd", "--no-create-home", "--home-dir", str(home), "--shell", "/bin/sh", name)
            home.mkdir()
            shutil.chown(home, name)
            run("chpasswd", text=f"{name}:{password}\n")
        rights.write_text(f"{users.with_password} ALL=(ALL) ALL\n{users.without_asking} ALL=(ALL) NOPASSWD: ALL\n")
        rights.chmod(0o440)
        yield users
    finally:
        forget(tag)


def forget(tag: str) -> None:
    """Take back the users of a test process and what sudo kept of them."""
    (Path("/etc/sudoers.d") / f"raijin-test-{tag}").unlink(missing_ok=True)
    for kind in "pnx":
        name = f"raijin-{kind}-{tag}"
        run("userdel", name, check=False)
        for place in ("/run/sudo/ts", "/var/lib/sudo/lectured"):
            (Path(place) / name).unlink(missing_ok=True)


def forget_dead_testers() -> None:
    """What a killed test process could not take back."""
    for rights in Path("/etc/sudoers.d").glob("raijin-test-*"):
        tag = rights.name.removeprefix("raijin-test-")
        if not Path("/proc", tag).exists():
            forget(tag)
