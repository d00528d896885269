"""Files of a definition that need each other: planned with, checked and written together, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from raijin.app.changes import Change, session_with

ANNEX = "kind: Site\nname: annex\nhosts:\n- {name: x1, address: 192.0.2.41}\n"
EDGE = """\
kind: Cluster
name: edge
type: VANILLA
version: v1.34.2
nodeGroups: [{name: control-plane, role: CONTROL_PLANE, hosts: [x1]}]
"""
BOTH = {"annex": ANNEX, "edge": EDGE}


@pytest.fixture
async def lab(server, cluster) -> Any:
    server.put_file("lab", yaml.safe_dump({"kind": "Cluster", **cluster}, sort_keys=False))
    return server


def names(server: Any) -> list[str]:
    return [item.name for item in server.service.store.files()]


async def put(server: Any, files: dict[str, str], **more: Any) -> Any:
    return await server.ask("PUT", "/definitions", json={"files": files, **more})


async def test_files_that_need_each_other_are_written_together(lab, problem) -> None:
    """One without the other is wrong; which of them comes first in the request does not matter."""
    problem(await put(lab, {"edge": EDGE}), 422, "definition")
    assert names(lab) == ["lab", "site"]
    written = await put(lab, dict(reversed(BOTH.items())))
    assert written.status_code == 200, written.text
    assert names(lab) == ["annex", "edge", "lab", "site"]
    assert (lab.service.folder / "edge.yaml").read_text() == EDGE
    etags = {item["name"]: item["etag"] for item in written.json()["definitions"]}
    moved = {name: text.replace("x1", "x2") for name, text in BOTH.items()}
    problem(await put(lab, moved), 412, "precondition-failed")
    problem(await put(lab, moved, matches={**etags, "edge": "0" * 32}), 412, "precondition-failed")
    assert (lab.service.folder / "annex.yaml").read_text() == ANNEX
    assert (await put(lab, moved, matches=etags)).status_code == 200
    assert "x2" in (lab.service.folder / "annex.yaml").read_text()


@pytest.mark.parametrize(
    ("files", "status", "text"),
    [
        ({"annex": ANNEX, "edge": EDGE.replace("x1", "n2")}, 422, "belongs to the cluster lab already"),
        ({"annex": ANNEX, "edge": EDGE.replace("edge", "lab")}, 422, "there is a cluster lab in lab already"),
        ({"annex": ANNEX, "edge": "kind: ["}, 422, "edge.yaml"),
        ({"a": EDGE, "b": EDGE, "annex": ANNEX}, 422, "there is a cluster edge in"),
        ({"site": ANNEX, "edge": EDGE}, 412, "there is a definition site already"),
        ({"../x": ANNEX}, 422, "files"),
        ({}, 422, "files"),
    ],
)
async def test_what_is_wrong_writes_none_of_them(lab, files: dict[str, str], status: int, text: str) -> None:
    before = {path.name: path.read_text() for path in lab.service.folder.glob("*.yaml")}
    response = await put(lab, files)
    assert response.status_code == status, response.text
    assert text in response.text
    assert {path.name: path.read_text() for path in lab.service.folder.glob("*.yaml")} == before


async def test_a_shared_file_that_a_cluster_would_be_wrong_with_is_not_written(lab) -> None:
    etag = lab.service.store.file("site").etag
    smaller = "kind: Site\nhosts: [{name: n1, address: 192.0.2.11}]\n"
    response = await put(lab, {"site": smaller}, matches={"site": etag})
    assert (response.status_code, "n2" in response.text) == (422, True), response.text
    assert lab.service.store.file("site").etag == etag


async def test_they_are_checked_without_being_written(lab) -> None:
    checked = (await lab.post("/definitions/check-together", {"files": BOTH})).json()
    assert (checked["valid"], checked["clusters"], checked["hosts"]) == (True, ["edge"], 5)
    assert names(lab) == ["lab", "site"]


async def test_a_plan_of_files_is_a_plan_of_what_the_store_will_say(lab) -> None:
    """Else whoever agrees, after they were written, would be told that the plan is stale."""
    promised = session_with(lab.service, "edge", Change(), BOTH).fingerprint()
    assert not lab.service.knows("edge")
    await put(lab, BOTH)
    assert lab.service.session("edge").fingerprint() == promised
    assert session_with(lab.service, "edge", Change(), {"edge": EDGE}).fingerprint() == promised
    newer = {"edge": EDGE.replace("v1.34.2", "v1.35.4")}
    assert session_with(lab.service, "edge", Change(), newer).fingerprint() != promised


async def test_files_belong_to_plans_that_apply_and_to_a_cluster(lab, problem) -> None:
    asked = {"verb": "destroy", "definitions": BOTH}
    response = await lab.post("/clusters/lab/plan", asked)
    assert (response.status_code, "definitions says nothing about destroy" in response.text) == (422, True)
    problem(await lab.post("/clusters/nobody/plan", {"definitions": BOTH}), 404, "not-found")
