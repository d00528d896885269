"""A real PostgreSQL on a port of its own, and runners as processes of their own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 400.0
"""Seconds that anything may take on a busy machine."""


def binaries() -> Path | None:
    """The newest server that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]))
    return found[-1].parent if found else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _demoted() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a server without databases of ours: `postgresql://postgres@127.0.0.1:PORT`."""
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    # Not below pytest's own folder, which another session makes private again while we work.
    folder = Path(tempfile.mkdtemp(prefix="raijin-postgres-"))
    who, port = _demoted(), free_port()
    if who:
        os.chown(folder, who["user"], who["group"])
    init = [programs / "initdb", "-D", folder / "data", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8"]
    subprocess.run(init, check=True, capture_output=True, cwd=folder, **who)
    options = ["-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
    with (folder / "log").open("wb") as log:
        argv = [programs / "postgres", "-D", folder / "data", *options]
        server = subprocess.Popen(argv, cwd=folder, stderr=log, **who)
    try:
        deadline = time.monotonic() + PATIENCE
        asking = [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(port)]
        while subprocess.run(asking, capture_output=True, check=False).returncode:
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, "PostgreSQL did not start"
            time.sleep(0.1)
        yield f"postgresql://postgres@127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(PATIENCE)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database_url(postgres: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A fresh database, named in the environment."""
    import psycopg

    name = f"raijin_{abs(hash(request.node.nodeid)) % 10**9}"
    with psycopg.connect(f"{postgres}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
    url = f"{postgres}/{name}"
    monkeypatch.setenv("RAIJIN_DATABASE_URL", url)
    return url


@pytest.fixture
def free() -> Callable[[], int]:
    """Ports that nobody listens on."""
    return free_port


@dataclass
class Node:
    """A runner: a process that takes runs."""

    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)

    @property
    def pid(self) -> int:
        return self.process.pid


@dataclass
class Nodes:
    folder: Path
    home: Path
    running: list[Node] = field(default_factory=list)

    def start(self, *arguments: str, **environment: str) -> Node:
        number = len(self.running)
        log = self.folder / f"node{number}.log"
        env = {**os.environ, "RAIJIN_HOME": str(self.home), "WORK": str(self.folder), **environment}
        program = Path(__file__).with_name("node.py")
        with log.open("wb") as stream:
            process = subprocess.Popen([sys.executable, program, *arguments], env=env, stdout=stream, stderr=-2)
        node = Node(process, log)
        self.running.append(node)
        return node

    def wait(self, what: str, holds: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE
        while not (found := holds()):
            assert time.monotonic() < deadline, f"{what}: not so; {self.said()}"
            time.sleep(0.1)
        return found

    def said(self) -> str:
        return "\n".join(node.log.read_text()[-3000:] for node in self.running)

    def lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def nodes(tmp_path: Path, home: Path) -> Iterator[Nodes]:
    made = Nodes(tmp_path, home)
    yield made
    for node in made.running:
        if node.process.poll() is None:
            node.kill()
