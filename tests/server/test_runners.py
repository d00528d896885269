"""Several runners on one PostgreSQL: they share the work, and a survivor finishes what a dead one has begun."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from raijin.state.database import open_database
from raijin.state.locks import Locks
from raijin.state.member import Member
from raijin.state.members import Members
from raijin.state.runs import Runs

STEPS = {"one", "two", "three", "four"}
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def define(home: Path, *names: str) -> None:
    folder = home / "definitions"
    folder.mkdir(parents=True)
    for name in names:
        site = {"kind": "Site", "hosts": [{"name": f"{name}-1", "connection": "local"}]}
        groups = [{"name": "control-plane", "role": "CONTROL_PLANE", "hosts": [f"{name}-1"]}]
        cluster = {"kind": "Cluster", "name": name, "type": "VANILLA", "version": "v1.34.2", "nodeGroups": groups}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump_all([site, cluster]))


def ended(runs: Runs, names: tuple[str, ...]) -> bool:
    found = runs.newest(names)
    return len(found) == len(names) and all(run.status.ended for run in found.values())


def test_a_survivor_finishes_what_a_killed_runner_has_begun(nodes, home: Path, database_url: str) -> None:
    names = ("alpha", "beta", "gamma", "delta")
    define(home, *names)
    first, second = nodes.start("run", SLOW="3"), nodes.start("run", SLOW="3")
    nodes.wait("both runners", lambda: len(nodes.lines("up")) == 2)
    nodes.start("ask", *names).process.wait(300)
    database = open_database(home)
    runs = Runs(database)

    def in_the_middle() -> object:
        """A runner that has done a step of a run, and has another of it in hand."""
        done, begun = nodes.lines("done"), nodes.lines("begun")
        for node in (first, second):
            mine = [line for line in begun if line.endswith(f" {node.pid}") and line not in done]
            if mine and any(line.startswith(mine[0].split()[0] + " ") for line in done):
                return node
        return None

    victim = nodes.wait("a runner in the middle of a run", in_the_middle)
    victim.kill()
    nodes.wait("the end of all runs", lambda: ended(runs, names))
    found = runs.newest(names)
    assert {name: str(run.status) for name, run in found.items()} == dict.fromkeys(names, "done"), nodes.said()
    assert max(run.attempt for run in found.values()) == 2, "somebody took over"
    for run in found.values():
        assert {step.step for step in runs.steps(run.id) if step.state == "done"} == STEPS
        assert Locks(database).held(f"cluster/{run.cluster}") is None
    times = Counter(tuple(line.split()[:2]) for line in nodes.lines("done"))
    assert set(times) == {(name, step) for name in names for step in STEPS}
    assert set(times.values()) == {1}, "what is done is never done again"
    assert {line.split()[2] for line in nodes.lines("done")} == {str(first.pid), str(second.pid)}, "both have worked"
    database.dispose()


def test_a_schedule_is_met_once_by_any_number_of_runners(nodes, home: Path, database_url: str) -> None:
    define(home, "alpha")
    for _ in range(3):
        nodes.start("tick")
    nodes.wait("all runners", lambda: len(nodes.lines("up")) == 3)
    before = len(nodes.lines("ticks"))
    nodes.wait("some ticks", lambda: len(nodes.lines("ticks")) >= before + 5)
    moments = [line.split()[1] for line in nodes.lines("ticks")]
    assert len(moments) == len(set(moments)), moments


def test_the_state_is_the_same_on_postgresql(home: Path, database_url: str) -> None:
    """Locks, members and the journal, where the two databases speak differently."""
    database = open_database(home)
    open_database(home).dispose()
    Members(database).remember("lab", Member("a", "WORKER", {"address": "192.0.2.1"}), Member("b", "WORKER", {}))
    Members(database).remember("lab", Member("a", "CONTROL_PLANE", {"address": "192.0.2.2"}))
    assert {m.host: m.role for m in Members(database).of("lab").values()} == {"a": "CONTROL_PLANE", "b": "WORKER"}
    locks = Locks(database)
    locks.acquire("cluster/lab", "run-1")
    assert locks.held("cluster/lab") == "run-1"
    assert locks.renew("cluster/lab")
    locks.release("cluster/lab")
    assert locks.held("cluster/lab") is None
    runs = Runs(database)
    runs.ask("20260101-000000-aaaa", cluster="lab", verb="apply", request={"who": "me"})
    runs.create("20260101-000000-aaaa", cluster="lab", verb="apply", plan="{}", settings="{}", steps=[("s", "x", "h")])
    assert [(run.id, str(run.status)) for run in runs.history()] == [("20260101-000000-aaaa", "running")]
    from raijin.state.snapshot import read_members

    assert list(read_members(home, "lab")) == ["a", "b"]
    database.dispose()
