"""People of an OpenID Connect provider (Keycloak, Dex, Entra ID): their bearer tokens, checked against its keys.

A token is a signed JWT. Who signed it is looked up in the provider's key set (found by discovery), which is read again
when a token names a key that is not in it: keys are turned while the server runs. Only signatures with a public key are
taken, never `none` and never a shared secret. What its groups may do, `server.yaml` says.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import (
    BadSignatureError,
    DecodeError,
    ExpiredTokenError,
    InvalidClaimError,
    InvalidKeyIdError,
    JoseError,
    MissingClaimError,
)
from joserfc.jwk import KeySet

from raijin.app.access import FOREIGN, Access
from raijin.app.code_flow import exchange_code
from raijin.app.roles import Caller, Grant, grants_of
from raijin.app.settings import OidcSettings
from raijin.errors import AccessDenied, NotAuthenticated, ServerUnreachable
from raijin.transport.http import Http, HttpFailure

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures that are checked with a public key (RFC 7518, 3.1; RFC 8037)."""
LEEWAY_SECONDS = 60
"""By so much the clock of the provider may differ from ours."""
KEYS_SECONDS = 3600.0
"""How long keys are taken for the provider's without asking again."""
AGAIN_SECONDS = 10.0
"""At least so long between two readings of the keys, however many tokens name keys that are not there."""
JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
WRONG = {
    "iss": "the token is of another provider",
    "aud": "the token is for somebody else",
    "nbf": "the token is not valid yet",
    "iat": "the token is of the future",
}
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def looks_like_jwt(token: str) -> bool:
    return JWT.fullmatch(token) is not None


@dataclass(slots=True)
class Oidc:
    """One provider. Its answers are kept; `caller` may be asked by many requests at once."""

    settings: OidcSettings
    access: Access
    _found: dict[str, Any] = field(default_factory=dict)
    _keys: KeySet | None = None
    _read: float = 0.0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def caller(self, token: str, address: str) -> Caller:
        """Who has this token. Raises NotAuthenticated with the reason, ServerUnreachable when nobody can tell."""
        try:
            claims = await self.claims(token, self.settings.audience or self.settings.client_id)
        except NotAuthenticated as error:
            await self._note("token", "refused", "", address, reason=error.message)
            raise
        return await asyncio.to_thread(self.known, claims, address)

    def known(self, claims: Mapping[str, Any], address: str) -> Caller:
        """The person that the claims are about, kept as a user of this origin, with what the groups may do now."""
        name = str(self._claim(claims, self.settings.user_claim) or "")
        grants = self.grants(claims)
        self.access.keep_foreign(name, [str(grant) for grant in grants], address)
        return Caller(name, (grants,), address)

    def grants(self, claims: Mapping[str, Any]) -> tuple[Grant, ...]:
        found = self._claim(claims, self.settings.groups_claim)
        groups = found if isinstance(found, list) else [found] if isinstance(found, str) else []
        texts = [role for group in groups for role in self.settings.roles.get(str(group), ())]
        return grants_of(dict.fromkeys(texts))

    @staticmethod
    def _claim(claims: Mapping[str, Any], path: str) -> Any:
        """`groups`, or `realm_access.roles` inside another."""
        found: Any = claims
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found

    async def claims(self, token: str, audience: str, nonce: str = "") -> dict[str, Any]:
        """What a token says, once all of it holds. nonce: what an ID token must repeat. Raises NotAuthenticated."""
        try:
            decoded = await self._decoded(token)
            rules: dict[str, Any] = {
                "iss": {"essential": True, "value": self.settings.issuer},
                "aud": {"essential": True, "value": audience},
                "exp": {"essential": True},
                "sub": {"essential": True},
            }
            if nonce:
                rules["nonce"] = {"essential": True, "value": nonce}
            jwt.JWTClaimsRegistry(leeway=LEEWAY_SECONDS, **rules).validate(decoded.claims)
        except JoseError as error:
            raise NotAuthenticated(_reason(error), remedy="log in again, with `raijin login --oidc`") from error
        except ValueError as error:
            raise NotAuthenticated("the token cannot be read", remedy="log in again") from error
        return dict(decoded.claims)

    async def _decoded(self, token: str) -> jwt.Token:
        try:
            return jwt.decode(token, await self.keys(), algorithms=ALGORITHMS)
        except (InvalidKeyIdError, BadSignatureError, ValueError):
            # The provider may have turned its keys since they were read.
            before = self._keys
            if await self.keys(again=True) is before:
                raise
        return jwt.decode(token, await self.keys(), algorithms=ALGORITHMS)

    async def keys(self, *, again: bool = False) -> KeySet:
        """The provider's public keys. Raises ServerUnreachable."""
        async with self._lock:
            age = time.monotonic() - self._read if self._keys else KEYS_SECONDS
            if self._keys is None or age >= KEYS_SECONDS or (again and age >= AGAIN_SECONDS):
                document = await self._document(str((await self.provider())["jwks_uri"]))
                self._keys, self._read = _public_keys(document), time.monotonic()
            return self._keys

    async def provider(self) -> dict[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery 1.0). Raises ServerUnreachable."""
        if not self._found:
            issuer = self.settings.issuer
            found = await self._document(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != issuer:
                raise ServerUnreachable(f"{issuer} says that it is {found.get('issuer')}", remedy="mend oidc.issuer")
            missing = [n for n in ("jwks_uri", "authorization_endpoint", "token_endpoint") if not found.get(n)]
            if missing:
                raise ServerUnreachable(f"{issuer} does not say its {', '.join(missing)}")
            self._found = found
        return self._found

    async def _document(self, url: str) -> dict[str, Any]:
        if urlsplit(url).scheme != "https" and urlsplit(url).hostname not in LOOPBACK:
            raise ServerUnreachable(f"{url} is not HTTPS", remedy="keys that anybody could change prove nothing")
        try:
            async with Http(read=10.0) as http:
                reply = (await http.send("GET", url)).expect()
            found = json.loads(reply.body)
        except HttpFailure as failure:
            reason = f"the provider does not answer: {failure.reason}"
            raise ServerUnreachable(reason, remedy="is it running?") from failure
        except ValueError as error:
            raise ServerUnreachable(f"what {url} answers is not JSON") from error
        if not isinstance(found, dict):
            raise ServerUnreachable(f"what {url} answers is no document")
        return found

    async def logged_in(self, id_token: str, nonce: str, address: str) -> Caller:
        """Who has just logged in at the provider.

        Raises NotAuthenticated, AccessDenied where the groups give no role, ServerUnreachable.
        """
        try:
            claims = await self.claims(id_token, self.settings.client_id, nonce)
        except NotAuthenticated as error:
            await self._note("login", "refused", "", address, reason=error.message)
            raise
        caller = await asyncio.to_thread(self.known, claims, address)
        await self._note("login", "done", caller.name, address)
        if not caller.written():
            raise AccessDenied(
                f"none of the groups of {caller.name} gives a role here", remedy="ask an administrator for a group"
            )
        return caller

    async def _note(self, action: str, result: str, who: str, address: str, **more: str) -> None:
        """Into the audit trail, which waits for its lock and for the disk: not on the loop that serves."""
        note = partial(self.access.note, action, result, who=who, address=address, target=FOREIGN, **more)
        await asyncio.to_thread(note)

    async def exchange(self, code: str, verifier: str, back: str) -> str:
        """The ID token for a code. Raises NotAuthenticated, ServerUnreachable."""
        endpoint = str((await self.provider())["token_endpoint"])
        async with Http(read=10.0) as http:
            return await exchange_code(http, endpoint, self.settings.client_id, code=code, verifier=verifier, back=back)

    def redirect(self, base: str) -> str:
        """Where the provider sends browsers back to."""
        return f"{(self.settings.address or base).rstrip('/')}/api/v1/oidc/callback"

    async def public(self) -> dict[str, Any]:
        """What a program needs to let somebody log in."""
        found = await self.provider()
        return {
            "issuer": self.settings.issuer, "client_id": self.settings.client_id, "scope": self.settings.scope,
            "authorization_endpoint": found["authorization_endpoint"], "token_endpoint": found["token_endpoint"],
        }  # fmt: skip


def _public_keys(document: Mapping[str, Any]) -> KeySet:
    """Those that check signatures. Raises ServerUnreachable when there is none."""
    listed = document.get("keys")
    usable = [
        key
        for key in (listed if isinstance(listed, list) else ())
        if isinstance(key, dict) and key.get("kty") in {"RSA", "EC", "OKP"} and key.get("use", "sig") == "sig"
    ]
    try:
        found = KeySet.import_key_set({"keys": usable})
    except (JoseError, ValueError) as error:
        raise ServerUnreachable("the keys of the provider cannot be read") from error
    if not usable:
        raise ServerUnreachable("the provider has no key that checks signatures")
    return found


def _reason(error: JoseError) -> str:
    """Without the token, and without what is in it."""
    if isinstance(error, ExpiredTokenError):
        return "the token has expired"
    if isinstance(error, (InvalidClaimError, MissingClaimError)):
        claim = str(error.claim)
        return WRONG.get(claim, f"the token does not say its {claim} as it should")
    if isinstance(error, BadSignatureError):
        return "the signature of the token is not the provider's"
    if isinstance(error, (InvalidKeyIdError, DecodeError)):
        return "the token is signed with a key that the provider does not have"
    return "the token is not signed in a way that is taken here"
