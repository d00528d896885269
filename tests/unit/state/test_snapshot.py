"""What plans read: the same as what was written, and nothing is made by looking."""

from __future__ import annotations

import itertools
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from raijin.errors import StateError
from raijin.state import HEAD
from raijin.state.machines import Machines
from raijin.state.made import MadeMachine
from raijin.state.member import Member
from raijin.state.members import Members
from raijin.state.runs import Runs, StepState
from raijin.state.snapshot import read_machines, read_members, read_timings

STEPS = [("a.alpha.1", "prepare", "alpha"), ("b.alpha.2", "join", "alpha"), ("b.beta.3", "join@v1.35.4", "beta")]


@pytest.fixture(autouse=True)
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count(1_000_000.0)
    monkeypatch.setattr(time, "time", lambda: next(ticks))


def test_the_members_are_those_that_were_remembered(home: Path, database) -> None:
    members = Members(database)
    for name in ("gamma", "alpha", "beta"):
        members.remember("lab", Member(name, "WORKER", {"address": "192.0.2.1", "ssh": {"port": 22}}))
    members.remember("other", Member("alpha", "CONTROL_PLANE", {}))
    members.quarantine("lab", "beta", "its disk is full")
    assert read_members(home, "lab") == members.of("lab")
    assert list(read_members(home, "lab")) == ["gamma", "alpha", "beta"]
    assert read_members(home, "lab")["beta"].quarantine == "its disk is full"
    assert read_members(home, "nothing") == {}


def test_what_a_running_command_has_just_written_is_seen(home: Path, database) -> None:
    """The database is in WAL mode and held open: what is in the log counts."""
    with database.connect() as held:
        held.exec_driver_sql("SELECT 1")
        Members(database).remember("lab", Member("alpha", "WORKER", {}))
        assert list(read_members(home, "lab")) == ["alpha"]


def test_machines_are_those_that_were_made(home: Path, database) -> None:
    machines = Machines(database)
    assert read_machines(home, ["lab", "other"]) == []
    for name, cluster in (("lab-w-2", "lab"), ("other-w-1", "other"), ("lab-w-1", "lab")):
        machines.remember(MadeMachine(name, cluster, "w", "LAB", {"name": name, "address": "192.0.2.1"}))
    assert [machine.name for machine in read_machines(home, ["lab"])] == ["lab-w-2", "lab-w-1"]
    machines.remember(MadeMachine("lab-w-2", "lab", "w", "LAB", {}))
    assert [machine.spent for machine in read_machines(home, ["lab"])] == [True, False]
    machines.forget("lab-w-2")
    assert [machine.name for machine in read_machines(home, ["lab", "other"])] == ["lab-w-1", "other-w-1"]


def test_timings_are_of_the_newest_done_steps_by_stage(home: Path, database) -> None:
    runs = Runs(database)
    for run, ended in (
        ("one", {"a.alpha.1": (StepState.DONE, 3.0), "b.alpha.2": (StepState.DONE, 10.0)}),
        ("two", {"b.beta.3": (StepState.DONE, 20.0), "a.alpha.1": (StepState.FAILED, 900.0)}),
    ):
        runs.create(run, cluster="lab", verb="apply", plan="{}", settings="{}", steps=STEPS)
        for step, (state, seconds) in ended.items():
            runs.step_started(run, step)
            runs.step_ended(run, step, state, seconds=seconds, error=None)
    assert read_timings(home) == {"prepare": 3.0, "join": 15.0}
    assert read_timings(home, last=1) == {"join": 20.0}


def test_looking_makes_nothing(home: Path) -> None:
    assert (read_members(home, "lab"), read_timings(home)) == ({}, {})
    assert not home.exists()


def test_an_older_database_is_migrated_and_a_newer_one_refused(home: Path, database) -> None:
    Members(database).remember("lab", Member("alpha", "WORKER", {}))
    database.dispose()
    with sqlite3.connect(home / "state.sqlite") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(StateError, match="newer than this Raijin's"):
        read_members(home, "lab")
    (home / "state.sqlite").unlink()
    sqlite3.connect(home / "state.sqlite").close()
    assert read_members(home, "lab") == {}
    with sqlite3.connect(home / "state.sqlite") as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)
    raw.close()


def test_a_file_that_is_no_database(home: Path) -> None:
    home.mkdir()
    (home / "state.sqlite").write_text("this is not a database, whatever its name says" * 100)
    with pytest.raises(StateError, match=r"state\.sqlite cannot be used") as caught:
        read_members(home, "lab")
    assert caught.value.remedy


def test_planning_imports_neither_sqlalchemy_nor_a_client_of_the_api() -> None:
    """They cost more than all that a plan without a change computes."""
    modules = "raijin.app.planning, raijin.lifecycle.apply, raijin.platforms.kubeadm.platform, raijin.plan.render"
    code = f"import sys, {modules}; print([m for m in ('sqlalchemy', 'lightkube', 'httpx2', 'dbos', 'rich',"
    code += " 'cryptography.x509') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
