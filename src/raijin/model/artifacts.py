"""Where binaries and images come from, and how they travel to a host."""

from __future__ import annotations

from pydantic import Field

from raijin.model.base import Model
from raijin.model.choice import Choice
from raijin.model.names import Url


class Delivery(Choice):
    """How an artifact travels to a host."""

    PUSH = "PUSH"
    PULL = "PULL"


class Artifacts(Model):
    """The source of binaries and images for all hosts of a site."""

    mirror: Url | None = Field(
        default=None,
        description="A mirror or registry to use in place of the upstream addresses.",
        examples=["https://mirror.example.org/raijin"],
    )
    delivery: Delivery = Field(
        default=Delivery.PUSH,
        description="PUSH: Raijin sends artifacts over SSH, so hosts need no internet. PULL: hosts fetch them.",
    )


class Proxy(Model):
    """The HTTP proxy of a site, for hosts and container runtimes."""

    http_proxy: str | None = Field(default=None, description="Proxy for http addresses.")
    https_proxy: str | None = Field(default=None, description="Proxy for https addresses.")
    no_proxy: tuple[str, ...] = Field(
        default=(), description="Names, addresses and networks that are reached without the proxy."
    )
