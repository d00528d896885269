"""Who may use a server: users, API tokens and sessions of browsers. Secrets are here as hashes only."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from raijin.errors import NotFound, UsageError
from raijin.state.dialect import writing
from raijin.state.tables import SESSIONS, TOKENS, USERS

LOCAL = "local"
"""The origin of users with a password here."""
NOTED_SECONDS = 60.0
"""How exactly the last use of a token is noted."""


@dataclass(frozen=True, slots=True)
class User:
    """password: an argon2 hash; None where somebody else judges. grants: `admin`, `operator:production`.

    origin: local, or oidc. created: seconds since the epoch.
    """

    name: str
    password: str | None
    grants: tuple[str, ...]
    origin: str
    created: float
    disabled: bool = False

    def to_json(self) -> dict[str, Any]:
        """Without the password, also as a hash."""
        return {
            "name": self.name, "roles": list(self.grants), "origin": self.origin, "created": self.created,
            "disabled": self.disabled,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """secret: a sha256. expires, used: seconds since the epoch."""

    id: str
    name: str
    owner: str
    secret: str
    grants: tuple[str, ...]
    created: float
    expires: float | None
    used: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Without the secret, also as a hash."""
        return {
            "id": self.id, "name": self.name, "owner": self.owner, "roles": list(self.grants),
            "created": self.created, "expires": self.expires, "used": self.used,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class BrowserSession:
    secret: str
    owner: str
    csrf: str
    created: float
    expires: float


class Users:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def any(self) -> bool:
        """Whether there is a local one: people of a provider do not make a server set up."""
        with self._engine.connect() as db:
            return db.execute(sa.select(USERS.c.name).where(USERS.c.origin == LOCAL).limit(1)).first() is not None

    def get(self, name: str) -> User | None:
        with self._engine.connect() as db:
            row = db.execute(USERS.select().where(USERS.c.name == name)).first()
        return _user(row) if row else None

    def all(self) -> list[User]:
        with self._engine.connect() as db:
            return [_user(row) for row in db.execute(USERS.select().order_by(USERS.c.name))]

    def add(
        self, name: str, password: str | None, grants: Sequence[str], *, first: bool = False, origin: str = LOCAL
    ) -> None:
        """A new user. first: only while there is no local one. origin: who judges. Raises UsageError."""
        with self._engine.connect() as db:
            writing(db, "users")
            taken = USERS.c.name == name
            there = db.execute(USERS.select().where(taken | (USERS.c.origin == LOCAL) if first else taken)).first()
            if there is not None:
                raise UsageError("there are users already" if first else f"there is a user {name} already")
            row = {"name": name, "password": password, "grants": json.dumps(list(grants)), "origin": origin}
            db.execute(USERS.insert().values(**row, created=time.time(), disabled=0))
            db.commit()

    def change(self, name: str, **values: Any) -> None:
        """Raises NotFound. Sessions of the user end."""
        if "grants" in values:
            values["grants"] = json.dumps(list(values["grants"]))
        with self._engine.begin() as db:
            if not db.execute(USERS.update().where(USERS.c.name == name).values(**values)).rowcount:
                raise NotFound(f"there is no user {name}")
            db.execute(SESSIONS.delete().where(SESSIONS.c.owner == name))

    def remove(self, name: str) -> None:
        """With tokens and sessions. Raises NotFound."""
        with self._engine.begin() as db:
            if not db.execute(USERS.delete().where(USERS.c.name == name)).rowcount:
                raise NotFound(f"there is no user {name}")
            db.execute(SESSIONS.delete().where(SESSIONS.c.owner == name))
            db.execute(TOKENS.delete().where(TOKENS.c.owner == name))


class Tokens:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, token: Token) -> None:
        values = {"grants": json.dumps(list(token.grants)), "used": None}
        with self._engine.begin() as db:
            db.execute(
                TOKENS.insert().values(
                    id=token.id, name=token.name, owner=token.owner, secret=token.secret,
                    created=token.created, expires=token.expires, **values,
                )
            )  # fmt: skip

    def get(self, token: str) -> Token | None:
        with self._engine.connect() as db:
            row = db.execute(TOKENS.select().where(TOKENS.c.id == token)).first()
        return _token(row) if row else None

    def used(self, token: Token) -> None:
        now = time.time()
        if (token.used or 0) < now - NOTED_SECONDS:
            with self._engine.begin() as db:
                db.execute(TOKENS.update().where(TOKENS.c.id == token.id).values(used=now))

    def of(self, owner: str | None) -> list[Token]:
        query = TOKENS.select().order_by(TOKENS.c.created)
        with self._engine.connect() as db:
            return [_token(row) for row in db.execute(query if owner is None else query.where(TOKENS.c.owner == owner))]

    def remove(self, token: str) -> None:
        with self._engine.begin() as db:
            db.execute(TOKENS.delete().where(TOKENS.c.id == token))


class Sessions:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, session: BrowserSession) -> None:
        with self._engine.begin() as db:
            db.execute(SESSIONS.delete().where(SESSIONS.c.expires < time.time()))
            db.execute(
                SESSIONS.insert().values(
                    secret=session.secret, owner=session.owner, csrf=session.csrf,
                    created=session.created, expires=session.expires,
                )
            )  # fmt: skip

    def get(self, secret: str) -> BrowserSession | None:
        with self._engine.connect() as db:
            row = db.execute(SESSIONS.select().where(SESSIONS.c.secret == secret)).first()
        if row is None or row.expires <= time.time():
            return None
        return BrowserSession(row.secret, row.owner, row.csrf, row.created, row.expires)

    def remove(self, secret: str) -> None:
        with self._engine.begin() as db:
            db.execute(SESSIONS.delete().where(SESSIONS.c.secret == secret))


def _user(row: sa.Row[Any]) -> User:
    grants = tuple(json.loads(row.grants))
    return User(row.name, row.password, grants, row.origin, row.created, bool(row.disabled))


def _token(row: sa.Row[Any]) -> Token:
    grants = tuple(json.loads(row.grants))
    return Token(row.id, row.name, row.owner, row.secret, grants, row.created, row.expires, row.used)
