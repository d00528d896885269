"""Requests that are sent again, and wishes that cannot be met, are met once or said."""

from __future__ import annotations

import pytest

from raijin.state.audit import Audit, Entry
from raijin.state.runs import RunStatus


async def failed(server, cluster) -> str:
    """A run that had a plan, and failed."""
    run = (await server.post("/clusters/provision", cluster)).json()["id"]
    runs = server.service.runs
    runs.create(run, cluster="lab", verb="apply", plan="{}", settings="{}", steps=[("a", "prepare", "n1")])
    runs.finish(run, RunStatus.FAILED, {"detail": "no"})
    return str(run)


async def test_going_on_with_a_run_may_be_asked_twice_and_is_done_once(server, cluster, problem) -> None:
    run = await failed(server, cluster)
    headers = {"idempotency-key": "once"}
    first = await server.post(f"/runs/{run}/resume", headers=headers)
    assert (first.status_code, first.headers["location"]) == (202, f"/api/v1/runs/{run}")
    again = await server.post(f"/runs/{run}/resume", headers=headers)
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert server.queue.runs == [run, f"{run} again 1"]
    problem(await server.post("/clusters/lab/backup", headers=headers), 409, "key-reused")


async def test_a_surge_that_nobody_makes_is_refused_and_the_seed_s_is_none(server, cluster, problem) -> None:
    run = (await server.post("/clusters/provision", cluster)).json()["id"]
    server.service.runs.finish(run, RunStatus.DONE, None)
    wanted = {"nodeGroup": "workers", "targetCount": 2, "strategy": "ROLLING", "drainTimeout": "10m"}
    before = server.service.store.text("lab")[1]
    said = problem(await server.ask("PUT", "/clusters/lab/scale", json={**wanted, "maxSurge": 2}), 422, "unsupported")
    assert "maxSurge" in said["detail"]
    assert server.service.store.text("lab")[1] == before
    assert (await server.ask("PUT", "/clusters/lab/scale", json={**wanted, "maxSurge": 1})).status_code == 202


@pytest.mark.parametrize("result", ["refused", "done"])
async def test_incidents_are_the_same_everywhere(server, result) -> None:
    trail = Audit(server.service.database, server.service.home)
    for action in ("login", "host-key", "apply"):
        trail.append(Entry("eve", "api", action, result=result))
    expected = ["login", "host-key"] if result == "refused" else []
    found = (await server.get("/audit/incidents")).json()["incidents"]
    assert [entry["action"] for entry in found] == expected[::-1]
    assert [e.action for e in trail.entries(newest=True, incidents=True)] == expected[::-1]
    assert [e.action for e in trail.all() if e.incident] == expected
    assert trail.count() == (3.0, float(len(expected)))
