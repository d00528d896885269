"""A template: a named part of a cluster definition to start others from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from raijin.model.base import FreeDict, Model
from raijin.model.names import Name


class Template(Model):
    """A named start for cluster definitions. It may be incomplete: what it makes is checked, not the template."""

    kind: Literal["Template"] = Field(default="Template", description="Says that this document is a Template.")
    name: Name = Field(description="Name of the template.")
    description: str = Field(default="", description="What it is for, in one line.")
    version: str | None = Field(default=None, description="Version of the template itself.")
    extends: Name | None = Field(default=None, description="The template that this one adds to.")
    definition: FreeDict = Field(description="Fields of a Cluster, as many as the template knows.")
