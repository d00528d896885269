"""The same commands by a server: each against a real `raijin serve` on simulated hosts, from a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.server.conftest import PATIENCE, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
EXAMPLE = Path(__file__).parents[2] / "examples" / "minimal.yaml"
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("there")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    """A rehearsal of the smallest example, served."""
    definitions, port = folder / "definitions", free_port()
    definitions.mkdir()
    (definitions / "minimal.yaml").write_text(EXAMPLE.read_text())
    argv = [sys.executable, "-m", "raijin", "serve", "--rehearsal", "--no-auth", "--port", str(port)]
    env = {**os.environ, "RAIJIN_HOME": str(folder / "server")}
    log = folder / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen([*argv, "--definitions", str(definitions)], env=env, stdout=stream, stderr=-2)
    address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE
    while not _ready(address):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    yield address
    process.terminate()
    process.wait(PATIENCE)


def _ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:  # noqa: S310  (our own address)
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def command(folder: Path, server: str) -> Command:
    """`raijin`, as somebody types it who has set RAIJIN_SERVER."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "RAIJIN_HOME": str(folder / "mine"), "HOME": str(folder), "RAIJIN_SERVER": server}
        argv = [sys.executable, "-m", "raijin", *arguments]
        return subprocess.run(argv, capture_output=True, text=True, check=False, env=env, cwd=folder)

    return run


@pytest.fixture(scope="module")
def there(command: Command) -> Command:
    """The same about the cluster, which has been made."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return command(*arguments, "--cluster", "minimal")

    made = run("apply", "--yes")
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("done: run ")
    return run


def data(done: subprocess.CompletedProcess[str], code: int = 0) -> Any:
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


LOOKS: list[tuple[tuple[str, ...], str]] = [
    (("status",), "3 of 3 nodes Ready"),
    (("cluster", "status"), "Debian GNU/Linux 13 (rehearsed)"),
    (("cluster", "health"), "ok host-health: n1: it answers"),
    (("cluster", "certificates"), "/etc/kubernetes/pki/ca.crt"),
    (("cluster", "etcd", "members"), "leader"),
    (("worker", "list", "--status"), "w1\t192.0.2.21\tworkers\tWORKER\tReady"),
    (("facts", "w1"), "w1\tDebian GNU/Linux 13 (rehearsed)"),
    (("backup", "list"), "BACKUP\tMADE\tSIZE"),
    (("kubeconfig",), "current-context: minimal"),
    (("artifacts", "list"), "v1.34.2"),
    (("cluster", "utilisation"), "NODE\tCPU"),
    (("plan",), "nothing to do"),
]


@pytest.mark.parametrize(("words", "shown"), LOOKS, ids=[" ".join(words) for words, _ in LOOKS])
def test_what_looks_shows_what_the_server_sees(there: Command, words: tuple[str, ...], shown: str) -> None:
    said = there(*words)
    assert said.returncode == 0, said.stderr
    assert shown in said.stdout


def test_documents_have_the_form_that_they_have_here(there: Command) -> None:
    assert {"cluster", "healthy", "verdict", "findings"} == set(data(there("cluster", "health", "-o", "json")))
    one = data(there("cluster", "health", "--check", "node-readiness", "-o", "json"))
    assert {finding["check"] for finding in one["findings"]} == {"node-readiness"}
    assert [row["name"] for row in data(there("worker", "list", "-o", "json"))] == ["w1", "w2"]
    assert list(data(there("facts", "w2", "-o", "json"))) == ["w2"]
    assert data(there("apply", "--yes", "-o", "json")) == {
        "cluster": "minimal", "changed": False, "declined": False, "run": None, "status": "unchanged", "seconds": 0.0,
        "notes": [],
    }  # fmt: skip


def test_what_is_wrong_ends_as_it_would_here(there: Command, command: Command) -> None:
    assert there("facts", "nobody").returncode == 18
    assert there("cluster", "health", "--check", "no-such-check").returncode == 18
    assert there("worker", "remove", "n1", "--yes").returncode == 4
    assert command("cluster", "status", "--cluster", "nobody").returncode == 18
    assert there("cluster", "backup").returncode == 2, "nobody is there to ask"


def test_workers_leave_and_come(there: Command) -> None:
    gone = there("worker", "remove", "w2", "--yes")
    assert gone.returncode == 0, gone.stderr
    assert "w2 is out of the definition" in gone.stderr
    assert [row["name"] for row in data(there("worker", "list", "-o", "json"))] == ["w1"]
    refused = there("worker", "add", "w9", "--yes")
    assert (refused.returncode, "give its address" in refused.stderr) == (18, True), refused.stderr
    for name, more in (("w2", ()), ("w3", ("--ip", "192.0.2.23"))):
        come = data(there("worker", "add", name, *more, "--yes", "-o", "json"))
        assert (come["changed"], come["status"]) == (True, "done")
    said = there("status")
    assert "4 of 4 nodes Ready" in said.stdout
    assert there("plan", "--exit-code").returncode == 0


def test_an_upgrade_a_backup_and_what_looks_after_a_cluster(there: Command) -> None:
    risen = there("cluster", "upgrade", "--version", "v1.35.4", "--max-unavailable", "2", "--yes")
    assert risen.returncode == 0, risen.stderr
    assert "the definition of minimal says v1.35.4" in risen.stderr
    assert data(there("status", "-o", "json"))["version"] == "v1.35.4"
    for words in (("certificates", "renew"), ("etcd", "defragment"), ("backup",)):
        done = data(there("cluster", *words, "--yes", "-o", "json"))
        assert (done["changed"], done["status"]) == (True, "done"), words
    row, *others = data(there("backup", "list", "-o", "json"))["backups"]
    assert (row["verified"], [copy["target"] for copy in row["copies"]]) == (None, ["local"])
    assert data(there("backup", "delete", row["id"], "--yes", "-o", "json"))["deleted"] == ["local"]
    assert data(there("backup", "list", "-o", "json"))["backups"] == others
    assert there("backup", "delete", row["id"], "--yes").returncode == 18


def test_a_file_of_this_machine_is_planned_with_and_brought_when_it_is_agreed_to(
    there: Command, command: Command, folder: Path
) -> None:
    """Beside what the server has: a Site of its own and a cluster, which need each other."""
    del there  # it has made the other cluster
    mine = folder / "more"
    mine.mkdir()
    (mine / "annex.yaml").write_text("kind: Site\nname: annex\nhosts: [{name: x1, address: 192.0.2.41}]\n")
    text = "# ours\nkind: Cluster\nname: edge\ntype: VANILLA\nversion: v1.34.2\n"
    text += "nodeGroups: [{name: control-plane, role: CONTROL_PLANE, hosts: [x1]}]\n"
    (mine / "edge.yaml").write_text(text)
    checked = command("check", "more")
    assert (checked.returncode, "valid: 1 cluster" in checked.stdout) == (0, True), checked.stderr
    planned = command("plan", "--brief", "-f", "more", "--cluster", "edge")
    assert planned.returncode == 0, planned.stderr
    assert "x1" in planned.stdout
    assert command("cluster", "status", "--cluster", "edge").returncode == 18, "nothing is written"
    assert command("apply", "-f", "more", "--cluster", "edge").returncode == 2, "nobody is there to ask"
    assert command("cluster", "status", "--cluster", "edge").returncode == 18
    done = command("apply", "-f", "more", "--cluster", "edge", "--yes")
    assert done.returncode == 0, done.stderr
    assert "edge.yaml is new on the server" in done.stderr
    assert "1 of 1 nodes Ready" in command("status", "--cluster", "edge").stdout
    again = command("apply", "-f", "more", "--cluster", "edge", "--yes", "-o", "json")
    assert data(again)["status"] == "unchanged"
    assert "the server" not in again.stderr
    (mine / "edge.yaml").write_text(text.replace("hosts: [x1]", "hosts: [w1]"))
    wrong = command("apply", "-f", "more", "--cluster", "edge", "--yes")
    assert (wrong.returncode, "is no host of any Site" in wrong.stderr) == (3, True), wrong.stderr
    (mine / "edge.yaml").write_text(text.replace("# ours", "# mine"))
    noted = command("apply", "-f", "more", "--cluster", "edge", "--yes")
    assert (noted.returncode, "edge.yaml replaces that of the server" in noted.stderr) == (0, True), noted.stderr


def test_hosts_are_reset_and_the_cluster_is_ended(there: Command) -> None:
    only = there("cluster", "etcd", "replace", "n1", "--yes")
    assert (only.returncode, "only member" in only.stderr) == (4, True), only.stderr
    assert there("cluster", "reset", "nobody", "--yes").returncode == 18
    assert data(there("cluster", "reset", "w1", "--yes", "-o", "json"))["status"] == "done"
    assert there("status").returncode == 20, "w1 is no node any more"
    prepared = data(there("worker", "prepare", "w1", "--yes", "-o", "json"))
    assert (prepared["changed"], prepared["status"]) == (True, "done")
    assert data(there("destroy", "--yes", "-o", "json"))["status"] == "done"
    assert "not a node" in there("status").stdout
