"""Addresses that nobody else may have."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.errors import UsageError
from raijin.operations.base import Argument, Operation, Resolve
from raijin.operations.probing import NEIGHBOURS

LIBRARY = r"""
addressfree_check() { # address macs...: those of hosts that may hold it
  d_address=$1; shift
  case "$(ip -o addr show 2>/dev/null)" in *" $d_address/"*) return 0;; esac
  answered_by "$d_address"
  [ -n "$ANSWERED" ] || return 0
  for d_mac in "$@"; do [ "$d_mac" != "$ANSWERED" ] || return 0; done
  refuse "$d_address is in use: $ANSWERED answers for it; free it, or choose another address"
  return 2
}
addressfree_change() { :; }
"""


@dataclass(frozen=True, slots=True)
class AddressFree(Operation):
    """Nobody answers for an address, unless it is this host or one of `macs`. It changes nothing: it only refuses.

    The network is asked as any program would: something is sent to the address, and the kernel's table of neighbours
    says who answered. An address behind a router has no neighbour and counts as free.
    """

    address: str
    macs: tuple[str, ...] = ()
    kind: Literal["addressfree"] = "addressfree"

    library: ClassVar[str] = LIBRARY
    requires: ClassVar[tuple[str, ...]] = (NEIGHBOURS,)

    def __post_init__(self) -> None:
        try:
            ipaddress.ip_address(self.address)
        except ValueError as error:
            raise UsageError(f"{self.address!r} is not an IP address") from error

    @property
    def title(self) -> str:
        return f"address {self.address} is free"

    def manual(self) -> tuple[str, ...]:
        return (f"ping -c 1 -W 1 {self.address}; ip neigh show to {self.address}   # nobody but your hosts may answer",)

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return (self.address, *self.macs)
