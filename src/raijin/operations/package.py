"""Packages of the distribution."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.errors import UsageError
from raijin.operations.base import Argument, Operation, Resolve, matching
from raijin.operations.managers import MANAGERS

LIBRARY = r"""
packages_fetch() { INSTALLED=$NL$("${PM}_installed" "$@")$NL; }
package_wrong() { # present names...: sets WRONG to the names that are not as wanted
  p_present=$1 WRONG=; shift
  for p_name in "$@"; do
    case $INSTALLED in
      *"$NL$p_name|installed$NL"*) [ -n "$p_present" ] || WRONG="$WRONG $p_name";;
      *) [ -z "$p_present" ] || WRONG="$WRONG $p_name";;
    esac
  done
  [ -n "$WRONG" ]
}
package_check() { # present names...
  package_manager || return 2
  need packages
  package_wrong "$@" || return 0
  for p_name in $WRONG; do
    if [ -n "$1" ]; then differs "$p_name" absent installed; else differs "$p_name" installed absent; fi
  done
  return 1
}
package_change() {
  package_wrong "$@" || return 0
  p_present=$1; shift
  if [ -z "$p_present" ]; then
    remember package "-$*" "removed$WRONG" && "${PM}_remove" $WRONG; return
  fi
  # What comes with them is known only afterwards; until then the receipt holds the list of what was there before.
  "${PM}_list" >"$T/packages" && remember package "$*" pending "$T/packages" || return 1
  read_text "$R_DIR/text"
  case $TEXT in pending) p_before=$R_DIR/original p_ours=;; *) p_before=$T/packages p_ours=$TEXT$NL;; esac
  "${PM}_add" $WRONG || return 1
  amend "$p_ours$("${PM}_list" | grep -vxFf "$p_before")"
}
"""

UNDO = r"""
package_undo() { # key receipt
  package_manager || return 1
  read_text "$2/text"
  case $TEXT in
    pending) TEXT=$("${PM}_list" | grep -vxFf "$2/original");;
    'removed '*) "${PM}_add" ${TEXT#removed }; return;;
  esac
  # Only those that are still there: a name that is gone would make the manager refuse them all.
  p_left=
  [ -z "$TEXT" ] || p_left=$("${PM}_installed" $TEXT)
  TEXT=
  for p_name in $p_left; do
    case $p_name in *'|installed') TEXT="$TEXT ${p_name%|*}";; esac
  done
  [ -z "$TEXT" ] || "${PM}_remove" $TEXT
}
"""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*")


@dataclass(frozen=True, slots=True)
class Package(Operation):
    """Packages that must be installed (or absent), by the host's own manager: apt, dnf, zypper or apk.

    What an installation brought with it is written down, and exactly that is removed when the host is given back;
    packages that something else needs by then stay. No version: Raijin's own parts come as pinned artifacts.
    """

    names: tuple[str, ...]
    present: bool = True
    kind: Literal["package"] = "package"

    library: ClassVar[str] = LIBRARY
    requires: ClassVar[tuple[str, ...]] = MANAGERS
    undo_library: ClassVar[str] = UNDO

    def __post_init__(self) -> None:
        if not self.names:
            raise UsageError("a package operation names no package", remedy="name at least one")
        for name in self.names:
            matching(_NAME, name, "the name of a package")

    @property
    def title(self) -> str:
        return f"package{'s' if len(self.names) > 1 else ''} {', '.join(self.names)}"

    def manual(self) -> tuple[str, ...]:
        verb = "install" if self.present else "remove"
        return (f"apt-get {verb} -y {' '.join(self.names)}   # or dnf, zypper, apk",)

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return (self.present, *self.names)

    def wants(self) -> tuple[tuple[str, str], ...]:
        return tuple(("packages", name) for name in self.names)
