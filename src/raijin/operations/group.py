"""Groups of the host's own accounts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.accounts import ACCOUNTS
from raijin.operations.base import Argument, Operation, Resolve, matching

LIBRARY = r"""
group_check() { # name gid system
  if ! account /etc/group "$1"; then differs state absent group; return 1; fi
  [ -z "$2" ] || [ "$2" = "$A_ID" ] || { refuse "group $1 has id $A_ID, not $2: files may belong to it"; return 2; }
}
group_change() {
  g_name=$1 g_gid=$2 g_system=$3
  remember group "$1" absent || return 1
  set --
  if have groupadd; then
    [ -z "$g_system" ] || set -- -r
    groupadd "$@" ${g_gid:+-g "$g_gid"} -- "$g_name"
  else
    [ -z "$g_system" ] || set -- -S
    addgroup "$@" ${g_gid:+-g "$g_gid"} "$g_name"
  fi
}
"""

UNDO = r"""
group_undo() { # name receipt
  FETCHED=' '
  account /etc/group "$1" || return 0
  if have groupdel; then groupdel -- "$1"; else delgroup "$1"; fi
}
"""

NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class Group(Operation):
    """A group in /etc/group. gid None: the next free one of its range."""

    name: str
    gid: int | None = None
    system: bool = True
    kind: Literal["group"] = "group"

    library: ClassVar[str] = LIBRARY
    requires: ClassVar[tuple[str, ...]] = (ACCOUNTS,)
    undo_library: ClassVar[str] = UNDO

    def __post_init__(self) -> None:
        matching(NAME, self.name, "the name of a group")

    @property
    def title(self) -> str:
        return f"group {self.name}"

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return (self.name, "" if self.gid is None else self.gid, self.system)
