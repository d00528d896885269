"""Hosts put back as they were. Law: a living cluster keeps its majority."""

from __future__ import annotations

import pytest
from tests.plans.reading import before, stages
from tests.plans.test_control_planes import text

from raijin.lifecycle.reset import reasons


@pytest.fixture
def running(world):
    fresh = world("minimal").defined(text())
    return fresh.carry_out(fresh.plan())


def one(*names: str) -> dict[str, object]:
    return {"chosen": frozenset(names)}


def test_all_hosts_whatever_the_cluster_says(running) -> None:
    running.api, running.broken = False, {"n1", "n2", "n3"}
    assert reasons(running.context()) == []
    plan = running.plan("reset")
    assert {s.stage for s in plan.steps} == {"leave", "forget"}
    gone = running.carry_out(plan)
    assert gone.members == {}
    assert gone.plan("reset").empty
    assert before(plan, ("leave", "w1"), ("leave", "n1"))


def test_a_worker_leaves_the_cluster_that_goes_on(running) -> None:
    plan = running.plan("reset", **one("w1"))
    assert stages(plan, "w1") == ["delete-node", "leave", "forget"]
    assert {s.target for s in plan.steps} == {"w1"}
    done = running.carry_out(plan)
    assert "join" in stages(done.plan(), "w1"), "the definition still has it"


def test_a_member_leaves_etcd_before_its_host_is_touched(running) -> None:
    plan = running.plan("reset", **one("n2"))
    assert before(plan, ("leave-etcd", "n2"), ("leave", "n2"))
    done = running.carry_out(plan)
    assert set(done.voters) == {"n1", "n3"}
    two = running.plan("reset", **one("n2", "n3"))
    assert before(two, ("leave", "n2"), ("leave-etcd", "n3"))
    assert reasons(running.context(**one("n2", "n3"))) == []


def test_what_would_cost_a_living_cluster_its_majority_is_refused(running) -> None:
    running.broken = {"n1"}
    (reason,) = reasons(running.context(**one("n2")))
    assert "n2: its etcd member cannot leave: then n1 would be needed" in reason
    assert reasons(running.context(force=True, **one("n2"))) == []
    assert reasons(running.context(**one("n1"))) == [], "the broken one may go"
    running.broken = {"n1", "n3"}
    assert "nobody can tell whether the cluster goes on" in reasons(running.context(**one("n1")))[0]


def test_a_host_out_of_reach_needs_force(running) -> None:
    running.power_cut("w1")
    (reason,) = reasons(running.context(**one("w1")))
    assert "it cannot be reached" in reason
    assert reasons(running.context(force=True, **one("w1"))) == []
    done = running.carry_out(running.plan("reset", force=True, **one("w1")))
    assert "w1" not in done.members
    assert "w1" not in done.nodes


def test_a_host_in_quarantine_is_put_back_too(running) -> None:
    from dataclasses import replace

    running.members["w1"] = replace(running.members["w1"], quarantine="its disk")
    done = running.carry_out(running.plan("reset", **one("w1")))
    assert "w1" not in done.members
