"""The name of the host."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve, matching
from raijin.transport.quoting import word

LIBRARY = r"""
hostname_check() { # name
  read -r h_now </proc/sys/kernel/hostname
  h_boot=; [ ! -r /etc/hostname ] || read -r h_boot </etc/hostname || :
  h_rc=0
  [ "$h_now" = "$1" ] || { differs name "$h_now" "$1"; h_rc=1; }
  [ "$h_boot" = "$1" ] || { differs 'name at boot' "$h_boot" "$1"; h_rc=1; }
  return $h_rc
}
hostname_change() {
  h_copy=; [ ! -e /etc/hostname ] || h_copy=/etc/hostname
  remember hostname name "$h_now" "$h_copy" &&
    put /etc/hostname 644 root root "$1$NL" && printf '%s' "$1" >/proc/sys/kernel/hostname
}
"""

UNDO = r"""
hostname_undo() { # key receipt
  read_text "$2/text"
  if [ -e "$2/original" ]; then put_back "$2" /etc/hostname; else rm -f /etc/hostname; fi &&
    printf '%s' "$TEXT" >/proc/sys/kernel/hostname
}
"""

_NAME = re.compile(r"(?=.{1,64}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


@dataclass(frozen=True, slots=True)
class Hostname(Operation):
    """The name of the host, now and at boot. Lower case only: Kubernetes takes the node's name from it."""

    name: str
    kind: Literal["hostname"] = "hostname"

    library: ClassVar[str] = LIBRARY
    undo_library: ClassVar[str] = UNDO

    def __post_init__(self) -> None:
        matching(_NAME, self.name, "a host name of at most 64 lower-case letters, digits, hyphens and dots")

    @property
    def title(self) -> str:
        return f"hostname {self.name}"

    def manual(self) -> tuple[str, ...]:
        return (f"hostnamectl set-hostname {word(self.name)}",)

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return (self.name,)
