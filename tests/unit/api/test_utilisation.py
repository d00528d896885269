"""Utilisation through the API: what was collected, what is usual, whether there is room; and the server's metrics."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.unit.validation.test_checks import SUBJECT

from raijin.app import known
from raijin.app import utilisation as module
from raijin.app.health import Health
from raijin.app.schedules import Schedules
from raijin.app.settings import Schedules as Times
from raijin.errors import HostUnreachable, KubernetesUnavailable
from raijin.facts.utilisation import Utilisation
from raijin.model.node_group import NodeRole
from raijin.state.access import Token, Tokens, Users
from raijin.state.audit import Audit, Entry
from raijin.state.backups import BackupRecord, Backups
from raijin.state.looks import Looks
from raijin.state.member import Member
from raijin.state.members import Members
from raijin.state.samples import Collected, NodeSample, PodSample, Samples
from raijin.validation.finding import Finding, Grade
from raijin.validation.seen import Seen

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


async def test_metrics_tell_of_the_last_look_and_ask_nobody(lab, monkeypatch: pytest.MonkeyPatch) -> None:
    now, service = time.time(), lab.service
    seen = Seen(replace(SUBJECT, cluster="lab"), now)
    findings = (
        Finding("host-health", "n1", Grade.OK, "well"),
        Finding("api-security", "n1", Grade.FAILED, "open"),
        Finding("api-security", "n2", Grade.FAILED, "open too"),
        Finding("backups", "lab", Grade.WARNING, "none"),
    )
    service.known.health("lab", Health("lab", seen, findings))
    looks = Looks(service.database)
    looks.keep("lab", "certificates", {"ends": now + 20 * 86_400, "host": "n1", "path": "/x.crt"})
    looks.keep("lab", "drift", {"steps": 3, "plan": "p"})
    looks.keep("gone", "drift", {"steps": 9, "plan": "p"})
    backups = Backups(service.database)
    backups.record(BackupRecord("b1", "lab", "v1.34.2", "n1", now - 7200, "0" * 64))
    backups.tried("b1", keys=12)
    backups.record(BackupRecord("b2", "lab", "v1.34.2", "n1", now - 3600, "0" * 64))

    async def nobody(*_: object) -> None:
        raise AssertionError("a scrape asks no host")

    monkeypatch.setattr(known, "health_of", nobody)
    text = (await lab.client.get("/metrics")).text
    found = {
        (s.name, *(v for k, v in sorted(s.labels.items()) if k != "cluster")): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
        if s.labels.get("cluster") == "lab"
    }
    assert found["raijin_cluster_healthy",] == 0
    assert found["raijin_cluster_findings", "SECURITY", "failed"] == 2
    assert found["raijin_cluster_findings", "SECURITY", "warning"] == 0
    assert found["raijin_cluster_findings", "OPERATIONS", "warning"] == 1
    assert found["raijin_cluster_certificate_days_left",] == pytest.approx(20, abs=0.01)
    assert found["raijin_cluster_backup_age_seconds",] == pytest.approx(3600, abs=60)
    assert found["raijin_cluster_backup_verified_age_seconds",] == pytest.approx(7200, abs=60)
    assert found["raijin_cluster_drift_steps",] == 3
    assert 'cluster="gone"' not in text


async def test_the_report_says_what_an_auditor_asks(lab) -> None:
    service = lab.service
    seen = Seen(replace(SUBJECT, cluster="lab"), time.time())
    findings = (
        Finding("host-security", "n1", Grade.OK, "all is for root"),
        Finding("api-security", "n1", Grade.OK, "asks"),
    )
    service.known.health("lab", Health("lab", seen, findings))
    Backups(service.database).record(BackupRecord("b1", "lab", "v1.34.2", "n1", time.time(), "ab" * 32))
    Users(service.database).add("ada", None, ["admin"])
    Tokens(service.database).add(Token("t1", "ci", "ada", "ff" * 32, ("viewer:lab",), time.time(), time.time() - 1))
    trail = Audit(service.database, service.home)
    trail.append(Entry("eve", "api", "login", result="refused", address="192.0.2.66"))
    text = (await lab.get("/audit/export", params={"format": "report"})).text
    assert "The chain was verified up to entry" in text
    assert "| ada | local | admin | may log in |" in text
    assert "| ci (t1) | ada | viewer:lab |" in text
    assert "(expired)" in text
    assert "| login | eve | 192.0.2.66 | 1 |" in text
    rows = {
        line.split(" | ")[0].strip("| "): line.split(" | ")[1] for line in text.splitlines() if line.count(" | ") == 2
    }
    assert rows["Encryption at rest"] == "FAIL"
    assert rows["Backups are made"] == rows["Backups are encrypted"] == "pass"
    assert rows["Backups are tried"] == "FAIL"
    assert rows["Keys and kubeconfigs are for root alone"] == "pass"
    assert rows["Nobody unknown is an administrator"] == rows["Certificates are valid"] == "not known"
    assert "ff" * 32 not in text


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
