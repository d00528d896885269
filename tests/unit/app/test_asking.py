"""Hosts asked ahead: once where nothing has changed, and never believed where something has.

Hosts are local shells; what is sent to each is counted. The verb's stages are one File per host.
"""

from __future__ import annotations

import asyncio
import getpass
import grp
import json
import os
import sys
import time
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from raijin.app import asking, running
from raijin.app.planning import Planned
from raijin.app.session import Session
from raijin.app.verbs import VERBS, Verb
from raijin.errors import HostUnreachable
from raijin.facts import gather
from raijin.facts.base import Ability
from raijin.operations.base import SecretRef
from raijin.operations.file import File
from raijin.operations.program import Program
from raijin.plan.draft import Draft
from raijin.platforms.base import Context
from raijin.state.database import open_database
from raijin.state.member import Member
from raijin.state.members import Members
from raijin.state.secrets import SecretStore
from raijin.transport import local
from raijin.transport.base import Completed
from raijin.transport.pool import Pool

OWNER, GROUP = getpass.getuser(), grp.getgrgid(os.getegid()).gr_name
FACTS, CHECK = "raijin_facts() {", "raijin_program() {"


@dataclass
class World:
    """A definition of n1 and w1, a RAIJIN_HOME that has run something, and what was sent to which host."""

    folder: Path
    content: Callable[[Context, str], str | SecretRef] = lambda context, name: f"{name}\n"
    sent: list[tuple[str, str]] = field(default_factory=list)
    broken: Callable[[str, str], None] = lambda host, script: None

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def definition(self) -> Path:
        return self.folder / "raijin.yaml"

    def host(self, name: str) -> Path:
        return self.folder / f"{name}.conf"

    def drafts(self, context: Context) -> list[Draft]:
        return [
            Draft("files", node.name, "write it", Program("files", "lab", (self.file(context, node.name),)))
            for node in context.reachable
        ]

    def file(self, context: Context, name: str) -> File:
        return File(str(self.host(name)), self.content(context, name), owner=OWNER, group=GROUP)

    def session(self) -> Session:
        return Session(self.home, (self.definition,))

    def apply(self) -> Planned:
        """A plan as `apply` makes it, declined when there is something to do."""
        self.sent.clear()
        return asyncio.run(running.carry_out(self.session(), "apply", lambda planned: False)).planned

    def plan(self) -> Planned:
        self.sent.clear()
        return asyncio.run(running.plan(self.session(), "apply"))

    def said(self) -> dict[str, list[str]]:
        """By host, what each execution was: facts, check, or both."""
        kinds: dict[str, list[str]] = {}
        for host, script in self.sent:
            parts = [word for word, mark in (("facts", FACTS), ("check", CHECK)) if mark in script]
            kinds.setdefault(host, []).append("+".join(parts))
        return kinds

    @property
    def record(self) -> Path:
        (found,) = (self.home / "asked").iterdir()
        return found


@dataclass
class Shell:
    """A host: a local shell that is told apart by name."""

    name: str
    world: World

    async def run(self, script: str, *, root: bool = True, timeout: float | None = None, on_line=None) -> Completed:
        del root
        self.world.sent.append((self.name, script))
        self.world.broken(self.name, script)
        return await local.run(["sh", "-s"], stdin=script.encode(), timeout=timeout, check=False, on_line=on_line)

    async def close(self) -> None:
        return


DEFINITION = """\
kind: Site
hosts:
  - {name: n1, address: 192.0.2.1}
  - {name: w1, address: 192.0.2.2}
---
kind: Cluster
name: lab
type: VANILLA
version: v1.34.2
nodeGroups:
  - {name: control-plane, role: CONTROL_PLANE, hosts: [n1]}
  - {name: workers, role: WORKER, hosts: [w1]}
"""
BOTH = {"n1": ["facts+check"], "w1": ["facts+check"]}
APART = {"n1": ["facts", "check"], "w1": ["facts", "check"]}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)
    made.definition.write_text(DEFINITION)
    for name in ("n1", "w1"):
        made.host(name).write_text(f"{name}\n")
        made.host(name).chmod(0o644)
    open_database(made.home).dispose()

    async def opened(pool: Pool, name: str) -> Shell:
        assert pool.knows(name)
        return Shell(name, made)

    stages = types.ModuleType("stages_of_this_test")
    stages.drafts = made.drafts  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, stages.__name__, stages)
    monkeypatch.setitem(VERBS, "apply", Verb("stages_of_this_test:drafts"))
    monkeypatch.setattr(Pool, "_open", opened)
    # What a host is does not matter here, and to find out costs more than all the rest.
    monkeypatch.setattr(gather, "ABILITIES", tuple(Ability(a.name, "echo", a.parse) for a in gather.ABILITIES))
    return made


def test_the_second_time_each_host_is_asked_once(world: World) -> None:
    first = world.apply()
    assert (world.said(), first.plan.empty) == (APART, True)
    again = world.apply()
    assert (world.said(), again.plan.empty) == (BOTH, True)
    assert again.plan == first.plan
    assert {n.name for n in again.context.reachable} == {"n1", "w1"}
    # The same when only a plan is made, which writes nothing.
    before = {path: path.read_bytes() for path in world.home.rglob("*") if path.is_file()}
    assert world.plan().plan.empty
    assert world.said() == BOTH
    assert {path: path.read_bytes() for path in world.home.rglob("*") if path.is_file()} == before


def test_a_plan_leaves_no_record_where_nothing_was_ever_run(world: World) -> None:
    session = Session(world.folder / "fresh", (world.definition,))
    asyncio.run(running.plan(session, "apply"))
    assert not session.home.exists()


def test_what_has_changed_on_a_host_is_seen_in_the_one_execution(world: World) -> None:
    world.apply()
    world.host("w1").write_text("somebody was here\n")
    planned = world.apply()
    assert world.said() == BOTH
    assert [(step.target, [c.field for c in step.changes]) for step in planned.plan.steps] == [("w1", ["content"])]


def test_facts_that_make_another_program_are_followed_by_its_check(world: World) -> None:
    """The check that was sent ahead says that all is well; the program of the plan is another one by now."""
    world.apply()

    def content(context: Context, name: str) -> str:
        del context
        return f"{name}\n" if name == "n1" else "other\n"

    world.content = content
    planned = world.apply()
    assert world.said() == {"n1": ["facts+check"], "w1": ["facts+check", "check"]}
    assert [step.target for step in planned.plan.steps] == ["w1"]
    assert planned.checks["w1"] != planned.checks["n1"]


@pytest.mark.parametrize(("old", "new"), [("192.0.2.2", "192.0.2.9"), ("name: lab", "name: shop")])
def test_another_definition_is_asked_about_from_the_beginning(world: World, old: str, new: str) -> None:
    world.apply()
    world.definition.write_text(world.definition.read_text().replace(old, new))
    assert world.apply().plan.empty
    assert world.said() == APART
    world.apply()
    assert world.said() == BOTH


def test_a_host_that_is_reached_in_another_way_is_not_believed(world: World) -> None:
    """As when another version of Raijin reads the same files in another way: all answers are thrown away."""
    world.apply()
    data = json.loads(world.record.read_text())
    data["targets"]["w1"]["address"] = "192.0.2.77"
    world.record.write_text(json.dumps(data))
    assert world.apply().plan.empty
    # Whether a host was asked ahead before the definition was read is a matter of milliseconds.
    assert {host: [kind for kind in kinds if kind != "facts+check"] for host, kinds in world.said().items()} == APART
    assert json.loads(world.record.read_text())["targets"]["w1"]["address"] == "192.0.2.2"


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"format": 1}', b"\xff"])
def test_a_damaged_record_counts_as_none(world: World, damage: bytes) -> None:
    world.apply()
    world.record.write_bytes(damage)
    assert world.apply().plan.empty
    assert world.said() == APART


def test_a_host_that_the_record_does_not_hold_is_asked_in_the_ordinary_way(world: World) -> None:
    world.apply()
    data = json.loads(world.record.read_text())
    del data["checks"]["w1"], data["targets"]["w1"]
    world.record.write_text(json.dumps(data))
    assert world.apply().plan.empty
    assert world.said() == {"n1": BOTH["n1"], "w1": APART["w1"]}


def test_no_secret_is_in_the_record(world: World) -> None:
    SecretStore(world.home).put("token", "the-very-secret-value")
    world.content = lambda context, name: SecretRef("token") if name == "w1" else f"{name}\n"
    text = DEFINITION.replace("192.0.2.1}", "192.0.2.1, ssh: {password: s3cret-word}}")
    world.definition.write_text(text)
    world.host("w1").write_text("the-very-secret-value")
    assert world.apply().plan.empty
    kept = world.record.read_text()
    assert "the-very-secret-value" not in kept
    assert "s3cret-word" not in kept
    assert json.loads(kept)["checks"] == {}
    assert world.record.stat().st_mode & 0o777 == 0o600
    world.apply()
    assert world.said() == APART


def test_a_host_in_quarantine_is_left_alone_ahead_too(world: World) -> None:
    world.apply()
    database = open_database(world.home)
    Members(database).remember("lab", Member("w1", "WORKER", {}))
    Members(database).quarantine("lab", "w1", "its disk is full")
    database.dispose()
    world.sent.clear()

    async def ask() -> None:
        async with asking.asking(world.session(), "apply") as ahead:
            assert ahead is not None
            answer = ahead.answer("n1")
            assert answer is not None
            assert await answer.facts() is not None
            assert ahead.answer("w1") is None

    asyncio.run(ask())
    assert [host for host, _ in world.sent] == ["n1"]


def test_a_host_that_cannot_be_reached_is_not_tried_twice(world: World) -> None:
    world.apply()

    def broken(host: str, script: str) -> None:
        del script
        if host == "w1":
            raise HostUnreachable("it is off", host=host)

    world.broken = broken
    with pytest.raises(HostUnreachable, match="w1: it is off"):
        world.apply()
    assert world.said()["w1"] == ["facts+check"]


def test_a_check_that_ends_badly_is_made_again(world: World) -> None:
    world.apply()
    data = json.loads(world.record.read_text())
    last = data["parts"].index("exit 0")
    data["parts"][last] = "exit 3"
    world.record.write_text(json.dumps(data))
    assert world.apply().plan.empty
    assert world.said() == {host: ["facts+check", "check"] for host in BOTH}


def test_facts_that_do_not_come_whole_are_asked_for_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.apply()
    monkeypatch.setattr(gather, "is_end", lambda line: line.endswith(" kernel"))
    assert world.apply().plan.empty
    assert world.said()["w1"][:2] == ["facts+check", "facts"]


def test_the_plan_is_as_old_as_the_first_question(world: World) -> None:
    """A run that ends between the question and the plan makes the plan stale."""
    world.apply()
    at: list[float] = []

    def broken(host: str, script: str) -> None:
        del host, script
        at.append(time.time())

    world.broken = broken
    assert world.apply().at <= min(at)


def test_destroying_forgets_what_was_asked(world: World) -> None:
    world.apply()
    asking.forget(world.session())
    assert list((world.home / "asked").iterdir()) == []
    asking.forget(world.session())
