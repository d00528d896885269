"""One golden plan per example and occasion: a change of what Raijin would do shows here, to be looked at and agreed to.

To write the golden files anew: UPDATE_GOLDEN=1 pytest tests/plans/test_golden.py
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from raijin.app.unsupported import unsupported
from raijin.operations.program import Program
from raijin.plan.model import Disruption, Plan

HERE = Path(__file__).parent
SERVED = ("minimal", "single-host", "ha", "external-etcd", "k3s", "k3s-ha", "k3s-datastore", "rke2", "rke2-ha")
SEVERAL = ("mesh",)
"""Served, and no plan of their own: more than one cluster is in them."""
OUTSIDE = ("talos", "talos-ha", "okd", "okd-balanced")
"""Served too, by calls alone: their goldens are made in test_talos.py and test_okd.py."""
OCCASIONS = ("first-apply", "no-change", "destroy")


def told(plan: Plan) -> Iterator[str]:
    """A plan without contents: steps, what they wait for, operations (once per program), changes of calls."""
    names = {step.id: f"{step.stage}/{step.target}" for step in plan.steps}
    shown: dict[str, str] = {}
    yield f"{plan.verb} {plan.cluster}: {len(plan.steps)} steps, {plan.disruption}"
    for step in plan.steps:
        marks = [] if step.disruption is Disruption.NONE else [str(step.disruption)]
        marks += ["never retried"] if step.retry == "never" else []
        marks += ["renewed"] if step.renewed else []
        yield f"\n{names[step.id]}: {step.title}" + (f" ({', '.join(marks)})" if marks else "")
        if step.needs:
            yield f"    after {', '.join(names[need] for need in step.needs)}"
        if isinstance(step.action, Program):
            same = shown.setdefault(step.action.id, names[step.id])
            if same != names[step.id]:
                yield f"    the program of {same}"
            else:
                yield from (f"    - {operation.title}" for operation in step.action.operations)
        else:
            yield f"    calls {step.action.name}"
            yield from (f"    {c.thing}: {c.field}: {c.before} -> {c.after}" for c in step.changes)


def compare(name: str, text: str) -> None:
    golden = HERE / "golden" / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("occasion", OCCASIONS)
@pytest.mark.parametrize("example", SERVED)
def test_plans_of_an_example(world, example: str, occasion: str) -> None:
    before = world(example)
    if occasion != "first-apply":
        before = before.carry_out(before.plan())
    plan = before.plan("destroy" if occasion == "destroy" else "apply")
    compare(f"{example}.{occasion}", "\n".join(told(plan)) + "\n")


@pytest.mark.parametrize("occasion", ["add-worker", "remove-worker", "remove-dead-worker"])
def test_plans_of_a_change(world, examples: Path, occasion: str) -> None:
    text = (examples / "minimal.yaml").read_text()
    if occasion == "add-worker":
        text = text.replace("---", "  - name: w3\n    address: 192.0.2.23\n---").replace("[w1, w2]", "[w1, w2, w3]")
    else:
        text = text.replace("[w1, w2]", "[w1]")
    before = world("minimal")
    before = before.carry_out(before.plan()).defined(text)
    if occasion == "remove-dead-worker":
        before.power_cut("w2")
    compare(f"minimal.{occasion}", "\n".join(told(before.plan())) + "\n")


def test_what_an_example_asks_for_and_is_not_served_yet_is_said(world, examples: Path) -> None:
    """Each example is served, or the golden file says field by field what is not."""
    for path in sorted(examples.glob("*.yaml")):
        definition = world(path.stem).definition
        lines = [
            f"{cluster.name}: {place}: {reason}"
            for cluster in definition.clusters
            for place, reason in unsupported(cluster, definition.site(), [p.host for p in definition.hosts_of(cluster)])
        ]
        assert bool(lines) == (path.stem not in (*SERVED, *SEVERAL, *OUTSIDE))
        if lines:
            compare(f"{path.stem}.not-yet", "\n".join(lines) + "\n")


def test_every_golden_file_has_its_example(examples: Path) -> None:
    stems = {path.name.partition(".")[0] for path in (HERE / "golden").iterdir()}
    assert stems == {path.stem for path in examples.glob("*.yaml")} - {*SEVERAL}
