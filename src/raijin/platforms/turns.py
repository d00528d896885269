"""What is known and wanted of a rotation of authorities, as values. What platforms do about it: rotation.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from raijin.platforms.base import Context, Node

MARKER = "authorities."
"""Of the marker that a host bears from the first turn to the end: the rotation's id follows."""


class Turn(IntEnum):
    """What is done to every host before the next turn begins."""

    TRUST = 1
    SIGN = 2
    FORGET = 3


TITLES = {
    Turn.TRUST: "trust the new authorities too",
    Turn.SIGN: "be signed by the new authorities",
    Turn.FORGET: "trust the new authorities only",
}
"""What each turn is to a host, for people."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person wants. authorities: their names; none: all. workloads: those of users are started anew too.

    step: only the next turn, so that there is time to look, and for clients to follow.
    """

    authorities: tuple[str, ...] = ()
    workloads: bool = False
    step: bool = False


ALL = Asked()


@dataclass(frozen=True, slots=True)
class Rotation:
    """One that is in the middle, or is about to begin. id: names the authorities, and what is replaced.

    keys: the identifier of each new key, by authority, as far as it is known. turn: the last one that was begun on any
    host. kept: this RAIJIN_HOME has all that it needs. begun: a host, or this RAIJIN_HOME, knows of it. over: nothing
    is left of it but what is kept here.
    """

    id: str
    authorities: tuple[str, ...]
    keys: Mapping[str, str] = field(default_factory=dict)
    turn: Turn | None = None
    kept: bool = False
    begun: bool = False
    over: bool = False


def authority_secret(cluster: str, rotation: str, name: str, part: str) -> str:
    """The name under which a text of a rotation is kept. part: key, new, old, both (old first), turned (new first)."""
    return f"{kept_under(cluster)}{rotation}/{name}/{part}"


def kept_under(cluster: str) -> str:
    return f"cluster/{cluster}/authorities/"


def members(context: Context) -> list[Node]:
    """Hosts that can be reached, and are nodes."""
    return [node for node in context.reachable if node.joined]


def marked(nodes: Iterable[Node]) -> list[str]:
    """The ids of the rotations whose marker these hosts bear."""
    borne = {marker for node in nodes if node.facts for marker in node.facts.markers if marker.startswith(MARKER)}
    return sorted(marker.removeprefix(MARKER) for marker in borne)


def keys_in(node: Node, path: str) -> tuple[str, ...]:
    """Of the authorities in a file of the host, in their order."""
    return tuple(c.key for c in (node.facts.certificates if node.facts else ()) if c.path == path and c.key)
