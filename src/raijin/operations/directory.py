"""Directories with a mode and owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve, absolute, octal
from raijin.transport.quoting import word

LIBRARY = r"""
directory_check() { # path mode owner group filled
  probe "$1"
  [ "$P_TYPE" != 'symbolic link' ] || look "$1"
  case $P_TYPE in
    directory) [ -n "$5" ] || attributes "$2" "$3" "$4";;
    '') differs state absent directory; return 1;;
    *) refuse "$1 is a $P_TYPE, not a directory"; return 2;;
  esac
}
directory_change() {
  if [ -d "$1" ]; then
    look "$1"; remember directory "$1" "$P_MODE $P_OWNER $P_GROUP" || return 1
  else
    # The topmost folder that is missing: from there down, everything is ours.
    d_top=$1; d_up=${1%/*}
    while [ -n "$d_up" ] && [ ! -d "$d_up" ]; do d_top=$d_up; d_up=${d_up%/*}; done
    if [ -n "$5" ]; then d_was=filled; else d_was=absent; fi
    remember directory "$1" "$d_was $d_top" && mkdir -p -- "$1" || return 1
  fi
  look "$1"
  [ "$P_OWNER:$P_GROUP" = "$3:$4" ] || chown "$3:$4" -- "$1" || return 1
  [ "$P_MODE" = "$2" ] || chmod "$2" -- "$1" || return 1
}
"""

UNDO = r"""
directory_undo() { # path receipt
  read_text "$2/text"
  case $TEXT in
    'absent '*|'filled '*) # a folder that somebody else has filled since then stays
      case $TEXT in filled*) [ ! -d "$1" ] || rm -rf -- "$1";; esac
      d_top=${TEXT#* } d_up=$1
      while [ "${#d_up}" -ge "${#d_top}" ]; do
        [ -d "$d_up" ] && { rmdir -- "$d_up" 2>/dev/null || return 0; }
        d_up=${d_up%/*}
      done
      return 0;;
  esac
  [ -d "$1" ] || return 0
  d_rest=${TEXT#* }
  chown "${d_rest% *}:${d_rest#* }" -- "$1" && chmod "${TEXT%% *}" -- "$1"
}
"""


@dataclass(frozen=True, slots=True)
class Directory(Operation):
    """A directory, made with its parents. Undone, it goes when it is empty and when Raijin made it.

    filled: it belongs to a program, whose package may give it another mode and owner later. When it is undone, which is
    after the package, what the program has put into it goes with it.
    """

    path: str
    mode: str = "755"
    owner: str = "root"
    group: str = "root"
    filled: bool = False
    kind: Literal["directory"] = "directory"

    library: ClassVar[str] = LIBRARY
    undo_library: ClassVar[str] = UNDO

    def __post_init__(self) -> None:
        absolute(self.path)
        octal(self.mode)

    @property
    def title(self) -> str:
        return f"directory {self.path}"

    def manual(self) -> tuple[str, ...]:
        return (f"install -d -m {self.mode} -o {self.owner} -g {self.group} {word(self.path)}",)

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return (self.path.rstrip("/") or "/", self.mode, self.owner, self.group, self.filled)

    def probes(self) -> tuple[str, ...]:
        return (self.path.rstrip("/") or "/",)
