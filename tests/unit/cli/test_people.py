"""Users, tokens and the audit trail of a home, on the command line: no secret is printed but a new token, once."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from raijin.app import access
from raijin.app.access import Access
from raijin.app.auditing import me
from raijin.app.roles import Role
from raijin.errors import AccessDenied, NotAuthenticated, NotFound
from raijin.state.audit import Audit, Entry
from raijin.state.database import open_database

PASSWORD, OTHER = "correct horse battery", "another staple of it"


@pytest.fixture
def server(database, home: Path, monkeypatch: pytest.MonkeyPatch) -> Access:
    """What the server of this home asks; quick hashes."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(access, "PasswordHasher", lambda: quick)
    monkeypatch.setattr(Access, "__init__", _quickly(Access.__init__, quick))
    return Access(database, home)


def _quickly(init: Callable[..., None], hasher: PasswordHasher) -> Callable[..., None]:
    def made(self: Access, *args: object, **more: object) -> None:
        init(self, *args, **{"hasher": hasher, **more})

    return made


@pytest.fixture
def typed(raijin, server, monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    """A command with a password on standard input. Whatever it says, the password is not in it."""

    def run(*words: str, password: str = PASSWORD) -> object:
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\n"))
        said = raijin(*words, "--password-stdin")
        assert password not in said.out + said.err
        return said

    return run


@pytest.fixture
def ada(typed) -> str:
    assert typed("user", "add", "ada").code == 0
    return "ada"


def test_the_first_user_is_an_administrator_and_needs_no_browser(raijin, typed, server: Access) -> None:
    said = typed("user", "add", "grace", "--role", "viewer")
    assert (said.code, server.users.all()) == (2, [])
    assert "the first user has to be an administrator" in said.err
    assert typed("user", "add", "ada").out == "ada is a user now: admin\n"
    user, _, _ = server.login("ada", PASSWORD, "192.0.2.9")
    assert user.grants == ("admin",)
    assert server.setup_token() is None, "nobody else becomes the first administrator"
    assert typed("user", "add", "ada").code == 2
    assert "would have no role" in typed("user", "add", "grace").err
    assert typed("user", "add", "grace", "--role", "operator:prod", "--role", "viewer").code == 0
    assert typed("user", "add", "../x", "--role", "viewer").code == 2
    assert typed("user", "add", "eve", "--role", "root").code == 2
    assert typed("user", "add", "eve", "--role", "viewer", password="short").code == 2
    listed = json.loads(raijin("user", "list", "-o", "json").out)
    assert [(u["name"], u["roles"]) for u in listed] == [("ada", ["admin"]), ("grace", ["operator:prod", "viewer"])]
    assert all("password" not in user for user in listed)
    assert "operator:prod, viewer" in raijin("user", "list").out


def test_another_password_ends_the_old_one(typed, server: Access, ada: str) -> None:
    assert typed("user", "password", ada, password=OTHER).code == 0
    with pytest.raises(NotAuthenticated):
        server.login(ada, PASSWORD, "192.0.2.9")
    server.login(ada, OTHER, "192.0.2.9")
    assert typed("user", "password", "nobody").code == NotFound.exit_code


def test_somebody_of_a_provider_gets_no_password_here(typed, server: Access, ada: str) -> None:
    server.keep_foreign("lin", ["viewer"], "192.0.2.9")
    said = typed("user", "password", "lin")
    assert said.code == 2
    assert "logs in with the provider" in said.err
    found = server.users.get("lin")
    assert found is not None
    assert found.password is None


def test_roles_and_the_last_administrator(raijin, typed, server: Access, ada: str) -> None:
    assert raijin("user", "roles", ada, "viewer").code == 2
    assert raijin("user", "remove", ada, "--yes").code == 2
    typed("user", "add", "grace", "--role", "admin")
    assert raijin("user", "roles", ada, "viewer", "operator:prod").out == "ada has the roles viewer, operator:prod\n"
    assert raijin("user", "remove", ada, "--yes").code == 0
    assert [user.name for user in server.users.all()] == ["grace"]
    assert raijin("user", "roles", "nobody", "viewer").code == NotFound.exit_code


def test_a_token_is_printed_once_and_worth_what_its_user_may(raijin, typed, server: Access, ada: str) -> None:
    typed("user", "add", "grace", "--role", "operator:prod")
    said = raijin("token", "make", "ci", "--user", "grace", "--days", "2")
    secret = said.out.strip()
    assert "shown this once" in said.err
    assert secret not in said.err
    caller = server.by_token(secret, "192.0.2.9")
    assert (caller.name, caller.may(Role.OPERATOR, "prod"), caller.may(Role.OPERATOR, "other")) == (
        "grace",
        True,
        False,
    )
    (kept,) = json.loads(raijin("token", "list", "-o", "json").out)
    assert (kept["name"], kept["owner"], kept["roles"]) == ("ci", "grace", ["operator:prod"])
    assert secret not in json.dumps(kept)
    assert secret not in raijin("token", "list", "--user", "grace").out
    assert raijin("token", "make", "ci", "--user", "grace", "--role", "admin").code == AccessDenied.exit_code
    assert "say whose token" in raijin("token", "make", "ci").err
    assert raijin("token", "make", "ci", "--user", "nobody").code == NotFound.exit_code
    assert raijin("token", "make", "ci", "--user", "ada", "--days", "9999").code == 2
    assert raijin("token", "revoke", kept["id"], "--yes").code == 0
    with pytest.raises(NotAuthenticated):
        server.by_token(secret, "192.0.2.9")
    assert raijin("token", "revoke", kept["id"], "--yes").code == NotFound.exit_code


def test_a_token_where_there_is_nobody(raijin, server: Access) -> None:
    assert "raijin user add" in raijin("token", "make", "ci").err


def test_all_of_it_stands_in_the_trail_as_done_here(raijin, typed, server: Access, home: Path, ada: str) -> None:
    typed("user", "password", ada, password=OTHER)
    secret = raijin("token", "make", "ci").out.strip()
    entries = list(Audit(server.database, home).all())
    assert [(e.who, e.origin, e.action) for e in entries] == [
        (me(), "cli", "user-added"), (me(), "cli", "user-changed"), (me(), "cli", "token-made"),
    ]  # fmt: skip
    told = json.dumps([entry.to_json() for entry in entries])
    assert not any(word in told for word in (PASSWORD, OTHER, secret))


def test_where_a_server_is_meant_nothing_is_changed_here(raijin, server: Access, monkeypatch, ada: str) -> None:
    monkeypatch.setenv("RAIJIN_SERVER", "https://192.0.2.1")
    said = raijin("token", "make", "ci")
    assert said.code == 2
    assert "no server does this" in said.err
    assert server.tokens.of(None) == []


@pytest.fixture
def trail(database, home: Path) -> None:
    made, day = Audit(database, home), 86_400.0
    for number, (who, action, target, result, run) in enumerate(
        [
            ("ada", "apply", "prod", "begun", "r1"),
            ("ada", "apply", "prod", "failed", "r1"),
            ("lin", "apply", "lab", "done", "r2"),
            ("ada", "user-added", "prod", "done", ""),
            ("", "login", "prod", "refused", ""),
        ]
    ):
        made.append(Entry(who, "cli", action, target, result, run=run, at=1_800_000_000 + number * day))


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ((), [5, 4, 3, 2, 1]),
        (("--cluster", "prod"), [2, 1]),
        (("--target", "prod"), [5, 4, 2, 1]),
        (("--result", "failed"), [2]),
        (("--run", "r2"), [3]),
        (("--who", "ada", "--cluster", "prod"), [2, 1]),
        (("--since", "2027-01-16T12:00", "--until", "2027-01-18T12:00"), [4, 3]),
        (("--since", "2027-01-18T12:00", "--incidents"), [5]),
        (("--cluster", "nobody"), []),
    ],
    ids=str,
)
def test_the_trail_is_asked_for_parts_of_it(raijin, trail, words: tuple[str, ...], numbers: list[int]) -> None:
    assert [entry["number"] for entry in json.loads(raijin("audit", "list", "-o", "json", *words).out)] == numbers
    lines = raijin("audit", "export", *words).out.splitlines()
    assert [json.loads(line)["number"] for line in lines] == numbers[::-1]


def test_a_time_that_is_none(raijin, trail) -> None:
    said = raijin("audit", "list", "--since", "yesterday")
    assert said.code == 2
    assert "yesterday is no time" in said.err


def test_a_home_is_left_in_order(home: Path, ada: str) -> None:
    assert Audit(open_database(home), home).verify().faults == ()


@pytest.mark.parametrize("words", [("user", "list"), ("token", "list")], ids=" ".join)
def test_asking_makes_no_state(raijin, home: Path, words: tuple[str, ...]) -> None:
    assert (raijin(*words, "-o", "json").out, home.exists()) == ("[]\n", False)
