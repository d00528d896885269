"""Labels and taints. Law: what Raijin set and no longer wants goes; what others set stays."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from raijin.facts.cluster import LABELS_NOTE, TAINTS_NOTE
from raijin.platforms.calls import node_patch

KEYS = st.sampled_from(["a", "b", "c", "d"])
LABELS = st.dictionaries(KEYS, st.sampled_from(["", "x", "y"]), max_size=4)
EFFECTS = st.sampled_from(["NoSchedule", "NoExecute"])
TAINTS = st.lists(st.tuples(KEYS, EFFECTS), unique=True, max_size=4)


def merged(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def taints(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"key": key, "effect": effect} for key, effect in pairs]


def pairs(live: dict[str, Any]) -> set[tuple[str, str]]:
    return {(taint["key"], taint["effect"]) for taint in live["spec"].get("taints") or []}


@given(st.tuples(LABELS, TAINTS), st.tuples(LABELS, TAINTS), st.tuples(LABELS, TAINTS))
def test_a_node_after_two_definitions(others: Any, first: Any, second: Any) -> None:
    foreign = {f"other/{key}": value for key, value in others[0].items()}
    strange = [(f"other/{key}", effect) for key, effect in others[1]]
    live: dict[str, Any] = {"metadata": {"name": "alpha", "labels": dict(foreign)}, "spec": {"taints": taints(strange)}}
    for labels, wanted in (first, second):
        live = merged(live, node_patch(live, labels, taints(wanted)))
        assert live["metadata"]["labels"] == {**foreign, **labels}
        assert pairs(live) == {*strange, *wanted}
        again = merged(live, node_patch(live, labels, taints(wanted)))
        assert again == live, "the same definition changes nothing"
    empty = merged(live, node_patch(live, {}, []))
    assert empty["metadata"]["labels"] == foreign
    assert pairs(empty) == set(strange)
    notes = empty["metadata"].get("annotations", {})
    assert LABELS_NOTE not in notes
    assert TAINTS_NOTE not in notes
