"""A plan as JSON. Law: it comes back as it was, and what was edited is not taken for it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from raijin.errors import UsageError
from raijin.plan.codec import plan_from_json, plan_to_json

Edit = Callable[[dict[str, Any]], None]


def written(plan) -> dict[str, Any]:
    return json.loads(json.dumps(plan_to_json(plan)))


def test_there_and_back(example) -> None:
    plan = example()
    back = plan_from_json(written(plan))
    assert back == plan
    assert back.digest == plan.digest
    assert plan_to_json(back) == plan_to_json(plan)


def test_a_program_that_hosts_share_is_written_once(example) -> None:
    data = written(example())
    assert len(data["programs"]) == 1
    assert sum("program" in step["action"] for step in data["steps"]) == 2


def test_secrets_are_in_it_by_name(example) -> None:
    (program,) = written(example())["programs"].values()
    assert program["operations"][1]["content"] == {"secret": "token"}


def step(data: dict[str, Any], stage: str) -> dict[str, Any]:
    return next(item for item in data["steps"] if item["stage"] == stage)


def program(data: dict[str, Any]) -> dict[str, Any]:
    return next(iter(data["programs"].values()))


EDITS: dict[str, Edit] = {
    "verb": lambda d: d.update(verb="destroy"),
    "cluster": lambda d: d.update(cluster="other"),
    "definition": lambda d: d.update(definition="d2"),
    "a step less": lambda d: d["steps"].pop(),
    "the order": lambda d: d["steps"].reverse(),
    "needs": lambda d: step(d, "drain").update(needs=[]),
    "what was seen": lambda d: step(d, "drain")["changes"][0].update(before="nothing"),
    "id": lambda d: step(d, "drain").update(id="drain.delta.0000000000"),
}
UNSEEN: dict[str, Edit] = {
    "content of a file": lambda d: program(d)["operations"][0].update(content="evil\n"),
    "path of a file": lambda d: program(d)["operations"][0].update(path="/etc/shadow"),
    "arguments of a call": lambda d: step(d, "network")["action"]["arguments"].update(port=1),
    "name of a call": lambda d: step(d, "drain")["action"].update(call="kube.delete-node"),
    "target": lambda d: step(d, "drain").update(target="alpha"),
    "title": lambda d: step(d, "drain").update(title="harmless"),
    "disruption": lambda d: step(d, "drain").update(disruption="NONE"),
    "retry": lambda d: step(d, "drain").update(retry="transient"),
    "timeout": lambda d: step(d, "drain").update(timeout=1),
}


@pytest.mark.parametrize("what", EDITS)
def test_what_was_edited_is_refused(example, what: str) -> None:
    data = written(example())
    untouched = copy.deepcopy(data)
    EDITS[what](data)
    assert data != untouched
    with pytest.raises(UsageError, match="edited"):
        plan_from_json(data)


@pytest.mark.parametrize("what", UNSEEN)
def test_what_was_edited_below_the_ids_is_refused_too(example, what: str) -> None:
    data = written(example())
    UNSEEN[what](data)
    with pytest.raises(UsageError, match="edited"):
        plan_from_json(data)


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d.pop("steps"),
        lambda d: d["steps"][0].pop("title"),
        lambda d: d["steps"][0].update(action={"program": "unknown"}),
        lambda d: d["steps"][0].update(disruption="HARMLESS"),
        lambda d: d["steps"][0].update(retry="always"),
        lambda d: d.update(programs=[]),
        lambda d: d.update(materials=[{"sha256": "0"}]),
        lambda d: program(d)["operations"][0].update(kind="explode"),
        lambda d: d.update(steps=None),
    ],
)
def test_a_damaged_plan_is_our_error_with_a_way_out(example, edit: Edit) -> None:
    data = written(example())
    edit(data)
    with pytest.raises(UsageError) as caught:
        plan_from_json(data)
    assert caught.value.remedy


@pytest.mark.parametrize("data", [{}, {"format": 99}, {"format": "1"}, {"kind": "Cluster"}])
def test_what_is_no_plan(data: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="not a plan that this Raijin can read"):
        plan_from_json(data)


@pytest.mark.parametrize("data", [[], "text", None, 7])
def test_json_that_is_no_object(data: Any) -> None:
    with pytest.raises(UsageError):
        plan_from_json(data)
