"""The requests that users wrote before there was a server, against a fresh one on simulated hosts.

They are taken as they stand, and they do what they say.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE = 240.0
VALIDATE = """{
    "validationSuite": "COMPREHENSIVE",
    "categories": [
      "INFRASTRUCTURE",
      "KUBERNETES",
      "SECURITY",
      "PERFORMANCE"
    ],
    "remediateIssues": false
  }"""
SCALE = """{
    "nodeGroup": "workers",
    "targetCount": 5,
    "strategy": "ROLLING",
    "maxSurge": 1,
    "drainTimeout": "10m"
  }"""


@dataclass(frozen=True)
class Server:
    base: str

    def ask(self, method: str, path: str, body: str | None = None) -> dict[str, Any]:
        data = None if body is None else body.encode()
        kind = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.base}{path}", data, kind, method=method)  # noqa: S310  (our own address)
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
            return found

    def carried_out(self, run: dict[str, Any]) -> dict[str, Any]:
        """The run at its end, which is a good one."""
        deadline = time.monotonic() + PATIENCE
        while (found := self.ask("GET", f"/runs/{run['id']}"))["state"] not in {"done", "failed", "cancelled"}:
            assert time.monotonic() < deadline, found
            time.sleep(0.3)
        assert found["state"] == "done", found["error"]
        return found

    def hosts(self, cluster: str) -> dict[str, str]:
        return {host["name"]: host["role"] for host in self.ask("GET", f"/clusters/{cluster}")["hosts"]}


@pytest.fixture
def server(tmp_path: Path, free: Callable[[], int]) -> Iterator[Server]:
    """`raijin serve --no-auth --rehearsal`, with nothing in its home."""
    port = free()
    env = {**os.environ, "RAIJIN_HOME": str(tmp_path / "home")}
    argv = [sys.executable, "-m", "raijin", "serve", "--no-auth", "--rehearsal", "--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(argv, env=env, stdout=log, stderr=log)
    found = Server(f"http://127.0.0.1:{port}/api/v1")
    try:
        deadline = time.monotonic() + PATIENCE
        while not _answers(found):
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.2)
        yield found
    finally:
        process.terminate()
        process.wait(60)


def _answers(server: Server) -> bool:
    try:
        return bool(server.ask("GET", "/system"))
    except OSError:
        return False


def test_k3s_on_a_machine_from_a_template(server: Server) -> None:
    run = server.ask("POST", "/clusters/provision", (EXAMPLES / "k3s-edge.json").read_text())
    ended = server.carried_out(run)
    assert server.hosts("k3s-edge") == {"k3s-edge-server-1": "CONTROL_PLANE"}
    stages = [step["stage"] for step in ended["steps"]]
    assert stages[:2] == ["make", "first-boot"]
    assert {step["state"] for step in ended["steps"]} == {"done"}


def test_okd_behind_a_load_balancer_checked_and_scaled(server: Server) -> None:
    run = server.ask("POST", "/clusters/provision", (EXAMPLES / "okd-production.json").read_text())
    ended = server.carried_out(run)
    made = [step["target"] for step in ended["steps"] if step["stage"] == "make"]
    planes = [f"okd-production-masters-{n}" for n in (1, 2, 3)]
    assert made == ["okd-production-bootstrap-1", *planes]
    assert [step["target"] for step in ended["steps"] if step["stage"] == "give-back"] == made[:1]
    assert server.hosts("okd-production") == dict.fromkeys(planes, "CONTROL_PLANE")
    report = server.ask("POST", "/clusters/okd-production/validate", VALIDATE)
    assert report["suite"] == "COMPREHENSIVE"
    assert {finding["subject"] for finding in report["findings"] if finding["check"] == "node-readiness"} >= {*planes}
    server.carried_out(server.ask("PUT", "/clusters/okd-production/scale", SCALE))
    workers = {f"okd-production-workers-{n}": "WORKER" for n in range(1, 6)}
    assert server.hosts("okd-production") == dict.fromkeys(planes, "CONTROL_PLANE") | workers
    server.carried_out(server.ask("DELETE", "/clusters/okd-production"))
    assert server.hosts("okd-production") == {}
