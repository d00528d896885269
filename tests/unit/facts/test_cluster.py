"""What differs between a document and its live object."""

from __future__ import annotations

from typing import Any

from raijin.facts.cluster import given_up

DOCUMENT = {"metadata": {"name": "c", "labels": {"a": "1"}}, "data": {"kept": "x"}}


def live(manager: str = "raijin", operation: str = "Apply") -> dict[str, Any]:
    fields = {"f:data": {".": {}, "f:kept": {}, "f:gone": {}}, "f:metadata": {"f:labels": {"f:a": {}, "f:b": {}}}}
    own = {"manager": manager, "operation": operation, "fieldsV1": fields}
    return {
        "metadata": {"name": "c", "labels": {"a": "1", "b": "2"}, "managedFields": [own]},
        "data": {"kept": "x", "gone": "y", "foreign": "z"},
    }


def test_what_raijin_applied_and_no_longer_wants() -> None:
    """Server-side apply takes it away, so the plan says so: a setting that was turned off is a change."""
    assert given_up(DOCUMENT, live()) == [("data.gone", "y", "absent"), ("metadata.labels.b", "2", "absent")]


def test_what_others_wrote_stays() -> None:
    assert given_up(DOCUMENT, live("kubectl")) == []
    assert given_up(DOCUMENT, live(operation="Update")) == []


def test_what_is_gone_already_is_no_change() -> None:
    there = live()
    del there["data"]["gone"]
    assert given_up(DOCUMENT, there) == [("metadata.labels.b", "2", "absent")]


def test_a_mapping_that_is_given_up_as_a_whole() -> None:
    assert given_up({"metadata": DOCUMENT["metadata"]}, live())[0][0] == "data"


def test_items_of_lists_are_left_to_the_comparison() -> None:
    fields = {"f:spec": {"f:x": {'k:{"name":"a"}': {}}}}
    own = {"manager": "raijin", "operation": "Apply", "fieldsV1": fields}
    there = {"metadata": {"managedFields": [own]}, "spec": {"x": [{"name": "a"}]}}
    assert given_up({"spec": {"x": []}}, there) == []
