"""Machines that Raijin makes: who makes those that a node group only counts."""

from __future__ import annotations

from pydantic import Field

from raijin.model.base import Model
from raijin.model.choice import Choice


class MachineSource(Choice):
    """Who makes machines. LAB: real Linux machines on the box that Raijin runs on (`raijin lab`)."""

    LAB = "LAB"


class Machines(Model):
    """Where the machines of groups come from that have a `count` and name no hosts."""

    provider: MachineSource = Field(description="Who makes them.")
