"""File systems that are mounted now and at every boot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve, absolute, one_line
from raijin.operations.line import LIBRARY as LINE

MOUNTS = r"""
mounts_fetch() { MOUNTS=$NL$(cat /proc/self/mounts)$NL; }
mounted() { need mounts; case $MOUNTS in *" $1 "*) return 0;; esac; return 1; } # path, as the kernel writes it
"""

LIBRARY = r"""
mount_check() { # path kernel-path fstab-line match
  line_check /etc/fstab "$3" "$4" 1; o_rc=$?
  [ "$o_rc" != 2 ] || return 2
  mounted "$2" || { differs mounted no yes; o_rc=1; }
  return $o_rc
}
mount_change() {
  [ -d "$1" ] || { REASON="the folder $1 does not exist"; return 1; }
  if mounted "$2"; then o_option='-o remount'; else o_option=; fi
  line_change /etc/fstab "$3" "$4" 1 || return 1
  reload_later
  [ -n "$o_option" ] || remember mount "$1" absent || return 1
  mount $o_option "$1" || { REASON="$1 cannot be mounted"; return 1; }
}
"""

UNDO = r"""
mount_undo() { # path receipt
  ! mountpoint -q "$1" || umount "$1"
}
"""


@dataclass(frozen=True, slots=True)
class Mount(Operation):
    """A line of /etc/fstab, mounted. device: a path, `UUID=...`, `LABEL=...` or `server:/export`."""

    path: str
    device: str
    filesystem: str
    options: str = "defaults"
    kind: Literal["mount"] = "mount"

    library: ClassVar[str] = LIBRARY
    requires: ClassVar[tuple[str, ...]] = (LINE, MOUNTS)
    undo_library: ClassVar[str] = UNDO

    def __post_init__(self) -> None:
        absolute(self.path)
        for text in (self.path, self.device, self.filesystem, self.options):
            one_line(text)

    @property
    def title(self) -> str:
        return f"mount {self.path}"

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        place = escaped(self.path.rstrip("/") or "/")
        line = f"{escaped(self.device)} {place} {self.filesystem} {self.options} 0 0"
        match = rf"^[[:space:]]*[^#[:space:]][^[:space:]]*[[:space:]]+{re.escape(place)}[[:space:]]"
        return (self.path.rstrip("/") or "/", place, line, match)

    def probes(self) -> tuple[str, ...]:
        return ("/etc/fstab",)

    def wants(self) -> tuple[tuple[str, str], ...]:
        return (("mounts", "all"),)


def escaped(text: str) -> str:
    """As fstab and the kernel write a path: white space and backslashes in octal."""
    return "".join(f"\\{ord(letter):03o}" if letter in " \t\\" else letter for letter in text)
