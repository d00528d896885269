"""Routes that must not exist: those that a container network made, by the mark that it gives its own.

The kernel keeps with each route who made it (`proto`), as a name or a number below 256.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve, matching

LIBRARY = r"""
# route_lines MAKER: the routes of both families, in all tables.
route_lines() {
  for o_family in -4 -6; do ip "$o_family" route show table all proto "$1" 2>/dev/null; done
}
routesabsent_check() { # maker...
  have ip || return 0
  for o_maker in "$@"; do
    o_count=$(route_lines "$o_maker" | grep -c .) || continue
    differs state "$o_count by $o_maker" absent
    return 1
  done
}
routesabsent_change() {
  for o_maker in "$@"; do
    for o_family in -4 -6; do
      [ -z "$(ip "$o_family" route show table all proto "$o_maker" 2>/dev/null)" ] ||
        ip "$o_family" route flush table all proto "$o_maker" || return 1
    done
  done
}
"""

_MAKER = re.compile(r"[a-z][a-z0-9_]{1,15}|\d{1,3}")


@dataclass(frozen=True, slots=True)
class RoutesAbsent(Operation):
    """No route is by one of these makers. It keeps no receipt: it is for what the cluster made itself."""

    makers: tuple[str, ...]
    kind: Literal["routesabsent"] = "routesabsent"

    library: ClassVar[str] = LIBRARY

    def __post_init__(self) -> None:
        for maker in self.makers:
            matching(_MAKER, maker, "the maker of a route")

    @property
    def title(self) -> str:
        return f"no routes by {', '.join(self.makers)}"

    def manual(self) -> tuple[str, ...]:
        return tuple(f"ip {family} route flush table all proto {m}" for m in self.makers for family in ("-4", "-6"))

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return self.makers
