"""Static pods, against a program that plays crictl; the real one is in the lab."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from raijin.operations.file import File
from raijin.operations.staticpod import StaticPod

if TYPE_CHECKING:
    from tests.operations.conftest import Machine

# STORE/started: when the container of etcd was started, in seconds; without it none runs. `dies`: it stays away then.
CRICTL = r"""
store=STORE; shift 4
echo "$*" >>"$store/calls"
case $1 in
  ps) [ ! -e "$store/started" ] || echo c0ffee;;
  inspect)
    at=$(TZ=UTC0 date -d "@$(cat "$store/started")" +%Y-%m-%dT%H:%M:%S)
    printf '{\n  "info": {"x": 1,\n    "io.kubernetes.cri.sandbox-id": "5ad"\n  },\n  "status": {\n'
    printf '    "startedAt": "%s.619720551Z",\n    "state": "CONTAINER_RUNNING"\n  }\n}\n' "$at";;
  stopp)
    [ "$2" = 5ad ] || exit 1
    rm "$store/started"
    [ -e "$store/dies" ] || { sleep 1.1; date +%s >"$store/started"; };;
esac
"""
SOCKET = "unix:///run/containerd/containerd.sock"


@pytest.fixture
def runtime(machine: Machine) -> Machine:
    machine.tool("crictl", CRICTL.replace("STORE", str(machine.folder)))
    machine.at("/etc/etcd.crt").write_text("old")
    os.utime(machine.at("/etc/etcd.crt"), (time.time() - 3600,) * 2)
    (machine.folder / "started").write_text(f"{time.time() - 60:.0f}\n")
    return machine


def pod(**more: int) -> StaticPod:
    return StaticPod("etcd", SOCKET, ("/etc/etcd.crt", "/etc/gone.crt"), **more)


def stopped(machine: Machine) -> int:
    calls = machine.folder / "calls"
    return calls.read_text().count("stopp") if calls.exists() else 0


def test_one_that_was_started_after_its_files_is_left_alone(runtime: Machine) -> None:
    assert runtime.run(pod()).states == ["ok"]
    assert stopped(runtime) == 0


def test_one_whose_file_is_younger_is_started_again_once(runtime: Machine) -> None:
    os.utime(runtime.at("/etc/etcd.crt"))
    checked = runtime.check(pod()).one()
    assert [(c.field, c.before, c.after) for c in checked.changes] == [
        ("configuration", "/etc/etcd.crt changed since its start", "restarted")
    ]
    assert stopped(runtime) == 0
    assert runtime.run(pod()).states == ["changed"]
    assert runtime.run(pod()).states == ["ok"]
    assert stopped(runtime) == 1


def test_the_program_that_speaks_to_the_runtime_may_lie_elsewhere(runtime: Machine) -> None:
    """K3s and RKE2 bring theirs along, in no folder of the PATH."""
    found = next(path for path in runtime.tools.glob("crictl"))
    runtime.at("/opt").mkdir(exist_ok=True)
    runtime.at("/opt/own-crictl").write_text(found.read_text())
    runtime.at("/opt/own-crictl").chmod(0o755)
    found.unlink()
    os.utime(runtime.at("/etc/etcd.crt"))
    own = replace(pod(), crictl="/opt/own-crictl")
    assert runtime.run(own).states == ["changed"]
    assert runtime.run(own).states == ["ok"]
    assert stopped(runtime) == 1


def test_a_file_that_the_same_program_changes(runtime: Machine) -> None:
    operations = (File("/etc/etcd.crt", "new"), pod())
    assert runtime.check(*operations).states == ["would-change", "would-change"]
    assert runtime.run(*operations).states == ["changed", "changed"]
    assert runtime.run(*operations).states == ["ok", "ok"]


def test_one_that_does_not_run_is_waited_for(runtime: Machine) -> None:
    (runtime.folder / "started").unlink()
    failed = runtime.run(pod(timeout=1)).one()
    assert (failed.state, failed.reason) == ("failed", "etcd was not started again within 1 s")


def test_one_that_does_not_come_back(runtime: Machine) -> None:
    os.utime(runtime.at("/etc/etcd.crt"))
    (runtime.folder / "dies").touch()
    failed = runtime.run(pod(timeout=1)).one()
    assert (failed.state, failed.reason) == ("failed", "etcd was not started again within 1 s")
