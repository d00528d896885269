"""Users, tokens and sessions of a server. Every refusal is an entry of the audit trail."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from raijin.app.roles import Caller, Grant, Role, grants_of
from raijin.errors import NotAuthenticated, NotFound, UsageError
from raijin.observe.masking import MASKER
from raijin.state.access import BrowserSession, Sessions, Token, Tokens, User, Users
from raijin.state.audit import Audit, Entry

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine as Database

SESSION_SECONDS = 12 * 3600.0
SETUP_SECONDS = 24 * 3600.0
LONGEST_DAYS = 366
FOREIGN_DAYS = 1
"""How long a token of somebody of a provider lives: what happens to them there is only known when they come again."""
FOREIGN = "oidc"
SHORTEST_PASSWORD = 12
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_TOKEN = re.compile(r"rjn_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
SETUP_OWNER = ""
"""Who owns the one-time token of the first start: nobody."""


def _hashed(secret: str) -> str:
    """Random secrets of 256 bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(slots=True)
class Access:
    """origin: by which way it is asked: api, or cli."""

    database: Database
    home: Path
    origin: str = "api"
    hasher: PasswordHasher = field(default_factory=PasswordHasher)
    _decoy: str = ""

    @property
    def users(self) -> Users:
        return Users(self.database)

    @property
    def tokens(self) -> Tokens:
        return Tokens(self.database)

    def note(self, action: str, result: str, *, who: str, address: str, target: str = "", **detail: Any) -> None:
        Audit(self.database, self.home).append(Entry(who, self.origin, action, target, result, address, detail=detail))

    # --- the first start ----------------------------------------------------------------------------------------------

    def setup_token(self) -> str | None:
        """A new one-time token that makes the first administrator; None when there are users already."""
        if self.users.any():
            return None
        for old in self.tokens.of(SETUP_OWNER):
            self.tokens.remove(old.id)
        return self._new(Token("", "setup", SETUP_OWNER, "", (), time.time(), time.time() + SETUP_SECONDS))

    def setup(self, token: str, name: str, password: str, address: str) -> None:
        """The first administrator. Raises NotAuthenticated, UsageError."""
        found = self._token(token)
        if found is None or found.owner != SETUP_OWNER or self.users.any():
            self.note("setup", "refused", who=name[:64], address=address, reason="the token is not valid")
            raise NotAuthenticated("this setup token is not valid", remedy="take the one that `raijin serve` printed")
        self.check_name(name)
        self.users.add(name, self._hash(password), [str(Role.ADMIN)], first=True)
        self.tokens.remove(found.id)
        self.note("setup", "done", who=name, address=address)

    # --- people -------------------------------------------------------------------------------------------------------

    def add_user(self, caller: Caller, name: str, password: str, grants: Sequence[str]) -> None:
        self.check_name(name)
        wanted = grants_of(grants)
        self.users.add(name, self._hash(password), [str(grant) for grant in wanted])
        self.note("user-added", "done", who=caller.name, address=caller.address, target=name, grants=list(grants))

    def change_user(
        self,
        caller: Caller,
        name: str,
        *,
        password: str | None = None,
        grants: Sequence[str] | None = None,
        disabled: bool | None = None,
    ) -> User:
        """Raises NotFound, UsageError."""
        values: dict[str, Any] = {}
        known = self.users.get(name)
        if password is not None and known is not None and known.origin == FOREIGN:
            raise UsageError(f"{name} logs in with the provider, and has no password here", remedy="change it there")
        if password is not None:
            values["password"] = self._hash(password)
        if grants is not None:
            values["grants"] = [str(grant) for grant in grants_of(grants)]
        if disabled is not None:
            values["disabled"] = int(disabled)
        if (grants is not None or disabled) and self._last_admin(name, values):
            raise UsageError(f"{name} is the only administrator", remedy="make another one first")
        if values:
            self.users.change(name, **values)
        self.note("user-changed", "done", who=caller.name, address=caller.address, target=name, fields=sorted(values))
        user = self.users.get(name)
        if user is None:
            raise NotFound(f"there is no user {name}")
        return user

    def keep_foreign(self, name: str, grants: Sequence[str], address: str) -> None:
        """Somebody whom a provider has judged, with what the groups allow now. Raises NotAuthenticated."""
        if not _NAME.fullmatch(name):
            raise self._not_let_in("the token has no name of a user", name, address)
        user = self.users.get(name)
        if user is None:
            self.users.add(name, None, grants, origin=FOREIGN)
            self.note("user-added", "done", who=name, address=address, target=name, grants=list(grants), origin=FOREIGN)
        elif user.origin != FOREIGN:
            raise self._not_let_in(f"there is a local user {name}, who is somebody else", name, address)
        elif user.disabled:
            raise self._not_let_in(f"{name} was locked out here", name, address)
        elif user.grants != tuple(grants):
            self.users.change(name, grants=list(grants))
            self.note("user-changed", "done", who=name, address=address, target=name, grants=list(grants))

    def _not_let_in(self, reason: str, name: str, address: str) -> NotAuthenticated:
        self.note("token", "refused", who=name[:64], address=address, target=FOREIGN, reason=reason)
        return NotAuthenticated(reason, remedy="ask an administrator of this server")

    def remove_user(self, caller: Caller, name: str) -> None:
        if self._last_admin(name, {"disabled": 1}):
            raise UsageError(f"{name} is the only administrator", remedy="make another one first")
        self.users.remove(name)
        self.note("user-removed", "done", who=caller.name, address=caller.address, target=name)

    def _last_admin(self, name: str, values: dict[str, Any]) -> bool:
        admins = [u for u in self.users.all() if not u.disabled and str(Role.ADMIN) in u.grants]
        stays = str(Role.ADMIN) in values.get("grants", [str(Role.ADMIN)]) and not values.get("disabled")
        return [u.name for u in admins] == [name] and not stays

    @staticmethod
    def check_name(name: str) -> None:
        if not _NAME.fullmatch(name):
            raise UsageError("that is no name of a user", remedy="use letters, digits, '.', '_', '@' and '-'")

    def _hash(self, password: str) -> str:
        if not SHORTEST_PASSWORD <= len(password) <= 1024:
            raise UsageError(
                f"the password has {len(password)} characters", remedy=f"use at least {SHORTEST_PASSWORD} of them"
            )
        return self.hasher.hash(password)

    def login(self, name: str, password: str, address: str) -> tuple[User, str, BrowserSession]:
        """A session for somebody with a password; returns the secret of its cookie. Raises NotAuthenticated."""
        user = self.users.get(name)
        usable = user is not None and user.password is not None and not user.disabled
        # Whoever does not exist takes as long as whoever does.
        known = user.password if usable and user is not None else self._decoy_hash()
        try:
            self.hasher.verify(known or "", password[:1024])
            right = usable
        except (VerificationError, InvalidHashError):
            right = False
        if not right or user is None:
            self.note("login", "refused", who=name[:64], address=address, reason="name or password is wrong")
            raise NotAuthenticated("the name or the password is wrong", remedy="try again")
        secret, session = self.open_session(user.name)
        self.note("login", "done", who=user.name, address=address)
        return user, secret, session

    def _decoy_hash(self) -> str:
        if not self._decoy:
            self._decoy = self.hasher.hash(secrets.token_urlsafe(16))
        return self._decoy

    def open_session(self, owner: str) -> tuple[str, BrowserSession]:
        secret, now = secrets.token_urlsafe(32), time.time()
        session = BrowserSession(_hashed(secret), owner, secrets.token_urlsafe(24), now, now + SESSION_SECONDS)
        Sessions(self.database).add(session)
        return secret, session

    def logout(self, caller: Caller) -> None:
        if caller.session:
            Sessions(self.database).remove(caller.session)
        self.note("logout", "done", who=caller.name, address=caller.address)

    # --- tokens -------------------------------------------------------------------------------------------------------

    def new_token(
        self, caller: Caller, name: str, grants: Sequence[str], days: float, *, owner: str = ""
    ) -> tuple[str, Token]:
        """A token for the caller, allowing at most what the caller may.

        owner: for somebody else, at most what they may; it takes an administrator. Raises UsageError, AccessDenied,
        NotFound.
        """
        if not 0 < days <= LONGEST_DAYS:
            raise UsageError(f"a token lives for {days:g} days", remedy=f"choose up to {LONGEST_DAYS} days")
        user, holder = self.users.get(owner or caller.name), caller
        if owner:
            caller.require(Role.ADMIN)
            if user is None:
                raise NotFound(f"there is no user {owner[:64]}", remedy="see `raijin user list`")
            holder = Caller(user.name, (grants_of(user.grants),))
        if user is not None and user.origin == FOREIGN and days > FOREIGN_DAYS:
            raise UsageError(
                f"a token of somebody of a provider lives {FOREIGN_DAYS} day", remedy="choose 1 day or less"
            )
        wanted = grants_of(grants)
        holder.allows_at_most(wanted)
        now = time.time()
        texts = tuple(str(grant) for grant in wanted)
        secret = self._new(Token("", name[:64], holder.name, "", texts, now, now + days * 86_400))
        token = self._token(secret)
        if token is None:
            raise NotFound("the token was not kept")
        self.note("token-made", "done", who=caller.name, address=caller.address, target=token.id, grants=list(texts),
                  owner=holder.name)  # fmt: skip
        return secret, token

    def revoke(self, caller: Caller, token_id: str) -> None:
        """Raises NotFound for a token that is not the caller's, unless an administrator asks."""
        token = self.tokens.get(token_id)
        if token is None or (token.owner != caller.name and not caller.may(Role.ADMIN)):
            raise NotFound(f"there is no token {token_id[:64]}")
        self.tokens.remove(token.id)
        self.note("token-revoked", "done", who=caller.name, address=caller.address, target=token.id)

    def _new(self, token: Token) -> str:
        number, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        self.tokens.add(
            Token(number, token.name, token.owner, _hashed(secret), token.grants, token.created, token.expires)
        )
        text = f"rjn_{number}_{secret}"
        MASKER.add(text)
        return text

    def _token(self, text: str) -> Token | None:
        match = _TOKEN.fullmatch(text)
        token = self.tokens.get(match[1]) if match else None
        if match is None or token is None or not hmac.compare_digest(token.secret, _hashed(match[2])):
            return None
        return token if token.expires is None or token.expires > time.time() else None

    # --- who asks -----------------------------------------------------------------------------------------------------

    def by_token(self, text: str, address: str) -> Caller:
        """Raises NotAuthenticated for a token that is forged, expired or revoked, or whose owner is gone."""
        token = self._token(text)
        owner = self.users.get(token.owner) if token else None
        if token is None or owner is None or owner.disabled:
            match = _TOKEN.fullmatch(text)
            self.note("token", "refused", who="", address=address, target=match[1] if match else "", reason="not valid")
            raise NotAuthenticated("the token is not valid, or no longer", remedy="make a new one, or log in again")
        self.tokens.used(token)
        return Caller(owner.name, (grants_of(token.grants), grants_of(owner.grants)), address)

    def by_session(self, secret: str, address: str) -> Caller | None:
        session = Sessions(self.database).get(_hashed(secret))
        owner = self.users.get(session.owner) if session else None
        if session is None or owner is None or owner.disabled:
            return None
        return Caller(owner.name, (grants_of(owner.grants),), address, session.csrf, session.secret)


def everything(name: str, address: str) -> Caller:
    """Whoever reaches a server that asks nobody: it listens on this machine alone."""
    return Caller(name, ((Grant(Role.ADMIN),),), address)
