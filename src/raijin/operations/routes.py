"""Routes that must not exist: those that a container network made, by its mark or by where they lead.

The kernel keeps with each route who made it (`proto`), as a name or a number below 256.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.errors import UsageError
from raijin.operations.base import Argument, Operation, Resolve, matching

LIBRARY = r"""
# routes VERB FAMILY SELECTOR...: of all tables; SELECTOR is `proto MAKER` or `root NETWORK` (routes into it).
routes() { o_verb=$1; o_family=$2; shift 2; ip "$o_family" route "$o_verb" table all "$@"; }
# each_route COMMAND MAKERS NETWORK...: COMMAND FAMILY SELECTOR for each, until one fails.
each_route() {
  o_command=$1; o_makers=$2; shift 2
  for o_maker in $o_makers; do
    "$o_command" -4 proto "$o_maker" && "$o_command" -6 proto "$o_maker" || return 1
  done
  for o_network in "$@"; do
    case $o_network in *:*) o_own=-6;; *) o_own=-4;; esac
    "$o_command" "$o_own" root "$o_network" || return 1
  done
}
no_route() { # family selector value
  o_count=$(routes show "$@" 2>/dev/null | grep -c .) || return 0
  differs state "$o_count by $3" absent
  return 1
}
flush_routes() { [ -z "$(routes show "$@" 2>/dev/null)" ] || routes flush "$@"; }
routesabsent_check() { ! have ip || each_route no_route "$@"; } # makers network...
routesabsent_change() { each_route flush_routes "$@"; }
"""

_MAKER = re.compile(r"[a-z][a-z0-9_]{1,15}|\d{1,3}")


@dataclass(frozen=True, slots=True)
class RoutesAbsent(Operation):
    """No route is by one of these makers, or leads into one of these networks (CIDR).

    It keeps no receipt: it is for what the cluster made itself.
    """

    makers: tuple[str, ...]
    networks: tuple[str, ...] = ()
    kind: Literal["routesabsent"] = "routesabsent"

    library: ClassVar[str] = LIBRARY

    def __post_init__(self) -> None:
        for maker in self.makers:
            matching(_MAKER, maker, "the maker of a route")
        for network in self.networks:
            try:
                wide = ipaddress.ip_network(network).prefixlen == 0
            except ValueError:
                wide = True
            if wide:
                raise UsageError(f"{network!r} is no network of pods", remedy="write it as in 10.244.0.0/16")

    @property
    def title(self) -> str:
        ways = [f"by {maker}" for maker in self.makers] + [f"into {network}" for network in self.networks]
        return f"no routes {', '.join(ways)}"

    def manual(self) -> tuple[str, ...]:
        made = [f"ip {family} route flush table all proto {m}" for m in self.makers for family in ("-4", "-6")]
        return (*made, *(f"ip {'-6' if ':' in n else '-4'} route flush table all root {n}" for n in self.networks))

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return (" ".join(self.makers), *self.networks)
