"""The care of etcd. Laws: a member is never wiped before it is out, and nothing ever costs a living majority."""

from __future__ import annotations

from itertools import pairwise

import pytest
from tests.plans.reading import before, stages, step
from tests.plans.test_control_planes import text

from raijin.lifecycle.etcd import defragment_reasons, replace_reasons


@pytest.fixture
def running(world):
    """n1, n2, n3 and w1, applied; n2 leads."""
    fresh = world("minimal").defined(text())
    done = fresh.carry_out(fresh.plan())
    done.leads = "n2"
    return done


def one(*names: str) -> dict[str, object]:
    return {"chosen": frozenset(names)}


def test_members_are_defragmented_one_after_the_other_the_leader_last(running) -> None:
    plan = running.plan("defragment")
    order = [s.target for s in plan.steps if s.stage == "defragment"]
    assert order == ["n1", "n3", "n2"]
    for earlier, later in pairwise(order):
        assert before(plan, ("settle", earlier), ("defragment", later))
    assert step(plan, "defragment", "n1").changes[0].after == "about 30 MiB"
    assert defragment_reasons(running.context()) == []


def test_an_alarm_about_space_goes_at_the_end(running) -> None:
    running.alarms = ("1: NOSPACE",)
    plan = running.plan("defragment")
    assert plan.steps[-1].stage == "disarm"
    assert before(plan, ("settle", "n2"), ("disarm", plan.steps[-1].target))
    running.alarms = ("1: CORRUPT",)
    assert "replace that member first" in defragment_reasons(running.context())[0]
    assert "disarm" not in {s.stage for s in running.plan("defragment").steps}


def test_nothing_is_defragmented_beside_a_member_that_is_down(running) -> None:
    running.broken = {"n1"}
    assert defragment_reasons(running.context()) == ["n1: it does not answer: mend it first"]
    running.broken = {"n1", "n3"}
    assert "no quorum" in defragment_reasons(running.context())[0]


@pytest.mark.parametrize("victim", ["n1", "n2", "n3"])
def test_a_broken_member_is_taken_out_wiped_and_joined_anew(running, victim: str) -> None:
    running.broken = {victim}
    assert replace_reasons(running.context(**one(victim))) == []
    plan = running.plan("replace", **one(victim))
    assert {s.target for s in plan.steps} == {victim}, "nobody else is touched"
    assert "start" not in stages(plan, victim), "no second cluster"
    for earlier, later in pairwise(("leave-etcd", "wipe", "prepare", "join", "settle")):
        assert before(plan, (earlier, victim), (later, victim))
    assert before(plan, ("delete-node", victim), ("wipe", victim))
    done = running.carry_out(plan)
    assert set(done.voters) == {"n1", "n2", "n3"}
    assert done.plan().empty, [f"{s.stage}/{s.target}" for s in done.plan().steps]
    assert "its member is well" in replace_reasons(done.context(**one(victim)))[0]
    assert replace_reasons(done.context(force=True, **one(victim))) == []


def test_a_replacement_that_stopped_half_way_goes_on_with_apply(running) -> None:
    """After each step: the next apply brings the host back, and never starts a second cluster."""
    running.broken = {"n1"}
    plan = running.plan("replace", **one("n1"))
    part = running
    for done in plan.steps:
        part = part.carry_out(type(plan)(plan.verb, plan.cluster, (done,)))
        following = part.plan()
        assert "start" not in {s.stage for s in following.steps}
    assert part.plan().empty


def test_what_would_cost_the_majority_is_refused(running, world) -> None:
    running.broken = {"n1"}
    (reason,) = replace_reasons(running.context(**one("n2")))
    assert "its member cannot be taken out: then n1 would be needed for a majority" in reason
    (forced,) = replace_reasons(running.context(force=True, **one("n2")))
    assert forced == reason, "force is no way around the majority"
    running.power_cut("n1")
    assert "it cannot be reached" in replace_reasons(running.context(**one("n1")))[0]
    running.broken = {"n1", "n2"}
    assert "no quorum" in replace_reasons(running.context(**one("n1")))[0]
    alone = world("minimal").defined(text("n1"))
    alone = alone.carry_out(alone.plan())
    assert "it is the only member" in replace_reasons(alone.context(force=True, **one("n1")))[0]
