"""Several processes and one run: retries, locks, cancelling from elsewhere, Ctrl-C, and what lies on the disk."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest

from raijin.engine.service import Engine
from raijin.errors import Locked, PlanRefused
from raijin.observe.events import Events
from raijin.plan.model import Plan, Retry
from raijin.state.database import open_database
from raijin.state.locks import Locks


@pytest.fixture
def engine(site):
    database = open_database(site.home)
    yield Engine(site.home, database, {}, Events())
    database.dispose()


def test_only_what_may_pass_is_tried_again_and_not_for_ever(site, make) -> None:
    call = make["call"]
    site.steps = (call("flaky"), call("flaky-after", "flaky"))
    assert site.run("start") == 0
    assert site.done() == {"flaky": 3, "flaky-after": 3}
    site.log.unlink()
    site.steps = (call("bad"),)
    assert site.run("start") == 16
    assert site.done() == {"bad": 1}
    site.log.unlink()
    site.steps = (call("gone"),)
    assert site.run("start") == 16
    assert site.done() == {"gone": 4}
    assert site.journal()[1]["gone"] == ("failed", "urn:raijin:error:host-unreachable")
    site.log.unlink()
    site.steps = (call("flaky-never", retry=Retry.NEVER),)
    assert site.run("start") == 16
    assert site.done() == {"flaky-never": 1}


def test_a_living_run_keeps_others_out_and_a_dead_one_does_not(site, make, engine) -> None:
    site.steps = (make["call"]("gate"),)
    first = site.begin("start")
    site.until(lambda: site.done()["gate"] == 1)
    record = engine.runs.get("latest")
    assert engine.alive(record)
    with pytest.raises(Locked, match=record.id):
        asyncio.run(engine.start(Plan("apply", "lab", ()), None, None, site.policy))
    with pytest.raises(Locked):
        asyncio.run(engine.resume(record.id, None, None))
    assert len(engine.runs.history()) == 1
    os.kill(first, signal.SIGKILL)
    site.end(first)
    assert not engine.alive(record)
    (site.hosts / "open").touch()
    assert site.run("resume") == 0


def test_a_done_run_is_not_resumed(site, make, engine) -> None:
    site.steps = (make["call"]("a"),)
    assert site.run("start") == 0
    with pytest.raises(PlanRefused, match="is done"):
        asyncio.run(engine.resume("latest", None, None))
    with pytest.raises(PlanRefused, match="has ended already"):
        engine.cancel("latest")


def test_cancelling_a_dead_run_marks_it_at_once_and_it_can_go_on(site, make, engine) -> None:
    site.steps = (make["call"]("a"), make["call"]("b", "a"))
    site.run("start", "begun:b")
    assert str(engine.cancel("latest").status) == "cancelled"
    assert site.run("resume") == 0
    assert site.done() == {"a": 1, "b": 1}


@pytest.mark.parametrize("how", ["from elsewhere", "Ctrl-C", "SIGTERM"])
def test_cancelling_stops_between_operations_and_says_where(site, make, engine, how: str) -> None:
    begun, gate, one, two = (site.hosts / name for name in ("begun", "gate", "one", "two"))
    wait = f": >{begun}; n=0; while [ $n -lt 500 ] && [ ! -e {gate} ]; do sleep 0.01; n=$((n+1)); done; : >{one}"
    first = make["command"]("first", ("sh", "-c", wait), creates=str(one))
    site.steps = (make["program"]("p", (first, make["file"](two, "x"))), make["call"]("after", "p"))
    pid = site.begin("start")
    site.until(begun.exists)
    if how == "from elsewhere":
        engine.cancel("latest")
    else:
        os.kill(pid, signal.SIGINT if how == "Ctrl-C" else signal.SIGTERM)
    site.until(lambda: any((site.hosts / "alpha" / "volatile").glob("r.stop.*")))
    gate.touch()
    assert site.end(pid) == 15, site.said()
    assert "in the middle: alpha in do p (stopped after 1 of 2 operations)" in site.error()
    assert "raijin run resume" not in site.error()
    assert (one.exists(), two.exists()) == (True, False)
    status, steps = site.journal()
    assert (status, steps["p"][0], steps["after"][0]) == ("cancelled", "cancelled", "skipped")
    assert site.run("resume") == 0
    assert two.read_text() == "x"


def test_a_second_ctrl_c_leaves_at_once_and_the_run_can_be_resumed(site, make) -> None:
    begun, gate, one = (site.hosts / name for name in ("begun", "gate", "one"))
    wait = f": >{begun}; n=0; while [ $n -lt 1000 ] && [ ! -e {gate} ]; do sleep 0.01; n=$((n+1)); done; : >{one}"
    site.steps = (make["program"]("p", (make["command"]("first", ("sh", "-c", wait), creates=str(one)),)),)
    pid = site.begin("start")
    site.until(begun.exists)
    os.kill(pid, signal.SIGINT)
    site.until(lambda: any((site.hosts / "alpha" / "volatile").glob("r.stop.*")))
    os.kill(pid, signal.SIGINT)
    assert site.end(pid, within=10) == 130, site.said()
    gate.touch()
    assert site.run("resume") in {0, 15}
    if site.journal()[0] != "done":
        assert site.run("resume") == 0


def test_the_lock_is_kept_until_the_last_operation_has_ended(site, make, engine) -> None:
    """A host may take minutes for the operation in hand; nobody else may start meanwhile."""
    begun, gate, one = (site.hosts / name for name in ("begun", "gate", "one"))
    wait = f": >{begun}; n=0; while [ $n -lt 1000 ] && [ ! -e {gate} ]; do sleep 0.01; n=$((n+1)); done; : >{one}"
    site.steps = (make["program"]("p", (make["command"]("first", ("sh", "-c", wait), creates=str(one)),)),)
    pid = site.begin("start", lease=(1.0, 0.1))
    site.until(begun.exists)
    record = engine.cancel("latest")
    time.sleep(1.3)
    held = Locks(engine.database).held("cluster/lab")
    gate.touch()
    site.end(pid)
    assert held == record.id


def test_no_secret_lies_readable_on_the_disk(site, make) -> None:
    """Law: journal, workflow database, events and errors name secrets, and never hold them."""
    value = "the-very-secret-value-0123456789"
    make["store"](site.home).put("token", value)
    leak = make["command"]("leak", ("sh", "-c", f"cat {site.hosts}/token >&2; exit 1"), creates="/nowhere/at/all")
    operations = (make["file"](site.hosts / "token", make["secret"]("token")), leak)
    site.steps = (make["program"]("p", operations), make["call"]("gone", target="beta"))
    assert site.run("start") == 16
    assert (site.hosts / "token").read_text() == value
    assert value not in site.said() + site.error()
    looked = [path for path in site.home.rglob("*") if path.is_file()]
    assert {"state.sqlite", "engine.sqlite"} <= {path.name for path in looked}
    for path in looked:
        assert value.encode() not in path.read_bytes(), path.name
