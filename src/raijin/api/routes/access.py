"""Who may use the server: the first administrator, logging in, tokens, users."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field, SecretStr
from starlette.concurrency import run_in_threadpool

from raijin.api.caller import COOKIE, Gate, Known
from raijin.api.describing import CHANGING, LOOKING
from raijin.api.wire import Answer, Body, Text
from raijin.app.access import SESSION_SECONDS, Access
from raijin.app.roles import Role
from raijin.errors import NotFound

router = APIRouter(tags=["access"])
UserName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$", examples=["ada"])]
UserPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]
Roles = Annotated[list[Annotated[str, Field(max_length=80)]], Field(max_length=64, examples=[["operator:production"]])]
Password = Annotated[SecretStr, Field(max_length=1024)]


class SetupRequest(Body):
    token: str = Field(max_length=200, description="What `raijin serve` printed when it started for the first time.")
    name: UserName
    password: Password = Field(description="Of at least 12 characters.")


class LoginRequest(Body):
    name: UserName
    password: Password


class Entrance(Answer):
    """What the page of the login has to offer; nobody has to be known to read it."""

    setup: bool = Field(description="Nobody is there yet: the one-time token makes the first administrator.")
    provider: str = Field(description="The issuer of the OpenID Connect provider to log in with; empty without one.")


class Session(Answer):
    name: str
    roles: list[str]
    csrf: str = Field(description="Repeat it as X-CSRF-Token with everything that changes something.")
    expires: float | None


class TokenRequest(Body):
    name: Text = Field(description="What it is for.", examples=["ci"])
    roles: Roles = Field(description="What it allows, at most what you may.")
    days: float = Field(default=30, gt=0, le=366, description="How long it is valid.")


class TokenLine(Answer):
    id: str
    name: str
    owner: str
    roles: list[str]
    created: float
    expires: float | None
    used: float | None


class NewToken(TokenLine):
    token: str = Field(description="The token itself. It is shown this once.")


class UserRequest(Body):
    name: UserName
    password: Password
    roles: Roles


class UserChange(Body):
    password: Password | None = None
    roles: Roles | None = None
    disabled: bool | None = None


class UserLine(Answer):
    name: str
    roles: list[str]
    origin: str
    created: float
    disabled: bool


def gate_of(request: Request) -> Gate:
    gate: Gate = request.app.state.gate
    return gate


def access_of(request: Request) -> Access:
    """Raises NotFound on a server that asks nobody."""
    access = gate_of(request).access
    if access is None:
        raise NotFound("this server asks nobody who they are", remedy="start it without --no-auth to have users")
    return access


@router.get("/entrance", response_model=Entrance, responses=LOOKING)
def entrance(request: Request) -> dict[str, Any]:
    """How one gets in."""
    gate, access = gate_of(request), access_of(request)
    return {"setup": not access.users.any(), "provider": gate.oidc.settings.issuer if gate.oidc else ""}


@router.post("/setup", status_code=201, responses=CHANGING)
async def setup(request: Request, wanted: SetupRequest) -> dict[str, str]:
    """The first administrator, with the one-time token."""
    access, address = access_of(request), await gate_of(request).attempt(request)
    password = wanted.password.get_secret_value()
    await run_in_threadpool(access.setup, wanted.token, wanted.name, password, address)
    return {"name": wanted.name}


@router.post("/session", response_model=Session, responses=CHANGING)
async def login(request: Request, response: Response, wanted: LoginRequest) -> dict[str, Any]:
    """Log in with a password: a session in a cookie, for browsers."""
    gate, access = gate_of(request), access_of(request)
    address = await gate.attempt(request)
    password = wanted.password.get_secret_value()
    user, secret, session = await run_in_threadpool(access.login, wanted.name, password, address)
    keep(response, secret, secure=gate.secure)
    return {"name": user.name, "roles": list(user.grants), "csrf": session.csrf, "expires": session.expires}


def keep(response: Response, secret: str, *, secure: bool) -> None:
    response.set_cookie(
        COOKIE, secret, max_age=int(SESSION_SECONDS), httponly=True, samesite="lax", secure=secure, path="/"
    )


@router.get("/session", response_model=Session, responses=LOOKING)
def who(caller: Known) -> dict[str, Any]:
    """Who asks, and may do what."""
    return {"name": caller.name, "roles": caller.written(), "csrf": caller.csrf, "expires": None}


@router.delete("/session", status_code=204, responses=LOOKING)
def logout(request: Request, response: Response, caller: Known) -> None:
    """Log out."""
    access_of(request).logout(caller)
    response.delete_cookie(COOKIE, path="/")


@router.get("/tokens", responses=LOOKING)
def list_tokens(request: Request, caller: Known) -> dict[str, list[TokenLine]]:
    """Your tokens; an administrator sees those of all. Never the tokens themselves."""
    owner = None if caller.may(Role.ADMIN) else caller.name
    found = access_of(request).tokens.of(owner)
    return {"tokens": [TokenLine.model_validate(token.to_json()) for token in found if token.owner]}


@router.post("/tokens", status_code=201, response_model=NewToken, responses=CHANGING)
def new_token(request: Request, wanted: TokenRequest, caller: Known) -> dict[str, Any]:
    """A token for programs, allowing at most what you may."""
    secret, token = access_of(request).new_token(caller, wanted.name, wanted.roles, wanted.days)
    return token.to_json() | {"token": secret}


@router.delete("/tokens/{token}", status_code=204, responses=CHANGING)
def revoke(request: Request, token: Annotated[str, Path(pattern=r"^[0-9a-f]{12}$")], caller: Known) -> None:
    """Let a token be worth nothing from now on."""
    access_of(request).revoke(caller, token)


@router.get("/users", responses=LOOKING)
def list_users(request: Request, caller: Known) -> dict[str, list[UserLine]]:
    """All users and their roles."""
    caller.require(Role.ADMIN)
    return {"users": [UserLine.model_validate(user.to_json()) for user in access_of(request).users.all()]}


@router.post("/users", status_code=201, responses=CHANGING)
def add_user(request: Request, wanted: UserRequest, caller: Known) -> dict[str, str]:
    """A new user with a password."""
    caller.require(Role.ADMIN)
    access_of(request).add_user(caller, wanted.name, wanted.password.get_secret_value(), wanted.roles)
    return {"name": wanted.name}


@router.patch("/users/{name}", response_model=UserLine, responses=CHANGING)
def change_user(request: Request, name: UserPath, wanted: UserChange, caller: Known) -> dict[str, Any]:
    """Another password (your own, or as an administrator), other roles, or no way in. Sessions of the user end."""
    own = name == caller.name and wanted.roles is None and wanted.disabled is None
    if not own:
        caller.require(Role.ADMIN)
    password = wanted.password.get_secret_value() if wanted.password else None
    access = access_of(request)
    return access.change_user(caller, name, password=password, grants=wanted.roles, disabled=wanted.disabled).to_json()


@router.delete("/users/{name}", status_code=204, responses=CHANGING)
def remove_user(request: Request, name: UserPath, caller: Known) -> None:
    """Take a user away, with tokens and sessions."""
    caller.require(Role.ADMIN)
    access_of(request).remove_user(caller, name)
