"""The planner. Laws, for any drafts and any answers of the hosts:

kept steps form a graph without circles, in an order that respects it; leaving out what needs nothing loses no order
between what stays; nothing to change is an empty plan; every refusal is told at once; the same is planned the same.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raijin.errors import PlanRefused
from raijin.operations.command import Command
from raijin.operations.file import File
from raijin.operations.install import Install
from raijin.operations.program import Program
from raijin.operations.report import FieldChange, Report, State
from raijin.operations.unit import Unit
from raijin.plan.build import build
from raijin.plan.draft import Draft
from raijin.plan.model import Call, Change, Disruption, Material, Step

CHANGE = (Change("thing", "state", "absent", "there"),)


@st.composite
def draft_sets(draw: st.DrawFn) -> tuple[list[Draft], dict[str, list[Report]]]:
    """Up to nine drafts over three stages and three hosts: programs that change or not, calls, followers."""
    keys = draw(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), unique=True, max_size=9))
    drafts: list[Draft] = []
    reports: dict[str, list[Report]] = {}
    for number, (stage, target) in enumerate(sorted(keys)):
        earlier = [draft.key for draft in drafts] + [f"{s}/*" for s in "abc" if s < stage] + ["absent/host"]
        needs = tuple(draw(st.lists(st.sampled_from(earlier), unique=True, max_size=3)))
        kind = draw(st.sampled_from(["program", "call", "follower"]))
        changes = draw(st.booleans())
        if kind == "program":
            action = Program(f"{stage}{number}", "lab", (File(f"/f{number}", "x"),))
            state = State.WOULD_CHANGE if changes else State.OK
            reports[f"{stage}/{target}"] = [Report(0, state, 1)]
            drafts.append(Draft(stage, target, "t", action, needs))
        else:
            wanted = CHANGE if changes and kind == "call" else ()
            drafts.append(
                Draft(stage, target, "t", Call("c", {"n": number}), needs, wanted, follows=kind == "follower")
            )
    return drafts, reports


def plain_needs(drafts: list[Draft]) -> dict[str, set[str]]:
    """What each draft waits for, over any number of others, by the words of its docstring."""
    keys = [draft.key for draft in drafts]
    direct = {
        draft.key: {
            key
            for need in draft.needs
            for key in keys
            if key == need or (need.endswith("/*") and key.startswith(need[:-1]) and key != draft.key)
        }
        for draft in drafts
    }
    for _ in keys:
        direct = {key: needs.union(*(direct[need] for need in needs)) for key, needs in direct.items()}
    return direct


def reached(steps: tuple[Step, ...]) -> dict[str, set[str]]:
    names = {step.id: f"{step.stage}/{step.target}" for step in steps}
    found: dict[str, set[str]] = {}
    for step in steps:
        found[names[step.id]] = {names[n] for n in step.needs}.union(*(found[names[n]] for n in step.needs))
    return found


@settings(deadline=None, max_examples=60)
@given(draft_sets())
def test_the_laws_of_the_graph(case: tuple[list[Draft], dict[str, list[Report]]]) -> None:
    drafts, reports = case
    plan = build("apply", "lab", drafts, reports)
    seen: set[str] = set()
    for step in plan.steps:
        assert set(step.needs) <= seen, "a step stands before what it needs"
        assert len(set(step.needs)) == len(step.needs)
        seen.add(step.id)
    assert len(seen) == len(plan.steps)
    needs, kept = plain_needs(drafts), {f"{step.stage}/{step.target}" for step in plan.steps}
    assert reached(plan.steps) == {key: needs[key] & kept for key in kept}
    for draft in drafts:
        changes = any(r.state is State.WOULD_CHANGE for r in reports.get(draft.key, ())) or bool(draft.changes)
        assert (draft.key in kept) == (changes or (draft.follows and bool(needs[draft.key] & kept)))
    assert build("apply", "lab", drafts, reports).digest == plan.digest


@settings(deadline=None, max_examples=30)
@given(draft_sets())
def test_when_nothing_would_change_nothing_is_planned(case: tuple[list[Draft], dict[str, list[Report]]]) -> None:
    drafts = [replace(draft, changes=()) for draft in case[0]]
    quiet = {key: [replace(r, state=State.OK) for r in reports] for key, reports in case[1].items()}
    for reports in ({}, quiet):
        plan = build("apply", "lab", drafts, reports)
        assert plan.empty
        assert plan.hosts == ()
        assert plan.disruption is Disruption.NONE
        assert plan.duration() == 0


def test_every_refusal_of_every_host_at_once() -> None:
    program = Program("p", "lab", (File("/one", "x"), File("/two", "x")))
    drafts = [Draft("prepare", host, "prepare", program) for host in ("alpha", "beta")]
    reports = {
        "prepare/alpha": [Report(n, State.REFUSED, 0, reason=f"reason {n}") for n in range(2)],
        "prepare/beta": [Report(0, State.WOULD_CHANGE, 0), Report(1, State.REFUSED, 0, reason="reason of beta")],
    }
    with pytest.raises(PlanRefused) as caught:
        build("apply", "lab", drafts, reports)
    assert str(caught.value).splitlines() == [
        "3 things stand against it:",
        "  - alpha: file /one: reason 0",
        "  - alpha: file /two: reason 1",
        "  - beta: file /two: reason of beta",
    ]
    with pytest.raises(PlanRefused, match=r"^beta: file /two: reason of beta$"):
        build("apply", "lab", drafts, {"prepare/beta": reports["prepare/beta"]})


def test_steps_that_wait_for_each_other() -> None:
    drafts = [
        Draft("a", "x", "t", Call("c", {}), ("b/x",), CHANGE),
        Draft("b", "x", "t", Call("c", {}), ("a/x",), CHANGE),
        Draft("c", "x", "t", Call("c", {}), (), CHANGE),
    ]
    with pytest.raises(PlanRefused, match="wait for each other: a/x, b/x"):
        build("apply", "lab", drafts, {})


def test_a_restart_that_a_change_causes_is_in_the_plan_and_says_why() -> None:
    """The ripple: the file changes, so the unit that watches it will be restarted by the same program."""
    program = Program(
        "p", "lab", (File("/etc/x.conf", "new"), Unit("x.service", watches=("/etc/x.conf",)), Unit("y.service"))
    )
    reports = [
        Report(0, State.WOULD_CHANGE, 1, (FieldChange("mode", "600", "644"),)),
        Report(1, State.OK, 1),
        Report(2, State.OK, 1),
    ]
    (step,) = build("apply", "lab", [Draft("s", "alpha", "t", program)], {"s/alpha": reports}).steps
    assert step.changes == (
        Change("file /etc/x.conf", "mode", "600", "644"),
        Change(program.operations[1].title, "state", "running", "restarted", ripple="file /etc/x.conf"),
    )
    assert step.disruption is Disruption.RESTART
    assert step.operations == 2


def test_a_step_that_hurts_more_is_not_called_a_restart() -> None:
    program = Program("p", "lab", (File("/etc/x", "n"), Unit("x.service", watches=("/etc/x",))))
    reports = {"s/alpha": [Report(0, State.WOULD_CHANGE, 1), Report(1, State.OK, 1)]}
    draft = Draft("s", "alpha", "t", program, disruption=Disruption.REMOVAL)
    plan = build("apply", "lab", [draft], reports)
    assert plan.disruption is Disruption.REMOVAL


def test_an_operation_that_differs_without_saying_in_what() -> None:
    program = Program("p", "lab", (Command("do it", ("true",), creates="/x"),))
    (step,) = build("apply", "lab", [Draft("s", "a", "t", program)], {"s/a": [Report(0, State.WOULD_CHANGE, 1)]}).steps
    assert step.changes == (Change("do it", "state", "differs", "as wanted"),)


def test_only_files_that_kept_programs_need_are_listed() -> None:
    one, two = Material("1" * 64, "kubelet", 10), Material("2" * 64, "kubeadm", 20)
    program = Program("p", "lab", (Install("/usr/bin/kubelet", one.sha256, "kubelet"),))
    other = Program("q", "lab", (Install("/usr/bin/kubeadm", two.sha256, "kubeadm"),))
    drafts = [Draft("s", "alpha", "t", program), Draft("s", "beta", "t", other)]
    reports = {"s/alpha": [Report(0, State.WOULD_CHANGE, 1)], "s/beta": [Report(0, State.OK, 1)]}
    assert build("apply", "lab", drafts, reports, materials=(one, two)).materials == (one,)


def test_what_was_measured_before_is_the_estimate() -> None:
    drafts = [
        Draft("a", "x", "t", Call("c", {}), (), CHANGE, estimate=5),
        Draft("b", "x", "t", Call("c", {}), ("a/x",), CHANGE, estimate=7),
    ]
    assert build("apply", "lab", drafts, {}).duration() == 12
    plan = build("apply", "lab", drafts, {}, estimates={"a": 100.0})
    assert [step.estimate for step in plan.steps] == [100.0, 7]
    assert plan.duration() == 107


def test_a_chain_counts_once_and_what_is_parallel_does_not_add_up() -> None:
    drafts = [Draft("a", h, "t", Call("c", {}), (), CHANGE, estimate=10) for h in "xyz"]
    drafts.append(Draft("b", "x", "t", Call("c", {}), ("a/*",), CHANGE, estimate=5))
    assert build("apply", "lab", drafts, {}).duration() == 15


# -- the digest --


def test_the_digest_moves_with_what_would_be_done_and_with_what_was_seen(example) -> None:
    base = example()
    assert example().digest == base.digest
    assert example(notes=(), materials=()).digest == base.digest
    others = [example(content="other\n"), example(before="seen otherwise\n"), example(definition="d2")]
    assert len({plan.digest for plan in (base, *others)}) == 4


def test_the_same_work_has_the_same_id_in_another_plan(example) -> None:
    one, two = example(), example(before="seen otherwise\n")
    assert [step.id for step in one.steps] == [step.id for step in two.steps]
    three = example(content="other\n")
    assert [a.id == b.id for a, b in zip(one.steps, three.steps, strict=True)] == [False, False, True, True, True]
    assert len({step.id for step in one.steps}) == len(one.steps)


def test_what_goes_ahead_is_kept_with_what_needs_it() -> None:
    drafts = [
        Draft("ask", "x", "t", Call("c", {}), ahead=True),
        Draft("ask", "y", "t", Call("c", {}), ahead=True),
        Draft("do", "x", "t", Call("d", {}), ("ask/x",), CHANGE),
        Draft("do", "y", "t", Call("d", {}), ("ask/y",)),
    ]
    assert [(s.stage, s.target) for s in build("apply", "lab", drafts, {}).steps] == [("ask", "x"), ("do", "x")]
    assert build("apply", "lab", drafts[:2], {}).empty
