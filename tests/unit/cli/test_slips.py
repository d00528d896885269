"""What somebody meets who is new: each wrong step is answered with what is wrong and with the way on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from raijin.errors import NotFound
from raijin.transport.http import Http, Reply

NOWHERE = "{name: %s, address: 127.0.0.1, ssh: {port: %s, connectTimeout: 2s}}"
"""A host of this machine on a port that nobody listens on."""
DEFINITION = f"""\
kind: Site
hosts:
  - {NOWHERE % ("n1", 1)}
  - {NOWHERE % ("w1", 2)}
---
kind: Cluster
name: lab
type: VANILLA
version: v1.34.2
nodeGroups:
  - {{name: control-plane, role: CONTROL_PLANE, hosts: [n1]}}
  - {{name: workers, role: WORKER, hosts: [w1]}}
"""


@pytest.fixture
def definition(raijin) -> Path:
    path = Path("raijin.yaml").absolute()
    path.write_text(DEFINITION)
    return path


@pytest.mark.parametrize("verb", ["cancel", "resume", "show"])
def test_runs_where_nothing_was_ever_run(raijin, verb: str) -> None:
    said = raijin("run", verb)
    assert said.code == NotFound.exit_code
    assert "nothing was ever run from" in said.err
    assert "`raijin apply` begins a run" in said.err


def test_a_restoration_without_a_backup(raijin, definition: Path) -> None:
    said = raijin("cluster", "restore", "latest", "--yes")
    assert said.code == NotFound.exit_code
    assert "lab has no backup" in said.err
    assert "`raijin cluster backup`" in said.err


def test_a_worker_whose_name_cannot_be_an_address(raijin, definition: Path) -> None:
    said = raijin("worker", "add", "192.0.2.300", "--edit-only")
    assert said.code == 3
    assert "looks like an IP address and is none" in said.err
    assert definition.read_text() == DEFINITION


def test_a_worker_whose_name_nobody_knows(raijin, definition: Path) -> None:
    said = raijin("worker", "add", "w2.nosuch.invalid", "--edit-only")
    assert said.code == 0
    assert "warning: the name w2.nosuch.invalid is not known here" in said.err
    assert "--ip" in said.err


def test_an_upgrade_to_nothing(raijin, definition: Path) -> None:
    said = raijin("cluster", "upgrade", "--yes")
    assert said.code == NotFound.exit_code
    assert "no release is locked that lab (v1.34.2) could be upgraded to" in said.err
    assert "--version" in said.err


def test_a_version_that_is_only_written_down(raijin, definition: Path) -> None:
    said = raijin("cluster", "upgrade", "--version", "v1.35.4", "--edit-only")
    assert said.code == 0
    assert "warning: v1.35.4 is not locked: `raijin artifacts lock`" in said.err
    assert definition.read_text() == DEFINITION.replace("v1.34.2", "v1.35.4")


def test_the_health_of_a_cluster_that_was_never_made(raijin, definition: Path) -> None:
    """It was told that etcd has lost its quorum, and to restore a backup."""
    said = raijin("cluster", "health")
    assert said.code == 20
    assert "nothing was applied from" in said.out
    assert "`raijin apply` makes it" in said.out
    assert "n1: it cannot be reached" in said.out
    assert "restore" not in said.out
    assert "quorum" not in said.out


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_cluster_to_adopt_is_called_by_its_address(raijin, address: str) -> None:
    said = raijin("cluster", "adopt", address, "--port", "1")
    assert said.code == 7
    assert f"error: {address}: cannot connect to" in said.err.replace("\x1b[0m", "")


def answering(status: int, document: dict[str, object]) -> Callable[..., object]:
    async def send(*_: object, **__: object) -> Reply:
        return Reply("", status, {"content-type": "application/json"}, json.dumps(document).encode())

    return send


def test_logging_in_where_nobody_is_asked(raijin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a name and a password are typed for nothing."""
    problem = NotFound("this server asks nobody who they are").problem()
    monkeypatch.setattr(Http, "send", answering(404, problem))
    said = raijin("login", "--server", "http://127.0.0.1:8080")
    assert said.code == 2
    assert "asks nobody who they are, so there is nothing to log in to" in said.err
    assert "Password" not in said.err
