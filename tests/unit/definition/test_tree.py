"""Text to data by the rules of YAML 1.2, with positions."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raijin.definition.tree import read_trees


def _data(text: str) -> object:
    trees, problems = read_trees(text, "t.yaml")
    assert problems == []
    return trees[0].data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("on", "on"), ("12:30:45", "12:30:45"), ("0777", "0777"), ("0o17", 15), ("0x1F", 31),
        ("2024-01-01", "2024-01-01"), ("true", True), ("False", False), ("~", None), ("-3", -3), ("1.5", 1.5),
        ("1e3", 1000.0), (".inf", ".inf"), ("1_000", "1_000"), ("'1'", "1"), ('"true"', "true"), ("!!str 1", "1"),
        ("!!int 7", 7), ("v1.34.2", "v1.34.2"), ("02:00:5e:10:00:01", "02:00:5e:10:00:01"), ("=", "="),
        ("|\n  a\n  b\n", "a\nb\n"), ("9" * 40, "9" * 40),
    ],
)  # fmt: skip
def test_scalars(text: str, value: object) -> None:
    assert _data(f"x: {text}") == {"x": value}


def test_anchors_and_merge_keys() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: *a, x: 3}\nd:\n  <<: [*b, *a]\ne: *a\n"
    data = _data(text)
    assert isinstance(data, dict)
    assert data["c"] == {"x": 3, "y": 1}
    assert data["d"] == {"x": 1, "y": 2, "z": 2}
    assert data["e"] == {"x": 1, "y": 1}


def test_a_merged_value_has_the_place_where_it_was_written() -> None:
    trees, _ = read_trees("a: &a\n  x: 1\nb:\n  <<: *a\n", "t.yaml")
    assert trees[0].place(("b", "x")) == (2, 6)


def test_places() -> None:
    trees, _ = read_trees("a:\n  - b: 1\n    c: 'x'\n---\nd: 1\n", "t.yaml")
    first, second = trees
    assert first.place(("a", 0, "c")) == (3, 8)
    assert first.place(("a", 0, "c"), key=True) == (3, 5)
    assert first.place(("a", 0, "missing", "deeper")) == (2, 5)
    assert second.place(("d",)) == (5, 4)
    assert second.index == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc-. ", min_size=1), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abcdef", min_size=1), json_values, min_size=1, max_size=4))
def test_json_is_read_as_json(data: dict[str, object]) -> None:
    for text in (json.dumps(data), json.dumps(data, indent=2)):
        trees, problems = read_trees(text, "t.json")
        assert problems == []
        assert trees[0].data == json.loads(text)


def test_json_characters_in_two_escapes() -> None:
    text = r'{"a": "\\ \\\ud83d\ude00 \\ud83d \ud83D\uDE00"}'
    trees, problems = read_trees(text, "t.json")
    assert problems == []
    assert trees[0].data == json.loads(text)
