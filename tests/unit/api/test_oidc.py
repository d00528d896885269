"""People of an OpenID Connect provider: a real one on loopback, whose tokens are taken only when all of them holds."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.unit.listening import Answering, listening

from raijin.app import oidc as module
from raijin.app.settings import ServerSettings

CLIENT = "raijin"
ROLES = {"/ops": ["operator"], "/admins": ["admin"], "/lab": ["viewer:lab"]}


@dataclass
class Provider:
    """As Keycloak does it: discovery, a key set, and the authorization code flow with PKCE; nobody has to type."""

    issuer: str = ""
    keys: list[RSAKey] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    down: bool = False

    def turn(self) -> None:
        """A new key; the old one is worth nothing any more."""
        number = len(self.asked) + len(self.keys) + int(time.monotonic_ns())
        self.keys = [RSAKey.generate_key(2048, {"kid": f"k{number}", "use": "sig", "alg": "RS256"})]

    def token(self, *, key: Any = None, alg: str = "RS256", kid: str | None = None, **changes: Any) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": "0815", "exp": now + 300, "iat": now,
            "preferred_username": "ada", "groups": ["/ops"], **self.claims, **changes,
        }  # fmt: skip
        header = {"alg": alg, "kid": kid or self.keys[0].kid}
        return jwt.encode(header, {k: v for k, v in claims.items() if v is not None}, key or self.keys[0], [alg])

    def get(self, path: str, query: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        if path == "/.well-known/openid-configuration":
            ends = {"jwks_uri": "keys", "authorization_endpoint": "auth", "token_endpoint": "token"}
            return 200, {"issuer": self.issuer, **{n: f"{self.issuer}/{end}" for n, end in ends.items()}}, {}
        if path == "/keys":
            return 200, {"keys": [key.as_dict(private=False) for key in self.keys]}, {}
        if path == "/auth" and query["client_id"] == CLIENT and query["code_challenge_method"] == "S256":
            code = f"code-{len(self.codes)}"
            self.codes[code] = query
            back = urlencode({"code": code, "state": query["state"]})
            return 302, {}, {"Location": f"{query['redirect_uri']}?{back}"}
        return 404, {}, {}

    def exchange(self, form: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        begun = self.codes.pop(form["code"], None)
        shown = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if begun is None or shown != begun["code_challenge"] or form["redirect_uri"] != begun["redirect_uri"]:
            return 400, {"error": "invalid_grant"}, {}
        return 200, {"id_token": self.token(nonce=begun["nonce"]), "token_type": "Bearer"}, {}


@pytest.fixture(scope="module")
def serving() -> Iterator[Provider]:
    made = Provider()

    class Handler(Answering):
        def answer(self, found: tuple[int, Any, dict[str, str]]) -> None:
            status, body, headers = (503, {}, {}) if made.down else found
            self.reply(status, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})

        def do_GET(self) -> None:  # noqa: N802
            parts = urlsplit(self.path)
            made.asked.append(parts.path)
            self.answer(made.get(parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()}))

        def do_POST(self) -> None:  # noqa: N802
            text = self.rfile.read(int(self.headers["content-length"])).decode()
            self.answer(made.exchange({k: v[0] for k, v in parse_qs(text).items()}))

    with listening(Handler) as port:
        made.issuer = f"http://127.0.0.1:{port}"
        yield made


@pytest.fixture
def provider(serving: Provider) -> Provider:
    serving.claims, serving.codes, serving.asked, serving.down = {}, {}, [], False
    serving.turn()
    return serving


@pytest.fixture
async def server(start, provider):
    settings = {"issuer": provider.issuer, "clientId": CLIENT, "roles": ROLES}
    limits = {"loginsPerMinute": 1000, "requestsPerMinute": 10_000}
    return await start(ask=True, settings=ServerSettings.model_validate({"oidc": settings, **limits}))


def bearer(token: str) -> dict[str, Any]:
    return {"headers": {"authorization": f"Bearer {token}"}}


async def test_a_token_of_the_provider_is_somebody_with_the_roles_of_the_groups(server, provider) -> None:
    who = (await server.get("/session", **bearer(provider.token()))).json()
    assert (who["name"], who["roles"]) == ("ada", ["operator"])
    both = provider.token(groups=["/ops", "/lab", "/unknown"], aud=["account", CLIENT])
    assert (await server.get("/session", **bearer(both))).json()["roles"] == ["operator", "viewer:lab"]
    assert provider.asked.count("/keys") == 1  # kept, not asked for with every request
    (user,) = server.access.users.all()
    assert (user.name, user.origin, user.password) == ("ada", "oidc", None)


async def test_roles_hold_for_their_cluster_and_a_group_that_is_gone_takes_them_away(server, provider, problem) -> None:
    lab = bearer(provider.token(groups=["/lab"]))
    problem(await server.get("/clusters/lab", **lab), 404, "not-found")
    problem(await server.get("/clusters/other", **lab), 403, "access-denied")
    problem(await server.get("/users", **lab), 403, "access-denied")
    problem(await server.get("/clusters/lab", **bearer(provider.token(groups=[]))), 403, "access-denied")
    assert server.access.users.get("ada").grants == ()


def forged(provider: Provider) -> str:
    return provider.token(key=RSAKey.generate_key(2048))


def changed(provider: Provider) -> str:
    """The claims of an administrator under the signature of somebody else's."""
    head, _, signature = provider.token().split(".")
    _, body, _ = provider.token(groups=["/admins"]).split(".")
    return f"{head}.{body}.{signature}"


def part(data: dict[str, Any] | bytes) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def of_an_admin(provider: Provider, alg: str) -> str:
    claims = {"iss": provider.issuer, "aud": CLIENT, "sub": "1", "exp": time.time() + 60, "groups": ["/admins"]}
    return f"{part({'alg': alg, 'kid': provider.keys[0].kid})}.{part(claims)}"


def unsigned(provider: Provider) -> str:
    return f"{of_an_admin(provider, 'none')}."


def shared(provider: Provider) -> str:
    """Signed with the public key as if it were a shared secret (CVE-2015-9235)."""
    text = of_an_admin(provider, "HS256")
    return f"{text}.{part(hmac.digest(provider.keys[0].as_pem(private=False), text.encode(), 'sha256'))}"


REFUSED = {
    "expired": (lambda p: p.token(exp=int(time.time()) - 120), "has expired"),
    "without-end": (lambda p: p.token(exp=None), "its exp"),
    "not-yet": (lambda p: p.token(nbf=int(time.time()) + 600), "not valid yet"),
    "audience": (lambda p: p.token(aud="another"), "for somebody else"),
    "no-audience": (lambda p: p.token(aud=None), "for somebody else"),
    "issuer": (lambda p: p.token(iss="https://evil.example.org"), "of another provider"),
    "no-subject": (lambda p: p.token(sub=None), "its sub"),
    "forged": (forged, "signature"),
    "changed": (changed, "signature"),
    "unknown-key": (lambda p: p.token(key=RSAKey.generate_key(2048), kid="k0"), "key that the provider does not have"),
    "none": (unsigned, "not signed in a way"),
    "shared-secret": (shared, "not signed in a way"),
    "malformed": (lambda _: "aaaa.bbbb.cccc", ""),
    "no-name": (lambda p: p.token(preferred_username=None), "no name"),
    "bad-name": (lambda p: p.token(preferred_username="../root"), "no name"),
}


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize("kind", REFUSED)
async def test_everything_that_does_not_hold_is_refused_with_its_reason(server, provider, problem, kind) -> None:
    make, reason = REFUSED[kind]
    said = problem(await server.get("/session", **bearer(make(provider))), 401, "not-authenticated")
    assert reason in said["detail"]
    assert server.access.users.all() == []
    (entry,) = server_incidents(server)
    assert (entry.action, entry.result, entry.target) == ("token", "refused", "oidc")


def server_incidents(server) -> list[Any]:
    from raijin.state.audit import Audit

    return list(Audit(server.service.database, server.service.home).all(incidents=True))


async def test_the_clock_of_the_provider_may_be_a_little_off(server, provider) -> None:
    late = provider.token(exp=int(time.time()) - 20, nbf=int(time.time()) + 20)
    assert (await server.get("/session", **bearer(late))).status_code == 200


async def test_keys_are_turned_while_the_server_runs(server, provider, problem, monkeypatch) -> None:
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.0)
    old = provider.token()
    assert (await server.get("/session", **bearer(old))).status_code == 200
    provider.turn()
    assert (await server.get("/session", **bearer(provider.token()))).status_code == 200
    problem(await server.get("/session", **bearer(old)), 401, "not-authenticated")


async def test_tokens_of_unknown_keys_do_not_make_the_server_ask_without_end(server, provider) -> None:
    for _ in range(5):
        await server.get("/session", **bearer(forged(provider)))
    assert provider.asked.count("/keys") <= 2


async def test_when_the_provider_is_silent_that_is_said_and_nobody_is_let_in(server, provider, problem) -> None:
    provider.down = True
    problem(await server.get("/session", **bearer(provider.token())), 502, "server-unreachable")


async def test_a_local_user_s_name_is_not_the_provider_s_to_give(server, provider, problem) -> None:
    server.access.users.add("ada", None, ["admin"])
    said = problem(await server.get("/session", **bearer(provider.token())), 401, "not-authenticated")
    assert "local user" in said["detail"]


async def test_who_was_locked_out_here_stays_out(server, provider, problem) -> None:
    await server.get("/session", **bearer(provider.token()))
    server.access.users.change("ada", disabled=1)
    problem(await server.get("/session", **bearer(provider.token())), 401, "not-authenticated")


async def test_a_browser_logs_in_and_gets_a_session(server, provider) -> None:
    went = await server.get("/oidc/login")
    assert went.status_code == 302
    with httpx2.Client() as browser:
        back = await asyncio.to_thread(browser.get, went.headers["location"])
    path = back.headers["location"].partition("/api/v1")[2]
    done = await server.get(path)
    assert (done.status_code, done.headers["location"]) == (302, "/")
    assert "httponly" in done.headers["set-cookie"].lower()
    who = (await server.get("/session")).json()
    assert (who["name"], who["roles"]) == ("ada", ["operator"])
    assert len(who["csrf"]) > 20


async def test_an_answer_that_was_not_asked_for_is_refused(server, provider, problem) -> None:
    problem(await server.get("/oidc/callback", params={"code": "x", "state": "y"}), 401, "not-authenticated")
    await server.get("/oidc/login")
    problem(await server.get("/oidc/callback", params={"code": "x", "state": "y"}), 401, "not-authenticated")
    problem(await server.get("/oidc/callback", params={"error": "access_denied"}), 401, "not-authenticated")


async def test_an_id_token_of_another_login_is_refused(server, provider, problem) -> None:
    stolen = {"idToken": provider.token(nonce="n" * 32), "nonce": "m" * 32}
    problem(await server.post("/oidc/token", stolen), 401, "not-authenticated")
    nobody = {"idToken": provider.token(nonce="n" * 32, groups=["/x"]), "nonce": "n" * 32}
    problem(await server.post("/oidc/token", nobody), 403, "access-denied")


async def test_a_token_of_a_login_lives_for_a_day_at_most(server, provider, problem) -> None:
    wanted = {"name": "ci", "roles": ["operator"], "days": 30}
    said = problem(await server.post("/tokens", wanted, **bearer(provider.token())), 400, "usage")
    assert "1 day" in said["detail"] + said["remedy"]
    made = await server.post("/tokens", {**wanted, "days": 1}, **bearer(provider.token()))
    assert made.status_code == 201


async def test_a_server_without_a_provider_says_so(start, problem) -> None:
    server = await start(ask=True)
    problem(await server.get("/oidc"), 404, "not-found")
    problem(await server.get("/session", **bearer("aaaa.bbbb.cccc")), 401, "not-authenticated")


async def test_the_command_line_logs_in_by_a_browser_and_keeps_a_token(
    server, provider, home: Path, tmp_path: Path, monkeypatch
) -> None:
    from raijin.app import signing_in
    from raijin.app.remote import Remote
    from raijin.state.secrets import SecretStore

    async def ask(remote: Remote, method: str, path: str, document: Any = None, headers: Any = None) -> dict[str, Any]:
        del remote, headers
        answer = await server.ask(method, path, **({"json": document} if document else {}))
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    monkeypatch.setattr(Remote, "ask", ask)
    opened: list[asyncio.Task[Any]] = []

    def browse(address: str) -> None:
        def go() -> None:
            with httpx2.Client(follow_redirects=True) as browser:
                browser.get(address)

        opened.append(asyncio.create_task(asyncio.to_thread(go)))

    mine = tmp_path / "mine"
    done = await signing_in.login_oidc(mine, "http://localhost", browse)
    await asyncio.gather(*opened)
    assert (done["name"], done["roles"]) == ("ada", ["operator"])
    assert 0 < done["expires"] - time.time() <= 86_400
    token = SecretStore(mine).get("server/http://localhost")
    assert (await server.get("/session", **bearer(token))).json()["name"] == "ada"
