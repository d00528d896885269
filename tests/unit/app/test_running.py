"""A saved plan: read strictly, and refused when the world has moved, saying what is different now."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from raijin.app.running import compare, read_plan
from raijin.errors import StalePlan, UsageError
from raijin.plan.build import build
from raijin.plan.codec import plan_to_json
from raijin.plan.draft import Draft
from raijin.plan.model import Call, Change, Plan


def plan(*names: str, definition: str = "d1", before: str = "absent") -> Plan:
    changes = (Change("thing", "state", before, "there"),)
    drafts = [Draft(name, "alpha", f"do {name}", Call(name, {}), changes=changes) for name in names]
    return build("apply", "lab", drafts, {}, definition=definition)


def test_a_plan_that_still_holds_is_carried_out() -> None:
    compare(plan("a", "b"), plan("a", "b"))


@pytest.mark.parametrize(
    ("fresh", "words"),
    [
        (plan("a"), "no longer needed: do b on alpha"),
        (plan("a", "b", "c"), "needed now: do c on alpha"),
        (plan("a", "b", definition="d2"), "the definition has changed"),
        (plan("a", "b", before="half"), "the state of a host has moved"),
        (plan(), "no longer needed: do a on alpha; no longer needed: do b on alpha"),
    ],
)
def test_a_plan_that_does_not_says_why(fresh: Plan, words: str) -> None:
    with pytest.raises(StalePlan, match=words) as caught:
        compare(plan("a", "b"), fresh)
    assert "plan again" in (caught.value.remedy or "")


def test_long_differences_are_cut() -> None:
    with pytest.raises(StalePlan) as caught:
        compare(plan(*"abcdefghij"), plan())
    assert str(caught.value).count("no longer needed") == 3


def test_reading_a_plan(tmp_path: Path) -> None:
    path, saved = tmp_path / "plan.json", plan("a")
    path.write_text(json.dumps(plan_to_json(saved)))
    assert read_plan(path) == saved


@pytest.mark.parametrize("content", [None, "", "{", '{"kind": "Cluster"}', "\xff\xfe"])
def test_what_is_no_plan_is_said_with_the_way_out(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "plan.json"
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    with pytest.raises(UsageError) as caught:
        read_plan(path)
    assert "raijin plan --out" in (caught.value.remedy or "")
