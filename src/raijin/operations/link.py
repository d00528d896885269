"""Network interfaces that must not exist: bridges and tunnels that a container network left."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve, matching

LIBRARY = r"""
linkabsent_check() { # name
  [ -e "/sys/class/net/$1" ] || return 0
  differs state present absent
  return 1
}
linkabsent_change() { ip link delete "$1"; }
"""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}")


@dataclass(frozen=True, slots=True)
class LinkAbsent(Operation):
    """A network interface that must not exist. It keeps no receipt: it is for what the cluster made itself."""

    name: str
    kind: Literal["linkabsent"] = "linkabsent"

    library: ClassVar[str] = LIBRARY

    def __post_init__(self) -> None:
        matching(_NAME, self.name, "the name of a network interface")

    @property
    def title(self) -> str:
        return f"no interface {self.name}"

    def manual(self) -> tuple[str, ...]:
        return (f"ip link delete {self.name}",)

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return (self.name,)
