"""The command line drives a server: real HTTP, real engine, real journal; logged in, planned, agreed to, followed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
PASSWORD = "correct horse battery"


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`raijin` with a RAIJIN_HOME of its own, as on another machine."""

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "RAIJIN_HOME": str(tmp_path / "elsewhere"), "HOME": str(tmp_path)}
        argv = [sys.executable, "-m", "raijin", *arguments]
        return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, env=env, cwd=tmp_path)

    return run


def test_the_command_line_drives_a_server(nodes, home: Path, command, free: Callable[[], int]) -> None:
    folder = home / "definitions"
    folder.mkdir(parents=True)
    site = {"kind": "Site", "hosts": [{"name": "a1", "connection": "local"}]}
    groups = [{"name": "control-plane", "role": "CONTROL_PLANE", "hosts": ["a1"]}]
    cluster = {"kind": "Cluster", "name": "alpha", "type": "VANILLA", "version": "v1.34.2", "nodeGroups": groups}
    (folder / "alpha.yaml").write_text(yaml.safe_dump_all([site, cluster]))
    port = free()
    server = f"http://127.0.0.1:{port}"
    nodes.start("serve", str(port))

    def ready() -> bool:
        try:
            with urllib.request.urlopen(f"{server}/readyz", timeout=5) as answer:  # noqa: S310  (our own address)
                return answer.status == 200
        except OSError:
            return False

    nodes.wait("the server", ready)
    there = ("--server", server, "--cluster", "alpha")
    refused = command("plan", *there)
    assert (refused.returncode, "log in" in refused.stderr) == (21, True), refused.stderr
    wrong = command("login", "--server", server, "--name", "ada", "--password-stdin", stdin="wrong\n")
    assert wrong.returncode == 21, wrong.stderr
    (token,) = nodes.lines("setup")
    login = ("login", "--server", server, "--name", "ada", "--password-stdin")
    done = command(*login, "--setup", token, stdin=f"{PASSWORD}\n")
    assert done.returncode == 0, done.stderr + nodes.said()
    again = command(*login, "--setup", token, stdin=f"{PASSWORD}\n")
    assert again.returncode == 21, again.stderr
    planned = command("plan", *there, "--brief")
    assert planned.returncode == 0, planned.stderr + nodes.said()
    assert "do one" in planned.stdout
    applied = command("apply", *there, "--yes", "-o", "json")
    assert applied.returncode == 0, applied.stderr + nodes.said()
    said = json.loads(applied.stdout)
    assert (said["cluster"], said["changed"], said["status"]) == ("alpha", True, "done")
    assert "[4/4]" in applied.stderr, "the progress of the server is shown here"
    listed = json.loads(command("run", "list", "--server", server, "-o", "json").stdout)
    assert [(item["id"], item["requested_by"]) for item in listed] == [(said["run"], "ada")]
    unknown = command("plan", "--server", server, "--cluster", "nobody")
    assert unknown.returncode == 18, unknown.stderr
    kept = b"".join(path.read_bytes() for path in (nodes.folder / "elsewhere").rglob("*") if path.is_file())
    assert b"rjn_" not in kept
    env = {**os.environ, "RAIJIN_HOME": str(home)}
    trail = subprocess.run(
        [sys.executable, "-m", "raijin", "audit", "list", "-o", "json"],
        capture_output=True, text=True, check=True, env=env,
    )  # fmt: skip
    noted = [(e["who"], e["origin"], e["action"], e["result"]) for e in json.loads(trail.stdout)][::-1]
    assert ("ada", "api", "apply", "begun") in noted
    assert ("ada", "api", "apply", "done") in noted
    assert ("ada", "api", "login", "refused") in noted
    nobody = command("plan", "--server", f"http://127.0.0.1:{free()}", "--cluster", "alpha")
    assert nobody.returncode == 22, nobody.stderr
