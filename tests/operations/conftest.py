"""Where the compiled scripts run: in a folder of this machine, or in a whole machine of its own made of namespaces."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import stat
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from raijin.operations.base import Operation, Resolve, unresolved
from raijin.operations.program import Mode, Program
from raijin.operations.report import Report, State, parse_line
from raijin.operations.restore import Restore

SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> list[str]:
    words = SHELLS[request.param]
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed (apt-get install {words[0]})")
    return words


Entry = tuple[str, int, int, int, str, int]


def snapshot(root: Path, *, times: bool = True) -> dict[str, Entry]:
    """Every path below: type, mode, owner, group, content, and the time of files (a folder's follows its content)."""
    found: dict[str, Entry] = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        status = path.lstat()
        content = str(path.readlink()) if path.is_symlink() else ""
        if stat.S_ISREG(status.st_mode):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        mtime = status.st_mtime_ns if times and stat.S_ISREG(status.st_mode) else 0
        kind = stat.filemode(status.st_mode)[0]
        found[name] = (kind, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, content, mtime)
    return found


@dataclass
class Ran:
    """What one execution said: the final report of each operation, in order."""

    reports: list[Report]
    stdout: str
    stderr: str

    @property
    def states(self) -> list[str]:
        return [report.state.value for report in self.reports]

    def one(self) -> Report:
        (report,) = self.reports
        return report


@dataclass
class Host:
    """A folder of this machine that plays a host: `root` for the files, `base` for Raijin's own state."""

    shell: list[str]
    folder: Path
    prefix: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.root.mkdir(exist_ok=True)
        self.tools.mkdir(exist_ok=True)

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def base(self) -> Path:
        return self.folder / "base"

    @property
    def tools(self) -> Path:
        """Programs that come before those of the system."""
        return self.folder / "tools"

    def tree(self, *, times: bool = True) -> dict[str, Entry]:
        return snapshot(self.root, times=times)

    def all(self) -> dict[str, Entry]:
        """The tree and Raijin's own state: what a check must leave alone."""
        return snapshot(self.folder)

    def path(self, name: str) -> str:
        return str(self.root / name)

    def write(self, name: str, content: str | bytes = "", mode: int = 0o644) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        os.utime(path, (1_500_000_000, 1_500_000_000))
        return path

    def tool(self, name: str, script: str) -> None:
        path = self.tools / name
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)

    @staticmethod
    def tarball(files: dict[str, str]) -> bytes:
        """A gzipped tar whose files belong to somebody else; the same bytes for the same files."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size, info.mode, info.uid, info.gid = len(content), 0o755, 1234, 1234
                tar.addfile(info, io.BytesIO(content.encode()))
        return gzip.compress(buffer.getvalue(), mtime=0)

    def stage(self, content: bytes) -> str:
        """Deliver a payload as the transport does; the sha256."""
        digest = hashlib.sha256(content).hexdigest()
        (self.base / "stage").mkdir(parents=True, exist_ok=True)
        (self.base / "stage" / digest).write_bytes(content)
        return digest

    def script(self, *operations: Operation, mode: Mode = Mode.APPLY, resolve: Resolve = unresolved) -> str:
        program = Program("test", "lab", operations)
        return program.compile(mode, run=self.folder.name, resolve=resolve, base=str(self.base), tools=str(self.tools))

    def execute(self, script: str, *, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.prefix, *self.shell], input=script, text=True, capture_output=True, timeout=timeout, check=False
        )

    def run(self, *operations: Operation, mode: Mode = Mode.APPLY, resolve: Resolve = unresolved) -> Ran:
        done = self.execute(self.script(*operations, mode=mode, resolve=resolve))
        reports = [report for line in done.stdout.splitlines() if (report := parse_line(line, operations))]
        final = [report for report in reports if report.state is not State.STARTED]
        return Ran(final, done.stdout, done.stderr)

    def check(self, *operations: Operation, resolve: Resolve = unresolved) -> Ran:
        return self.run(*operations, mode=Mode.CHECK, resolve=resolve)

    def restore(self) -> Report:
        return self.run(Restore()).one()


def _become_root() -> list[str]:
    """Nothing for root; for others a user namespace in which they are root, so that owners can be set."""
    if os.geteuid() == 0:
        return []
    probe = ["unshare", "-r", "true"]
    if shutil.which("unshare") and subprocess.run(probe, capture_output=True, check=False).returncode == 0:
        return ["unshare", "-r"]
    pytest.skip("needs root, or a kernel that lets users make user namespaces")


@pytest.fixture
def host(shell: list[str], tmp_path: Path) -> Host:
    return Host(shell, tmp_path, _become_root())


@pytest.fixture
def host_in(shell: list[str]) -> Callable[[Path], Host]:
    """For a test that needs many hosts."""
    prefix = _become_root()

    def make(folder: Path) -> Host:
        folder.mkdir()
        return Host(shell, folder, prefix)

    return make


_BOOT = r"""
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mkdir /mnt/up /mnt/work /mnt/root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/up,workdir=/mnt/work /mnt/root
cd /mnt/root
mount --rbind /proc proc
mount -t sysfs sysfs sys
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mkdir -p "./$1"
mount --bind "$1" "./$1"
hostname before
echo before >etc/hostname
exec chroot . sh -c 'echo ready; exec sleep 600'
"""


@dataclass
class Machine(Host):
    """A whole machine in namespaces: its own root (an overlay, thrown away), host name, network and mounts."""

    holder: int = 0

    def sh(self, script: str) -> str:
        done = subprocess.run(
            [*self.prefix, "sh", "-eu"], input=script, text=True, capture_output=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def outside(self, script: str) -> str:
        """Run in the namespaces, but with the programs of the real machine."""
        command = ["nsenter", "-t", str(self.holder), "-m", "-u", "-n", "sh", "-eu", "-c", script]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout

    def written(self) -> str:
        """Every change of the machine's files since it was made: what the overlay and the folders in memory hold."""
        return self.outside("ls -AlR --time-style=full-iso /mnt/up /mnt/root/run /mnt/root/tmp | grep -v '^total'")

    def at(self, path: str) -> Path:
        """A path inside, seen from outside."""
        return Path(f"/proc/{self.holder}/root") / path.lstrip("/")


@pytest.fixture
def machine(shell: list[str], tmp_path: Path) -> Iterator[Machine]:
    """Needs root. `tmp_path` is the same folder inside and outside."""
    if os.geteuid() != 0:
        pytest.skip("needs root: it makes a machine of mount, network and host name namespaces")
    command = ["unshare", "-m", "-u", "-n", "sh", "-c", _BOOT, "boot", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stderr is not None
        if holder.stdout.readline() != "ready\n":
            reason = holder.stderr.read().strip()
            pytest.skip(f"this kernel cannot make the namespaces of a test machine: {reason}")
        enter = ["nsenter", "-t", str(holder.pid), "-m", "-u", "-n", "-r", "-w"]
        try:
            yield Machine(shell, tmp_path, enter, holder.pid)
        finally:
            holder.kill()


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait for a condition, ten seconds at most."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, "it did not happen within 10 s"
            time.sleep(0.02)

    return wait
