"""Who may do what: the first administrator, passwords, tokens, roles, sessions, and every way to be refused."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml
from argon2 import PasswordHasher
from tests.unit.api.test_changes import shown

from raijin.app.changes import Change
from raijin.app.settings import ServerSettings
from raijin.state.tables import TOKENS, USERS

PASSWORD = "correct horse battery"
ADMIN = {"name": "ada", "password": PASSWORD}


@pytest.fixture
async def guarded(start) -> Any:
    server = await start(ask=True, settings=ServerSettings(loginsPerMinute=1000))
    server.access.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    token = server.access.setup_token()
    server.setup = token
    made = await server.post("/setup", {"token": token, **ADMIN})
    assert made.status_code == 201, made.text
    return server


async def token_of(server: Any, *roles: str, days: float = 1, **more: Any) -> dict[str, str]:
    """A bearer header with these roles, by way of a session of ada's."""
    session = (await server.post("/session", ADMIN)).json()
    made = await server.post(
        "/tokens", {"name": "t", "roles": list(roles), "days": days}, headers=csrf(session), **more
    )
    assert made.status_code == 201, made.text
    server.client.cookies.clear()
    return {"Authorization": f"Bearer {made.json()['token']}"}


def csrf(session: dict[str, Any]) -> dict[str, str]:
    return {"X-CSRF-Token": session["csrf"]}


OWN_SITE = """
---
kind: Site
hosts:
- {name: n1, address: 192.0.2.11}
- {name: n2, address: 192.0.2.12}
"""
EVERYTHING = [
    ("GET", "/clusters"), ("POST", "/clusters/provision"), ("GET", "/clusters/lab"), ("DELETE", "/clusters/lab"),
    ("PUT", "/clusters/lab/scale"), ("POST", "/clusters/lab/validate"), ("POST", "/clusters/lab/plan"),
    ("POST", "/clusters/lab/apply"), ("POST", f"/clusters/lab/plans/{'a' * 64}/run"),
    ("POST", "/clusters/lab/certificates/renew"), ("POST", "/clusters/lab/certificates/rotate-ca"),
    ("POST", "/clusters/lab/backups/latest/verify"),
    ("GET", "/clusters/lab/versions"), ("GET", "/clusters/lab/kubeconfig"), ("GET", "/runs"), ("GET", "/events"),
    ("GET", "/definitions"), ("PUT", "/definitions/x"), ("GET", "/hosts"), ("GET", "/audit"), ("GET", "/users"),
    ("POST", "/users"), ("GET", "/tokens"), ("GET", "/session"), ("GET", "/system"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), EVERYTHING, ids=str)
async def test_without_a_token_nothing_is_to_be_had(guarded, method: str, path: str, problem) -> None:
    response = await guarded.ask(method, path, **({"json": {}} if method in {"POST", "PUT"} else {}))
    problem(response, 401, "not-authenticated")
    assert response.headers["www-authenticate"].startswith("Bearer")


async def test_the_setup_token_works_once(guarded, problem) -> None:
    again = await guarded.post("/setup", {"token": guarded.setup, "name": "eve", "password": PASSWORD})
    problem(again, 401, "not-authenticated")
    assert guarded.access.setup_token() is None
    assert [user.name for user in guarded.access.users.all()] == ["ada"]


async def test_there_is_no_default_password(start, problem) -> None:
    server = await start(ask=True)
    problem(await server.post("/session", {"name": "admin", "password": "admin"}), 401, "not-authenticated")
    token = server.access.setup_token()
    short = await server.post("/setup", {"token": token, "name": "ada", "password": "short"})
    problem(short, 400, "usage")
    forged = await server.post("/setup", {"token": token[:-1] + "A", **ADMIN})
    assert forged.status_code in {401, 201}  # one in 64 is the same letter
    newer = server.access.setup_token()
    if newer:
        problem(await server.post("/setup", {"token": token, **ADMIN}), 401, "not-authenticated")


async def test_passwords_are_argon2_and_tokens_are_hashes(guarded) -> None:
    header = await token_of(guarded, "viewer")
    with guarded.service.database.connect() as db:
        passwords = [row.password for row in db.execute(USERS.select())]
        secrets = [row.secret for row in db.execute(TOKENS.select())]
    assert all(text.startswith("$argon2id$") for text in passwords)
    secret = header["Authorization"].split("_", 2)[2]  # it may have such a line in it too
    assert all(secret not in text and len(text) == 64 for text in secrets)


async def test_roles_allow_what_they_say(guarded, cluster, problem) -> None:
    guarded.put_file(
        "site", "kind: Site\nhosts:\n- {name: n1, address: 192.0.2.11}\n- {name: n2, address: 192.0.2.12}\n"
    )
    guarded.put_file("lab", yaml.safe_dump({"kind": "Cluster", **cluster}))
    viewer = await token_of(guarded, "viewer:lab")
    operator = await token_of(guarded, "operator:lab")
    stranger = await token_of(guarded, "admin:other")
    admin = await token_of(guarded, "admin")
    assert (await guarded.get("/clusters/lab", headers=viewer)).status_code == 200
    problem(await guarded.post("/clusters/lab/apply", headers=viewer), 403, "access-denied")
    problem(await guarded.ask("DELETE", "/clusters/lab", headers=operator), 403, "access-denied")
    problem(await guarded.get("/clusters/lab", headers=stranger), 403, "access-denied")
    assert (await guarded.get("/clusters", headers=stranger)).json()["clusters"] == []
    assert len((await guarded.get("/clusters", headers=viewer)).json()["clusters"]) == 1
    problem(
        await guarded.post("/clusters/provision", {**cluster, "name": "new"}, headers=operator), 403, "access-denied"
    )
    text = {"content": "kind: Site\n", "headers": {**operator, "content-type": "application/yaml"}}
    problem(await guarded.ask("PUT", "/definitions/more", **text), 403, "access-denied")
    problem(await guarded.get("/audit", headers=operator), 403, "access-denied")
    run = await guarded.post("/clusters/lab/apply", headers=operator)
    assert run.status_code == 202
    assert (await guarded.get(f"/runs/{run.json()['id']}", headers=viewer)).status_code == 200
    problem(await guarded.get(f"/runs/{run.json()['id']}", headers=stranger), 403, "access-denied")
    problem(await guarded.post(f"/runs/{run.json()['id']}/cancel", headers=viewer), 403, "access-denied")
    assert (await guarded.get("/runs", headers=stranger)).json()["runs"] == []
    assert (await guarded.get("/audit", headers=admin)).status_code == 200
    assert guarded.queue.runs == [run.json()["id"]]


async def test_who_may_run_one_cluster_brings_no_definition_of_a_new_one(guarded, cluster, problem) -> None:
    """A definition names files that the server reads and addresses that it talks to."""
    guarded.put_file("site", OWN_SITE.removeprefix("---\n"))
    operator, admin = await token_of(guarded, "operator:lab"), await token_of(guarded, "admin:lab")
    problem(await guarded.post("/clusters/provision", cluster, headers=operator), 403, "access-denied")
    assert not guarded.service.knows("lab")
    assert (await guarded.post("/clusters/provision", cluster, headers=admin)).status_code == 202
    assert (await guarded.post("/clusters/provision", cluster, headers=operator)).status_code != 403, "it is there now"


async def test_agreeing_to_a_plan_takes_the_role_of_its_verb(guarded, cluster, problem) -> None:
    """An operator may look at what would end a cluster, and not have it done; a restoration opens the backup."""
    guarded.put_file("lab", yaml.safe_dump({"kind": "Cluster", **cluster}) + OWN_SITE)
    viewer, operator, admin = [await token_of(guarded, f"{role}:lab") for role in ("viewer", "operator", "admin")]
    problem(await guarded.post("/clusters/lab/plan", {"verb": "apply"}, headers=viewer), 403, "access-denied")
    problem(await guarded.post("/clusters/lab/plan", {"verb": "restore"}, headers=operator), 403, "access-denied")
    problem(await guarded.post("/clusters/lab/certificates/renew", headers=viewer), 403, "access-denied")
    problem(await guarded.post("/clusters/lab/certificates/rotate-ca", headers=operator), 403, "access-denied")
    problem(await guarded.post("/clusters/lab/backups/latest/verify", headers=viewer), 403, "access-denied")
    destroy, upgrade = shown(guarded, Change("destroy")), shown(guarded, Change("upgrade", version="v1.35.4"))
    problem(await guarded.post(f"/clusters/lab/plans/{upgrade}/run", headers=viewer), 403, "access-denied")
    problem(await guarded.post(f"/clusters/lab/plans/{destroy}/run", headers=operator), 403, "access-denied")
    assert guarded.queue.runs == []
    assert "v1.34.2" in guarded.service.store.text("lab")[1]
    assert (await guarded.post(f"/clusters/lab/plans/{upgrade}/run", headers=operator)).status_code == 202
    problem(await guarded.post(f"/clusters/lab/plans/{destroy}/run", headers=admin), 423, "locked")


async def test_what_is_grave_or_brings_a_host_takes_an_administrator(guarded, cluster, problem) -> None:
    """An administrator of one cluster brings no host: the Site may be everybody's, and a plan logs in to it."""
    guarded.put_file("lab", yaml.safe_dump({"kind": "Cluster", **cluster}) + OWN_SITE)
    viewer, operator, admin = [await token_of(guarded, f"{role}:lab") for role in ("viewer", "operator", "admin")]
    come = {"verb": "worker-add", "hosts": ["n9"], "address": "192.0.2.19"}
    for who in (operator, admin):
        problem(await guarded.post("/clusters/lab/plan", come, headers=who), 403, "access-denied")
    problem(await guarded.ask("DELETE", "/clusters/lab/backups/latest", headers=operator), 403, "access-denied")
    stranger = await token_of(guarded, "admin:other")
    for path in ("overview", "workers", "etcd", "facts"):
        problem(await guarded.get(f"/clusters/lab/{path}", headers=stranger), 403, "access-denied")
    assert (await guarded.get("/clusters/lab/workers", headers=viewer)).status_code == 200
    brought = shown(guarded, Change("worker-add", hosts=("n9",), address="192.0.2.19"))
    for change in (Change("reset"), Change("replace", hosts=("n1",))):
        path = f"/clusters/lab/plans/{shown(guarded, change)}/run"
        problem(await guarded.post(path, headers=operator), 403, "access-denied")
    problem(await guarded.post(f"/clusters/lab/plans/{brought}/run", headers=admin), 403, "access-denied")
    assert guarded.queue.runs == []
    everywhere = await token_of(guarded, "admin")
    assert (await guarded.post(f"/clusters/lab/plans/{brought}/run", headers=everywhere)).status_code == 202


async def test_agreeing_from_a_browser_needs_what_its_session_repeats(guarded, cluster, problem) -> None:
    guarded.put_file("lab", yaml.safe_dump({"kind": "Cluster", **cluster}) + OWN_SITE)
    digest = shown(guarded, Change("backup"))
    session = (await guarded.post("/session", ADMIN)).json()
    problem(await guarded.post(f"/clusters/lab/plans/{digest}/run"), 403, "access-denied")
    run = await guarded.post(f"/clusters/lab/plans/{digest}/run", headers=csrf(session))
    assert (run.status_code, run.json()["requested_by"]) == (202, "ada")


async def test_the_page_of_the_login_knows_a_new_server(start, guarded) -> None:
    assert (await guarded.get("/entrance")).json() == {"setup": False, "provider": ""}
    provider = {"issuer": "https://id.example.org/realms/lab", "clientId": "raijin"}
    fresh = await start(ask=True, settings=ServerSettings.model_validate({"oidc": provider}))
    fresh.access.users.remove("ada")
    assert (await fresh.get("/entrance")).json() == {"setup": True, "provider": provider["issuer"]}


async def test_the_trail_is_read_in_pages_and_by_words(guarded) -> None:
    admin = await token_of(guarded, "admin")
    for name in ("bob", "eve", "bob"):
        await guarded.post("/session", {"name": name, "password": "wrong" * 4})
    first = (await guarded.get("/audit?limit=2", headers=admin)).json()
    assert [entry["who"] for entry in first["entries"]] == ["bob", "eve"]
    rest = (await guarded.get(f"/audit?before={first['next']}", headers=admin)).json()
    assert rest["next"] == 0
    numbers = [entry["number"] for page in (first, rest) for entry in page["entries"]]
    assert numbers == list(range(len(numbers), 0, -1))
    bobs = (await guarded.get("/audit?who=bob&result=refused&limit=2", headers=admin)).json()
    assert ([entry["who"] for entry in bobs["entries"]], bobs["next"]) == (["bob", "bob"], 0)
    bad = (await guarded.get("/audit?incidents=true", headers=admin)).json()["entries"]
    assert [entry["who"] for entry in bad] == ["bob", "eve", "bob"]
    page = (await guarded.get("/audit/incidents?limit=1", headers=admin)).json()
    assert (page["incidents"][0]["who"], page["next"]) == ("bob", page["incidents"][0]["number"])
    lines = (await guarded.get("/audit/export?format=csv&who=eve", headers=admin)).text.splitlines()
    assert (len(lines), "eve" in lines[1]) == (2, True)


async def test_a_token_allows_at_most_what_its_owner_may(guarded, problem) -> None:
    admin = await token_of(guarded, "admin")
    body = {"name": "bob", "password": PASSWORD, "roles": ["operator:lab"]}
    assert (await guarded.post("/users", body, headers=admin)).status_code == 201
    session = (await guarded.post("/session", {"name": "bob", "password": PASSWORD})).json()
    more = await guarded.post("/tokens", {"name": "t", "roles": ["admin"]}, headers=csrf(session))
    problem(more, 403, "access-denied")
    own = await guarded.post("/tokens", {"name": "t", "roles": ["operator:lab"]}, headers=csrf(session))
    guarded.client.cookies.clear()
    bearer = {"Authorization": f"Bearer {own.json()['token']}"}
    assert (await guarded.get("/session", headers=bearer)).json()["roles"] == ["operator:lab"]
    assert (await guarded.ask("PATCH", "/users/bob", json={"roles": ["viewer:lab"]}, headers=admin)).is_success
    problem(await guarded.post("/clusters/lab/apply", headers=bearer), 403, "access-denied")
    assert (await guarded.ask("DELETE", "/users/bob", headers=admin)).status_code == 204
    problem(await guarded.get("/session", headers=bearer), 401, "not-authenticated")


async def test_tokens_that_are_none(guarded, problem) -> None:
    good = await token_of(guarded, "viewer")
    text = good["Authorization"].removeprefix("Bearer ")
    changed = text[:-2] + ("AA" if not text.endswith("AA") else "BB")
    for value in (
        f"Bearer {changed}", "Bearer rjn_", "Bearer x", "Bearer ", "Basic YTpi", f"bearer{text}",
        "Bearer " + "x" * 5000, "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.",
    ):  # fmt: skip
        problem(await guarded.get("/clusters", headers={"Authorization": value}), 401, "not-authenticated")
    with guarded.service.database.begin() as db:
        db.execute(TOKENS.update().values(expires=time.time() - 1))
    problem(await guarded.get("/clusters", headers=good), 401, "not-authenticated")


async def test_a_revoked_token_is_worth_nothing(guarded, problem) -> None:
    bearer, admin = await token_of(guarded, "viewer"), await token_of(guarded, "admin")
    number = bearer["Authorization"].split("_")[1]
    assert (await guarded.ask("DELETE", f"/tokens/{number}", headers=admin)).status_code == 204
    problem(await guarded.get("/clusters", headers=bearer), 401, "not-authenticated")
    problem(await guarded.ask("DELETE", f"/tokens/{number}", headers=admin), 404, "not-found")


async def test_a_page_of_another_site_cannot_use_a_session(guarded, problem) -> None:
    """The browser would send the cookie along; what the session must repeat, only our page knows."""
    session = (await guarded.post("/session", ADMIN)).json()
    assert (await guarded.get("/clusters")).status_code == 200
    for headers in ({}, {"X-CSRF-Token": "forged"}, {"X-CSRF-Token": ""}):
        response = await guarded.post("/tokens", {"name": "t", "roles": ["viewer"]}, headers=headers)
        problem(response, 403, "access-denied")
    assert (await guarded.ask("DELETE", "/session", headers=csrf(session))).status_code == 204
    problem(await guarded.get("/clusters"), 401, "not-authenticated")


async def test_the_cookie_is_not_for_scripts_and_other_sites(guarded) -> None:
    cookie = (await guarded.post("/session", ADMIN)).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


async def test_wrong_passwords_are_refused_noted_and_slowed_down(start, problem) -> None:
    server = await start(ask=True, settings=ServerSettings(loginsPerMinute=3))
    server.access.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    assert (await server.post("/setup", {"token": server.access.setup_token(), **ADMIN})).status_code == 201
    for name in ("ada", "nobody"):
        problem(await server.post("/session", {"name": name, "password": "wrong"}), 401, "not-authenticated")
    problem(await server.post("/session", ADMIN), 429, "too-many-requests")
    from raijin.app.auditing import trail

    noted = [e for e in trail(server.service.home, server.service.database).all() if e.incident]
    assert [(e.action, e.who, e.result) for e in noted] == [("login", "ada", "refused"), ("login", "nobody", "refused")]
    assert all("password" not in entry.detail for entry in noted)


async def test_the_last_administrator_stays(guarded, problem) -> None:
    admin = await token_of(guarded, "admin")
    problem(await guarded.ask("DELETE", "/users/ada", headers=admin), 400, "usage")
    problem(await guarded.ask("PATCH", "/users/ada", json={"roles": ["viewer"]}, headers=admin), 400, "usage")
    problem(await guarded.ask("PATCH", "/users/ada", json={"disabled": True}, headers=admin), 400, "usage")


@pytest.mark.parametrize("roles", [["king"], ["operator:"], ["admin:../x"], ["viewer:A"], [""]])
async def test_roles_that_are_none(guarded, roles: list[str], problem) -> None:
    admin = await token_of(guarded, "admin")
    body = {"name": "bob", "password": PASSWORD, "roles": roles}
    problem(await guarded.post("/users", body, headers=admin), 400, "usage")
    assert guarded.access.users.get("bob") is None
