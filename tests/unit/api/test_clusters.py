"""Clusters through the API: made, read, scaled, upgraded; and everything wrong that changes nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from raijin.backups.naming import file_name, new_id
from raijin.state.locks import Locks
from raijin.state.runs import RunStatus

DOCUMENTS = Path(__file__).parents[3] / "examples"
K3S = json.loads((DOCUMENTS / "k3s-edge.json").read_text())
OKD = json.loads((DOCUMENTS / "okd-production.json").read_text())


async def test_a_cluster_is_provisioned_and_read_again(server, cluster) -> None:
    response = await server.post("/clusters/provision", cluster)
    assert response.status_code == 202, response.text
    run = response.json()
    assert response.headers["location"] == f"/api/v1/runs/{run['id']}"
    assert (run["cluster"], run["verb"], run["state"], run["requested_by"]) == ("lab", "apply", "queued", "anybody")
    assert server.queue.runs == [run["id"]]
    found = (await server.get("/clusters")).json()
    assert [(c["name"], c["size"], c["nodes"]) for c in found["clusters"]] == [
        ("lab", 2, {"CONTROL_PLANE": 1, "WORKER": 1})
    ]
    assert found["clusters"][0]["last_run"]["id"] == run["id"]
    details = await server.get("/clusters/lab")
    assert details.json()["document"]["nodeGroups"][1]["hosts"] == ["n2"]
    assert [host["address"] for host in details.json()["hosts"]] == ["192.0.2.11", "192.0.2.12"]
    assert re.fullmatch(r'"[0-9a-f]{32}"', details.headers["etag"])


async def test_the_same_document_again_is_the_same_request(server, cluster) -> None:
    first = (await server.post("/clusters/provision", cluster)).json()
    server.service.runs.finish(first["id"], RunStatus.DONE, None)
    again = await server.post("/clusters/provision", cluster)
    assert again.status_code == 202
    assert again.json()["id"] != first["id"]


async def test_another_document_under_the_name_is_refused(server, cluster, problem) -> None:
    run = (await server.post("/clusters/provision", cluster)).json()
    server.service.runs.finish(run["id"], RunStatus.DONE, None)
    before = (server.service.folder / "lab.yaml").read_text()
    problem(await server.post("/clusters/provision", {**cluster, "version": "v1.35.4"}), 409, "plan-refused")
    assert (server.service.folder / "lab.yaml").read_text() == before


@pytest.mark.parametrize("document", [K3S, OKD], ids=["k3s", "okd"])
async def test_the_seeds_requests_are_valid_and_what_cannot_be_served_is_said(server, document, problem) -> None:
    """Byte for byte: nothing in them is wrong. What cannot be served yet is refused part by part; nothing is kept."""
    said = problem(await server.post("/clusters/provision", document), 422, "unsupported")
    assert "bootMethod" in said["detail"]
    assert said["exit_code"] == 4
    assert (await server.get("/clusters")).json()["clusters"] == []


async def test_every_fault_of_a_document_is_said_at_once(server, cluster, problem) -> None:
    cluster["nodeGroups"][1] |= {"hosts": ["n9"], "rolle": "x"}
    cluster["version"] = "1.34"
    said = problem(await server.post("/clusters/provision", cluster), 422, "definition")
    assert {error["path"] for error in said["errors"]} >= {"version", "nodeGroups[1].rolle"}
    assert not (server.service.folder / "lab.yaml").exists()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..", "a/b", "", "UPPER", "x" * 64, "a\u0000b", "\ud800", 7, None, {"a": 1}]
)
async def test_a_name_that_is_none_makes_no_file(server, cluster, name, problem) -> None:
    response = await server.client.post(
        "/api/v1/clusters/provision",
        content=json.dumps({**cluster, "name": name}),
        headers={"content-type": "application/json"},
    )
    assert response.status_code in {400, 422}, response.text
    problem(response, response.status_code, response.json()["type"].rpartition(":")[2])
    assert sorted(p.name for p in server.service.folder.iterdir()) == [".lock", "site.yaml"]


@pytest.mark.parametrize("name", ["..%2f..%2fetc", "%2e%2e", "lab%00", "LAB", "a" * 300])
async def test_a_name_in_an_address_that_is_none(server, name: str, problem) -> None:
    response = await server.get(f"/clusters/{name}")
    assert response.status_code in {404, 422}
    problem(response, response.status_code, response.json()["type"].rpartition(":")[2])


async def test_scaling_takes_free_hosts_and_keeps_comments(server, cluster) -> None:
    server.put_file("lab", "# ours\n" + yaml.safe_dump({"kind": "Cluster", **cluster}, sort_keys=False))
    wanted = {"nodeGroup": "workers", "targetCount": 3, "strategy": "ROLLING", "maxSurge": 1, "drainTimeout": "10m"}
    response = await server.ask("PUT", "/clusters/lab/scale", json=wanted)
    assert response.status_code == 202, response.text
    text = server.keep(response.json()["id"])
    assert text.startswith("# ours\n")
    assert yaml.safe_load(text)["nodeGroups"][1]["hosts"] == ["n2", "n3", "n4"]
    assert response.json()["request"]["drain_timeout"] == "10m"
    server.service.runs.finish(response.json()["id"], RunStatus.DONE, None)
    back = await server.ask("PUT", "/clusters/lab/scale", json=wanted | {"targetCount": 1})
    assert back.status_code == 202
    assert yaml.safe_load(server.keep(back.json()["id"]))["nodeGroups"][1]["hosts"] == ["n2"]


async def test_while_a_run_waits_nothing_is_written(server, cluster, problem) -> None:
    """Else the run that waits would carry out what its caller was refused."""
    server.put_file("lab", yaml.safe_dump({"kind": "Cluster", **cluster}))
    waiting = (await server.post("/clusters/lab/backup")).json()["id"]
    before = (server.service.folder / "lab.yaml").read_text()
    wanted = {"nodeGroup": "workers", "targetCount": 3}
    said = problem(await server.ask("PUT", "/clusters/lab/scale", json=wanted), 423, "locked")
    assert waiting in said["detail"]
    assert (server.service.folder / "lab.yaml").read_text() == before


async def test_the_end_of_a_cluster_is_bound_to_the_plan_that_was_shown(server, cluster, problem) -> None:
    server.put_file("lab", yaml.safe_dump({"kind": "Cluster", **cluster}))
    problem(await server.ask("DELETE", f"/clusters/lab?plan={'a' * 64}"), 404, "not-found")
    problem(await server.ask("DELETE", "/clusters/lab?plan=../x"), 422, "request-invalid")
    assert server.queue.runs == []


async def test_scaling_beyond_the_hosts_there_are_changes_nothing(server, cluster, problem) -> None:
    server.put_file("lab", yaml.safe_dump({"kind": "Cluster", **cluster}))
    before = (server.service.folder / "lab.yaml").read_text()
    wanted = {"nodeGroup": "workers", "targetCount": 9}
    said = problem(await server.ask("PUT", "/clusters/lab/scale", json=wanted), 409, "plan-refused")
    assert "8 more hosts, and 2 of the Site are free" in said["detail"]
    wanted = {"nodeGroup": "nobody", "targetCount": 1}
    problem(await server.ask("PUT", "/clusters/lab/scale", json=wanted), 404, "not-found")
    wanted = {"nodeGroup": "control-plane", "targetCount": 0}
    problem(await server.ask("PUT", "/clusters/lab/scale", json=wanted), 409, "plan-refused")
    assert (server.service.folder / "lab.yaml").read_text() == before
    assert server.queue.runs == []


async def test_a_cluster_without_workers_gets_a_group_of_them(server, cluster) -> None:
    """The seed scales `workers` of a cluster that it made without any."""
    del cluster["nodeGroups"][1]
    server.put_file("lab", yaml.safe_dump({"kind": "Cluster", **cluster}))
    response = await server.ask("PUT", "/clusters/lab/scale", json={"nodeGroup": "workers", "targetCount": 2})
    assert response.status_code == 202, response.text
    group = yaml.safe_load(server.keep(response.json()["id"]))["nodeGroups"][1]
    assert group == {"name": "workers", "role": "WORKER", "hosts": ["n2", "n3"]}


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"nodeGroup": "workers"},
        {"nodeGroup": "workers", "targetCount": "many"},
        {"nodeGroup": "workers", "targetCount": -1},
        {"nodeGroup": "workers", "targetCount": 10**30},
        {"nodeGroup": "../x", "targetCount": 1},
        {"nodeGroup": "workers", "targetCount": 1, "unknown": True},
        {"nodeGroup": "workers", "targetCount": 1, "strategy": "RECREATE"},
        {"nodeGroup": "workers", "targetCount": 1, "drainTimeout": "soon"},
        [1, 2],
        "text",
        None,
    ],
    ids=str,
)
async def test_a_wrong_wish_to_scale(server, cluster, wanted, problem) -> None:
    server.put_file("lab", yaml.safe_dump({"kind": "Cluster", **cluster}))
    response = await server.client.request(
        "PUT", "/api/v1/clusters/lab/scale", content=json.dumps(wanted), headers={"content-type": "application/json"}
    )
    said = problem(response, 422, "request-invalid")
    assert said["errors"]
    assert server.queue.runs == []


async def test_only_one_thing_at_a_time_is_asked_of_a_cluster(server, cluster, problem) -> None:
    run = (await server.post("/clusters/provision", cluster)).json()
    problem(await server.post("/clusters/lab/apply"), 423, "locked")
    server.service.runs.finish(run["id"], RunStatus.DONE, None)
    Locks(server.service.database).acquire("cluster/lab", "20260101-000000-aaaa")
    said = problem(await server.post("/clusters/lab/backup"), 423, "locked")
    assert "20260101-000000-aaaa" in said["detail"]
    text = (server.service.folder / "lab.yaml").read_text()
    problem(
        await server.ask("PUT", "/clusters/lab/scale", json={"nodeGroup": "workers", "targetCount": 2}), 423, "locked"
    )
    assert (server.service.folder / "lab.yaml").read_text() == text


async def test_an_upgrade_is_a_change_of_the_definition(server, cluster, problem) -> None:
    server.put_file("lab", yaml.safe_dump({"kind": "Cluster", **cluster}))
    etag = (await server.get("/clusters/lab")).headers["etag"]
    problem(await server.post("/clusters/lab/upgrade", {"version": "1.2"}), 422, "definition")
    stale = {"If-Match": f'"{"0" * 32}"'}
    response = await server.post("/clusters/lab/upgrade", {"version": "v1.35.4"}, headers=stale)
    problem(response, 412, "precondition-failed")
    response = await server.post("/clusters/lab/upgrade", {"version": "v1.35.4"}, headers={"If-Match": etag})
    assert response.status_code == 202, response.text
    assert response.json()["request"]["change"] == {"verb": "upgrade", "version": "v1.35.4"}
    assert (await server.get("/clusters/lab")).headers["etag"] == etag, "nobody has planned it yet"
    server.keep(response.json()["id"])
    assert (await server.get("/clusters/lab")).json()["version"] == "v1.35.4"


async def test_what_ends_or_restores_a_cluster_is_a_run(server, cluster, problem) -> None:
    server.put_file("lab", yaml.safe_dump({"kind": "Cluster", **cluster}))
    response = await server.ask("DELETE", "/clusters/lab?force=true")
    assert (response.status_code, response.json()["verb"]) == (202, "destroy")
    server.service.runs.finish(response.json()["id"], RunStatus.DONE, None)
    problem(await server.post("/clusters/lab/restore", {"backup": "../../x"}), 422, "request-invalid")
    problem(await server.post("/clusters/lab/restore", {"backup": "x", "at": 5}), 400, "usage")
    said = problem(await server.post("/clusters/lab/restore", {"backup": "latest"}), 404, "not-found")
    assert said["detail"] == "lab has no backup"
    kept = server.service.home / "backups"
    kept.mkdir()
    (kept / file_name(new_id("lab", 1_800_000_000.0))).write_bytes(b"x")
    problem(await server.post("/clusters/lab/restore", {"backup": "nosuch"}), 404, "not-found")
    assert len(server.queue.runs) == 1, "what is not there is refused when it is asked for, not in a run"
    response = await server.post("/clusters/lab/restore", {"backup": "latest"})
    assert (response.status_code, response.json()["verb"]) == (202, "restore")
    problem(await server.ask("DELETE", "/clusters/nobody"), 404, "not-found")


async def test_clusters_come_in_pages(server, cluster) -> None:
    for number in range(5):
        document = {
            **cluster,
            "name": f"c{number}",
            "nodeGroups": [{**cluster["nodeGroups"][0], "hosts": [f"h{number}"]}],
        }
        site = {
            "kind": "Site",
            "name": f"s{number}",
            "hosts": [{"name": f"h{number}", "address": f"192.0.2.{100 + number}"}],
        }
        server.put_file(f"c{number}", yaml.safe_dump_all([site, {"kind": "Cluster", **document}]))
    first = (await server.get("/clusters?limit=3")).json()
    assert ([c["name"] for c in first["clusters"]], first["next"]) == (["c0", "c1", "c2"], "c2")
    second = (await server.get("/clusters?limit=3&after=c2")).json()
    assert ([c["name"] for c in second["clusters"]], second["next"]) == (["c3", "c4"], "")
    hosts = (await server.get("/hosts?cluster=c4")).json()["hosts"]
    assert [(host["name"], host["cluster"]) for host in hosts] == [("h4", "c4")]
    free = (await server.get("/hosts?free=true")).json()["hosts"]
    assert [host["name"] for host in free] == ["n1", "n2", "n3", "n4"]


async def test_two_clusters_do_not_share_a_host(server, cluster, problem) -> None:
    assert (await server.post("/clusters/provision", cluster)).status_code == 202
    said = problem(await server.post("/clusters/provision", {**cluster, "name": "other"}), 422, "definition")
    assert "belongs to the cluster lab already" in said["errors"][0]["message"]
