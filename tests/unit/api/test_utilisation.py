"""Utilisation through the API: what was collected, what is usual, whether there is room; and the server's metrics."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from raijin.app import utilisation as module
from raijin.app.schedules import Schedules
from raijin.app.settings import Schedules as Times
from raijin.errors import HostUnreachable, KubernetesUnavailable
from raijin.facts.utilisation import Utilisation
from raijin.model.node_group import NodeRole
from raijin.state.member import Member
from raijin.state.members import Members
from raijin.state.samples import Collected, NodeSample, PodSample, Samples

GIB = 2.0**30


def sample(node: str, at: float, cpu: float = 1.0) -> NodeSample:
    return NodeSample(node, at, cpu, 4.0, 2.0, 2 * GIB, 8 * GIB, 3 * GIB, 12, 110, True, cpu, 2 * GIB)


@pytest.fixture
async def lab(server, cluster):
    """A cluster that was looked at twice."""
    await server.post("/clusters/provision", cluster)
    samples, now = Samples(server.service.database), time.time()
    for at in (now - 300, now):
        pods = [PodSample("shop", "web", "n2", at, 0.1, 0.2, 5e7, 6e7)]
        samples.record("lab", Collected(at, "kubelet", ("n3: silent",)), [sample("n1", at), sample("n2", at)], pods)
    return server


async def test_what_was_collected_is_shown_with_its_history_and_what_is_missing(lab) -> None:
    found = (await lab.get("/clusters/lab/utilisation")).json()
    assert (found["source"], found["faults"]) == ("kubelet", ["n3: silent"])
    assert found["total"]["cpu"] == {"used": 2.0, "requested": 4.0, "size": 8.0}
    assert [node["name"] for node in found["nodes"]] == ["n1", "n2"]
    assert found["pods"][0]["pod"] == "web"
    assert [point["cpu_used"] for point in found["history"]] == [2.0, 2.0]
    one = (await lab.get("/clusters/lab/utilisation", params={"node": "n1"})).json()
    assert [point["cpu_peak"] for point in one["history"]] == [1.0, 1.0]


async def test_a_cluster_that_was_not_looked_at_says_so(server, cluster) -> None:
    await server.post("/clusters/provision", cluster)
    found = (await server.get("/clusters/lab/utilisation")).json()
    assert (found["at"], found["nodes"], found["faults"]) == (None, [], ["lab was not looked at yet"])
    room = (await server.get("/clusters/lab/capacity")).json()
    assert [(r["grade"], r["text"]) for r in room["recommendations"]] == [("unknown", "nothing was measured yet")]
    usual = (await server.get("/clusters/lab/baseline")).json()
    assert (usual["samples"], usual["hours"]) == (0, [])


async def test_capacity_and_baseline(lab) -> None:
    room = (await lab.get("/clusters/lab/capacity")).json()
    assert room["nodes"] == 2
    cpu = room["resources"][0]
    assert (cpu["allocatable"], cpu["limit"], cpu["requested"], cpu["headroom"]) == (8.0, 4.0, 4.0, 0.0)
    assert "allocatable: 2 x 4.00 = 8.00 cores" in cpu["arithmetic"]
    usual = (await lab.get("/clusters/lab/baseline", params={"days": 1})).json()
    assert usual["resources"]["cpu"] == {"unit": "cores", "p50": 2.0, "p95": 2.0, "most": 2.0}


@pytest.mark.parametrize("path", ["utilisation", "baseline", "capacity"])
async def test_who_may_not_see_a_cluster_sees_none_of_it(start, cluster, problem, path) -> None:
    server = await start(ask=True)
    token = server.access.setup_token()
    server.access.setup(token, "ada", "correct horse battery", "")
    problem(await server.get(f"/clusters/lab/{path}"), 401, "not-authenticated")
    server.access.users.add("bob", None, ["viewer:other"])
    caller = server.access.by_session(server.access.open_session("bob")[0], "")
    secret, _ = server.access.new_token(caller, "t", ["viewer:other"], 1)
    headers = {"authorization": f"Bearer {secret}"}
    problem(await server.get(f"/clusters/lab/{path}", headers=headers), 403, "access-denied")
    problem(await server.get(f"/clusters/other/{path}", headers=headers), 404, "not-found")


async def test_wrong_questions_are_refused(lab, problem) -> None:
    problem(await lab.get("/clusters/lab/utilisation", params={"node": "n9"}), 404, "not-found")
    problem(await lab.get("/clusters/lab/utilisation", params={"hours": 0}), 422, "request-invalid")
    problem(await lab.get("/clusters/lab/utilisation", params={"hours": 1e9}), 422, "request-invalid")
    problem(await lab.get("/clusters/lab/utilisation", params={"node": "../x"}), 422, "request-invalid")
    problem(await lab.get("/clusters/lab/baseline", params={"days": 31}), 422, "request-invalid")


async def test_performance_is_a_category_of_validation(lab) -> None:
    wanted = {"validationSuite": "COMPREHENSIVE", "categories": ["PERFORMANCE"]}
    report = (await lab.post("/clusters/lab/validate", wanted)).json()
    assert report["skipped"] == []
    assert [(f["check"], f["grade"]) for f in report["findings"]] == [("capacity", "ok")]
    assert report["healthy"]


async def test_the_metrics_of_the_server_are_prometheus_s(lab) -> None:
    await lab.get("/clusters")
    text = (await lab.client.get("/metrics")).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert all(family.documentation for family in families.values())
    used = families["raijin_cluster_cpu_used_ratio"].samples
    assert [(s.labels, s.value) for s in used] == [({"cluster": "lab"}, 0.25)]
    assert families["raijin_cluster_memory_used_ratio"].samples[0].value == 0.25
    assert {s.labels["state"]: s.value for s in families["raijin_runs"].samples}["queued"] == 1.0
    asked = families["raijin_http_request_seconds"].samples
    assert any(s.labels.get("route", "").endswith("/clusters") and s.value >= 1 for s in asked)


def made(server, cluster: str) -> None:
    """As if it had been applied."""
    Members(server.service.database).remember(cluster, Member("n1", NodeRole.CONTROL_PLANE.value, {}))


async def test_the_schedule_looks_at_every_cluster_and_one_that_is_silent_stops_none(
    server, cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, host in (("silent", "n1"), ("lab", "n3"), ("unmade", "n4")):
        groups = [{"name": "cp", "role": "CONTROL_PLANE", "hosts": [host]}]
        await server.post("/clusters/provision", {**cluster, "name": name, "nodeGroups": groups})
    asked = []

    async def look(session) -> Utilisation:
        asked.append(session.cluster.name)
        if session.cluster.name == "silent":
            raise HostUnreachable("no route", host="n1")
        return Utilisation(time.time(), "metrics.k8s.io", (sample("n3", time.time()),), ())

    monkeypatch.setattr(module, "look", look)
    for name in ("silent", "lab"):
        made(server, name)
    await Schedules(server.service).due("utilisation", 0.0)
    assert sorted(asked) == ["lab", "silent"]  # what was never made is not asked
    samples = Samples(server.service.database)
    assert [n.node for n in samples.newest("lab")] == ["n3"]
    found = (await server.get("/clusters/silent/utilisation")).json()
    assert found["at"] is None
    assert "no route" in found["faults"][0]


async def test_what_was_kept_of_a_cluster_goes_with_it(server, cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another of its name does not begin with its history."""
    await server.post("/clusters/provision", cluster)
    made(server, "lab")

    async def look(session) -> Utilisation:
        del session
        return Utilisation(time.time(), "metrics.k8s.io", (sample("n2", time.time()),), ())

    monkeypatch.setattr(module, "look", look)
    await server.service.measured.collect("lab")
    samples = Samples(server.service.database)
    assert samples.newest("lab")
    Members(server.service.database).forget("lab", "n1")
    await server.service.measured.collect("lab")
    assert (samples.newest("lab"), samples.collected("lab")) == ([], None)


async def test_a_silent_cluster_keeps_what_was_known_of_it(server, cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    await server.post("/clusters/provision", cluster)
    made(server, "lab")
    seen = Utilisation(time.time(), "metrics.k8s.io", (sample("n2", time.time()),), ())

    async def look(session) -> Utilisation:
        del session
        if not answers:
            raise KubernetesUnavailable("the API does not answer", host="lab")
        return answers.pop()

    answers = [replace(seen)]
    monkeypatch.setattr(module, "look", look)
    for _ in range(2):
        await server.service.measured.collect("lab")
    found = (await server.get("/clusters/lab/utilisation")).json()
    assert [n["name"] for n in found["nodes"]] == ["n2"]
    assert found["source"] == "metrics.k8s.io"
    assert "does not answer" in found["faults"][0]


def test_it_is_looked_at_every_five_minutes_unless_somebody_wants_it_otherwise() -> None:
    assert Times.bare().utilisation == "*/5 * * * *"
    assert Times.model_validate({"utilisation": None}).utilisation is None
