"""Logging in with an OpenID Connect provider: for programs (a code at a loopback address) and for browsers."""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field

from raijin.api.describing import CHANGING, HOSTS
from raijin.api.routes.access import NewToken, access_of, gate_of, keep
from raijin.api.wire import Answer, Body
from raijin.app.code_flow import authorization
from raijin.app.oidc import Oidc
from raijin.errors import NotAuthenticated, NotFound

router = APIRouter(prefix="/oidc", tags=["access"])
COOKIE = "raijin_oidc"
LOGIN_SECONDS = 600
PATH = "/api/v1/oidc"
Word = Annotated[str, Query(max_length=4096)]


class Provider(Answer):
    """What a program needs to let somebody log in there (authorization code with PKCE)."""

    issuer: str
    client_id: str
    scope: str
    authorization_endpoint: str
    token_endpoint: str


class IdToken(Body):
    id_token: str = Field(max_length=16_384, description="As the provider gave it for this client.")
    nonce: str = Field(min_length=16, max_length=256, description="What it must repeat.")


def oidc_of(request: Request) -> Oidc:
    """Raises NotFound on a server that knows no provider."""
    found: Oidc | None = gate_of(request).oidc
    if found is None:
        raise NotFound("this server knows no OpenID Connect provider", remedy="set `oidc` in its server.yaml")
    return found


@router.get("", response_model=Provider, responses=HOSTS)
async def provider(request: Request) -> dict[str, Any]:
    """The provider that people of this server log in with."""
    return await oidc_of(request).public()


@router.post("/token", status_code=201, response_model=NewToken, responses={**CHANGING, **HOSTS})
async def token(request: Request, wanted: IdToken) -> dict[str, Any]:
    """A token of a day for whoever has just logged in at the provider."""
    oidc, address = oidc_of(request), await gate_of(request).attempt(request)
    caller = await oidc.logged_in(wanted.id_token, wanted.nonce, address)
    access = access_of(request)
    secret, made = await asyncio.to_thread(access.new_token, caller, "raijin login --oidc", caller.written(), 1)
    return made.to_json() | {"token": secret}


@router.get("/login", status_code=302, response_class=RedirectResponse, responses=HOSTS)
async def login(request: Request) -> Response:
    """Send a browser to the provider. What has to come back is in a cookie of ten minutes."""
    oidc = oidc_of(request)
    await gate_of(request).attempt(request)
    found = await oidc.public()
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    back = oidc.redirect(str(request.base_url))
    answer = RedirectResponse(authorization(found, back, state=state, nonce=nonce, verifier=verifier), 302)
    kept = json.dumps([state, nonce, verifier])
    answer.set_cookie(
        COOKIE, kept, max_age=LOGIN_SECONDS, httponly=True, samesite="lax", secure=gate_of(request).secure, path=PATH
    )
    return answer


@router.get("/callback", status_code=302, response_class=RedirectResponse, responses=HOSTS)
async def callback(request: Request, state: Word = "", code: Word = "", error: Word = "") -> Response:
    """Back from the provider: a session of the browser begins, and the dashboard opens."""
    gate, oidc = gate_of(request), oidc_of(request)
    address = await gate.attempt(request)
    try:
        known, nonce, verifier = json.loads(request.cookies.get(COOKIE, ""))
    except ValueError as fault:
        raise NotAuthenticated("this login was not begun here, or took too long", remedy="log in again") from fault
    if error or not code or not hmac.compare_digest(str(known).encode(), state.encode()):
        raise NotAuthenticated("the provider did not let you in, or the answer is not for you", remedy="log in again")
    id_token = await oidc.exchange(code, str(verifier), oidc.redirect(str(request.base_url)))
    caller = await oidc.logged_in(id_token, str(nonce), address)
    secret, _ = await asyncio.to_thread(access_of(request).open_session, caller.name)
    answer = RedirectResponse("/", 302)
    keep(answer, secret, secure=gate.secure)
    answer.delete_cookie(COOKIE, path=PATH)
    return answer
