"""The settings of a server: `server.yaml` in RAIJIN_HOME, all of it optional. Strict, like a definition."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError

from raijin.app.roles import Grant
from raijin.definition.problems import problems_of
from raijin.definition.tree import read_trees
from raijin.errors import DefinitionError, UsageError
from raijin.model.base import Model, fault

FILE = "server.yaml"


_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
"""Minute, hour, day, month, weekday (crontab(5))."""


def _field(text: str, least: int, most: int) -> bool:
    for part in text.split(","):
        match = re.fullmatch(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?", part)
        if match is None or match[3] == "0":
            return False
        numbers = [int(number) for number in match.group(1, 2) if number]
        if any(not least <= number <= most for number in numbers) or numbers != sorted(numbers):
            return False
    return True


def _cron(value: str) -> str:
    fields = value.split()
    if len(fields) != len(_BOUNDS) or not all(_field(f, *bounds) for f, bounds in zip(fields, _BOUNDS, strict=True)):
        raise fault("is not a time of cron", "write five fields, as in 30 2 * * * for half past two (UTC) every day")
    return value


Cron = Annotated[str, AfterValidator(_cron)]


class Schedules(Model):
    """When the server does by itself what it does, for every cluster; times in UTC. Empty: never."""

    backup: Cron | None = Field(default=None, description="Take and keep a backup.")
    certificates: Cron | None = Field(
        default="45 3 * * *", description="Renew the certificates of a cluster where one of them is due."
    )
    drift: Cron | None = Field(default="15 4 * * *", description="Plan, and note what has moved away.")
    health: Cron | None = Field(default="25 * * * *", description="Make every health check, for metrics and reports.")
    utilisation: Cron | None = Field(default="*/5 * * * *", description="Note what nodes and pods use.")


def _issuer(value: str) -> str:
    parts = urlsplit(value)
    local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if not parts.hostname or parts.query or parts.fragment or not (parts.scheme == "https" or local):
        raise fault("is no address of a provider", "write it as in https://auth.example.org/realms/raijin")
    return value


def _role(value: str) -> str:
    try:
        return str(Grant.parse(value))
    except UsageError as error:
        raise fault("is no role", error.remedy or "") from error


class OidcSettings(Model):
    """An OpenID Connect provider whose people may use the server, Keycloak for one."""

    issuer: Annotated[str, AfterValidator(_issuer)] = Field(description="As its tokens name it, without more or less.")
    client_id: Annotated[str, Field(min_length=1)] = Field(description="A public client with PKCE (S256).")
    audience: str = Field(default="", description="What access tokens must be for. Default: the client.")
    scope: str = Field(default="openid profile", description="What a login asks for.")
    address: str = Field(default="", description="Of this server, as browsers reach it. Default: as they ask.")
    user_claim: str = Field(default="preferred_username", description="Which claim is the name.")
    groups_claim: str = Field(default="groups", description="Which claim has the groups, as in realm_access.roles.")
    roles: dict[str, tuple[Annotated[str, AfterValidator(_role)], ...]] = Field(
        default_factory=dict, description="What a group may: roles, each for all clusters or for one."
    )


class ServerSettings(Model):
    """All settings of a server."""

    oidc: OidcSettings | None = Field(default=None, description="Who else may log in.")
    schedules: Schedules = Field(default=Schedules.bare(), description="What the server does by itself.")
    requests_per_minute: Annotated[int, Field(ge=1)] = Field(default=600, description="Of one caller.")
    logins_per_minute: Annotated[int, Field(ge=1)] = Field(default=10, description="From one address.")
    largest_request: Annotated[int, Field(ge=1024)] = Field(default=2 * 2**20, description="In bytes.")


def read_settings(home: Path) -> ServerSettings:
    """Raises DefinitionError with every fault."""
    path = home / FILE
    if not path.is_file():
        return ServerSettings()
    trees, faults = read_trees(path.read_text(encoding="utf-8-sig"), str(path))
    if faults:
        raise DefinitionError(faults)
    if not trees:
        return ServerSettings()
    try:
        return ServerSettings.model_validate(trees[0].data)
    except ValidationError as error:
        raise DefinitionError(problems_of(error, trees[0], ServerSettings)) from error
