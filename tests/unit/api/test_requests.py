"""Requests as such: sizes, types, hosts, keys, pages, events, definitions; each wrong one has its problem document."""

from __future__ import annotations

import asyncio
import json

import pytest
import yaml

from raijin.app.settings import ServerSettings
from raijin.errors import DefinitionError
from raijin.observe.events import Event, Kind
from raijin.state.runs import RunStatus


async def test_what_does_not_exist_or_is_not_possible(server, problem) -> None:
    problem(await server.get("/nothing"), 404, "not-found")
    problem(await server.client.get("/nothing"), 404, "not-found")
    problem(await server.ask("PATCH", "/clusters"), 405, "method-not-allowed")
    problem(await server.get("/runs/20260101-000000-aaaa"), 404, "not-found")
    for name in ("latest", "nosuch", "2026", "no.such"):
        problem(await server.get(f"/runs/{name}"), 404, "not-found")
    problem(await server.get(f"/runs/{'a' * 65}"), 422, "request-invalid")


@pytest.mark.parametrize("body", ["", "{", '{"name": ', "\ufeff{}", "[" * 100_000, '{"a": 1' + "0" * 5000 + "}"])
async def test_a_body_that_is_not_json(server, body: str, problem) -> None:
    response = await server.client.post(
        "/api/v1/clusters/provision", content=body, headers={"content-type": "application/json"}
    )
    assert response.status_code in {400, 422}
    problem(response, response.status_code, response.json()["type"].rpartition(":")[2])


async def test_a_body_of_another_type(server, cluster, problem) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        headers = {"content-type": kind} if kind else {}
        response = await server.client.post("/api/v1/clusters/provision", content=json.dumps(cluster), headers=headers)
        problem(response, 415, "media-type-unsupported")
    assert server.queue.runs == []


async def test_a_body_that_is_too_large(start, problem) -> None:
    server = await start(settings=ServerSettings(largestRequest=2048))
    headers = {"content-type": "application/json"}
    large = json.dumps({"name": "x" * 4000})
    response = await server.client.post("/api/v1/clusters/provision", content=large, headers=headers)
    problem(response, 413, "request-too-large")

    async def in_pieces():
        for _ in range(100):
            yield b" " * 100

    response = await server.client.post("/api/v1/clusters/provision", content=in_pieces(), headers=headers)
    problem(response, 413, "request-too-large")


async def test_a_page_of_another_site_does_not_reach_a_server_that_asks_nobody(start, problem) -> None:
    server = await start(base="http://rebound.example.org")
    problem(await server.get("/clusters"), 403, "access-denied")
    assert (await (await start()).get("/clusters")).status_code == 200


async def test_every_answer_has_an_id_and_headers_for_browsers(server) -> None:
    for response in (await server.get("/clusters"), await server.get("/nothing")):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
        assert response.headers["cache-control"] == "no-store"
    given = await server.get("/clusters", headers={"x-request-id": "my-id-7"})
    assert given.headers["x-request-id"] == "my-id-7"
    forged = await server.get("/clusters", headers={"x-request-id": "a b\tc"})
    assert forged.headers["x-request-id"] != "a b\tc"


async def test_too_many_requests(start, problem) -> None:
    server = await start(settings=ServerSettings(requestsPerMinute=3))
    for _ in range(3):
        assert (await server.get("/clusters")).status_code == 200
    response = await server.get("/clusters")
    problem(response, 429, "too-many-requests")
    assert int(response.headers["retry-after"]) > 0
    assert (await server.client.get("/healthz")).status_code == 200


async def test_a_request_may_be_sent_again_with_its_key(server, cluster, problem) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = await server.post("/clusters/provision", cluster, headers=headers)
    again = await server.post("/clusters/provision", cluster, headers=headers)
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"
    assert len(server.queue.runs) == 1
    other = await server.post("/clusters/provision", {**cluster, "version": "v1.35.4"}, headers=headers)
    problem(other, 409, "key-reused")
    elsewhere = await server.post("/clusters/lab/apply", headers=headers)
    problem(elsewhere, 409, "key-reused")
    problem(await server.post("/clusters/lab/apply", headers={"Idempotency-Key": "no spaces"}), 422, "request-invalid")
    assert len(server.queue.runs) == 1


async def test_a_request_that_failed_may_be_sent_again(server, cluster) -> None:
    headers = {"Idempotency-Key": "k-2"}
    assert (await server.post("/clusters/lab/apply", headers=headers)).status_code == 404
    server.put_file("lab", yaml.safe_dump({"kind": "Cluster", **cluster}))
    assert (await server.post("/clusters/lab/apply", headers=headers)).status_code == 202


YAML = {"content-type": "application/yaml"}


async def test_definitions_are_kept_as_they_are_written(server, cluster, problem) -> None:
    text = "# a comment\n" + yaml.safe_dump({"kind": "Cluster", **cluster})
    made = await server.ask("PUT", "/definitions/lab", content=text, headers=YAML | {"If-None-Match": "*"})
    assert made.status_code == 200, made.text
    read = await server.get("/definitions/lab")
    assert (read.text, read.headers["etag"]) == (text, made.headers["etag"])
    again = await server.ask("PUT", "/definitions/lab", content=text + "# more\n", headers=YAML)
    problem(again, 412, "precondition-failed")
    again = await server.ask("PUT", "/definitions/lab", content=text, headers=YAML | {"If-None-Match": "*"})
    problem(again, 412, "precondition-failed")
    match = {"If-Match": read.headers["etag"]}
    assert (await server.ask("PUT", "/definitions/lab", content=text + "# more\n", headers=YAML | match)).is_success
    late = await server.ask("PUT", "/definitions/lab", content=text, headers=YAML | match)
    problem(late, 412, "precondition-failed")
    problem(await server.ask("DELETE", "/definitions/lab", headers=match), 412, "precondition-failed")
    assert (await server.ask("DELETE", "/definitions/lab")).status_code == 204
    problem(await server.get("/definitions/lab"), 404, "not-found")


@pytest.mark.parametrize(
    ("text", "status"),
    [(b"", 422), (b"\xff\xfe", 422), (b"kind: Site\n hosts: [", 422), (b"kind: Planet\n", 422), (b"- 1\n", 422)],
)
async def test_a_definition_that_is_none_is_not_kept(server, text: bytes, status: int, problem) -> None:
    for method, path in (("PUT", "/definitions/new"), ("POST", "/definitions/check?name=new")):
        response = await server.ask(method, path, content=text, headers=YAML)
        problem(response, status, response.json()["type"].rpartition(":")[2])
    assert not (server.service.folder / "new.yaml").exists()


async def test_a_fault_has_its_place(server, problem) -> None:
    text = "kind: Cluster\nname: lab\ntype: VANILLA\nversion: v1.34.2\nnodeGroups:\n- {name: a, role: KING}\n"
    said = problem(await server.ask("POST", "/definitions/check", content=text, headers=YAML), 422, "definition")
    assert (said["errors"][0]["file"], said["errors"][0]["line"]) == ("unnamed.yaml", 6)


async def test_a_site_that_a_cluster_needs_cannot_go(server, cluster, problem) -> None:
    server.put_file("lab", yaml.safe_dump({"kind": "Cluster", **cluster}))
    problem(await server.ask("DELETE", "/definitions/site"), 409, "plan-refused")
    etag = (await server.get("/definitions/site")).headers["etag"]
    smaller = "kind: Site\nhosts:\n- {name: n1, address: 192.0.2.11}\n"
    response = await server.ask("PUT", "/definitions/site", content=smaller, headers=YAML | {"If-Match": etag})
    problem(response, 422, "definition")
    assert "n4" in (server.service.folder / "site.yaml").read_text()


def test_a_store_refuses_names_that_leave_it(home) -> None:
    from raijin.app.store import Store
    from raijin.errors import UsageError

    store = Store(home / "definitions")
    for name in ("../x", "a/b", "", ".", "A", "x" * 64):
        with pytest.raises(UsageError):
            store.write(name, "kind: Site\n")
    with pytest.raises(DefinitionError):
        store.write("a", "kind: Planet\n")
    assert not list((home / "definitions").glob("*.yaml"))


async def test_runs_come_in_pages_and_can_be_cancelled(server, cluster, problem) -> None:
    server.put_file("lab", yaml.safe_dump({"kind": "Cluster", **cluster}))
    made = []
    for _ in range(3):
        run = (await server.post("/clusters/lab/backup")).json()["id"]
        made.insert(0, run)
        stopped = await server.post(f"/runs/{run}/cancel")
        assert stopped.json()["state"] == "cancelled"
    page = (await server.get("/runs?limit=2")).json()
    assert ([run["id"] for run in page["runs"]], page["next"]) == (made[:2], made[1])
    rest = (await server.get(f"/runs?limit=2&before={page['next']}")).json()
    assert ([run["id"] for run in rest["runs"]], rest["next"]) == (made[2:], "")
    problem(await server.post(f"/runs/{made[0]}/cancel"), 409, "plan-refused")
    problem(await server.post(f"/runs/{made[0]}/resume"), 409, "plan-refused")
    assert (await server.get(f"/runs/{made[0]}")).json()["steps"] == []
    problem(await server.get(f"/runs/{made[0]}/plan"), 404, "not-found")


async def test_events_go_on_after_the_last_one_that_was_seen(server, cluster) -> None:
    server.put_file("lab", yaml.safe_dump({"kind": "Cluster", **cluster}))
    run = (await server.post("/clusters/lab/apply")).json()["id"]
    runs = server.service.runs
    for number in range(3):
        runs.record(Event(Kind.MESSAGE, run, "step", "n1", {"text": f"message {number}"}))
    log = (await server.get(f"/runs/{run}/log?limit=2")).json()
    assert [event["data"]["text"] for event in log["events"]] == ["message 0", "message 1"]

    async def follow(last: int) -> list[str]:
        response = await server.get(f"/runs/{run}/events", headers={"Last-Event-ID": str(last)})
        return [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: ")]

    following = asyncio.create_task(follow(log["next"]))
    await asyncio.sleep(0.6)
    runs.record(Event(Kind.MESSAGE, run, "step", "n1", {"text": "live"}))
    runs.finish(run, RunStatus.DONE, None)
    runs.record(Event(Kind.RUN_FINISHED, run, data={"status": "done"}))
    lines = [json.loads(line) for line in await following]
    assert [line["data"].get("text") or line["data"].get("status") for line in lines[:-1]] == [
        "message 2",
        "live",
        "done",
    ]
    assert lines[-1] == {}
    assert server.client is not None


async def test_the_documents_for_programs(server) -> None:
    assert (await server.get("/schema")).json()["title"] == "Raijin definition"
    names = [item["name"] for item in (await server.get("/templates")).json()["templates"]]
    assert "ha" in names
    assert (await server.get("/templates/ha")).text.startswith("#")
    document = (await server.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if path.startswith("/api/") and "422" in operation["responses"]:
                content = operation["responses"]["422"]["content"]
                assert list(content) == ["application/problem+json"], (method, path)


async def test_metrics_count_what_happens(server, cluster, problem) -> None:
    server.put_file("lab", yaml.safe_dump({"kind": "Cluster", **cluster}))
    await server.post("/clusters/lab/apply")
    await server.get("/clusters/nobody")
    response = await server.client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = response.text.splitlines()
    assert 'raijin_runs{state="queued"} 1.0' in lines
    assert 'raijin_clusters{type="VANILLA"} 1.0' in lines
    counted = [line for line in lines if line.startswith("raijin_http_request_seconds_count")]
    assert any('route="/clusters/{name}",status="404"' in line and line.endswith(" 1.0") for line in counted)
    assert "nobody" not in response.text, "an address is no label: anybody could make new ones"
