"""Giving a host back as it was: the receipts played backwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve
from raijin.operations.inits import INITS
from raijin.operations.undoable import UNDOABLE

LIBRARY = r"""
receipts() { # sets NEWEST_FIRST, the receipts of this scope, one per line
  NEWEST_FIRST=
  for z_dir in "$RECEIPTS"/[0-9][0-9][0-9][0-9][0-9][0-9]-*; do
    [ ! -d "$z_dir" ] || NEWEST_FIRST="$z_dir$NL$NEWEST_FIRST"
  done
}
restore_check() {
  receipts
  if [ -z "$NEWEST_FIRST" ]; then
    [ -d "$RECEIPTS" ] || return 0
    differs receipts empty absent; return 1
  fi
  set -f; IFS=$NL; set -- $NEWEST_FIRST; set +f; unset IFS
  for z_dir in "$@"; do
    read_text "$z_dir/kind"; z_kind=$TEXT
    read_text "$z_dir/key"; differs "$z_kind $TEXT" "as Raijin made it" "as it was"
  done
  return 1
}
restore_change() {
  receipts; z_failed= z_later= RESTARTS=
  set -f; IFS=$NL; set -- $NEWEST_FIRST; set +f; unset IFS
  for z_dir in "$@"; do
    read_text "$z_dir/kind"; z_kind=$TEXT
    read_text "$z_dir/key"; z_key=$TEXT
    LATER=
    if restore_one; then
      if [ -n "$LATER" ]; then RESTARTS="$RESTARTS $LATER" z_later="$z_later$z_dir$NL"; continue; fi
      rm -rf -- "$z_dir" && continue
    fi
    echo "--- could not put back: $z_kind $z_key"
    z_failed="$z_failed${z_failed:+, }$z_kind $z_key"
  done
  if restore_units; then
    set -f; IFS=$NL; set -- $z_later; set +f; unset IFS
    [ "$#" = 0 ] || rm -rf -- "$@"
  else z_failed="$z_failed${z_failed:+, }the units$RESTARTS"; fi
  [ -z "$z_failed" ] || { REASON="could not put back: $z_failed"; return 1; }
  rm -rf -- "$RECEIPTS"
}
restore_one() {
  case $z_kind in *[!a-z]*|'') return 1;; esac
  have "${z_kind}_undo" || { echo 'this version of Raijin does not know how'; return 1; }
  "${z_kind}_undo" "$z_key" "$z_dir"
}
# Units that ran before (their undo has set LATER) run again, now that their files are back.
restore_units() {
  [ -d /run/systemd/system ] || [ -n "$RESTARTS" ] || return 0
  init_system || return 1
  "${INIT}_do" reload
  for z_unit in $RESTARTS; do
    # A package that Raijin brought may have started it; with the package it is gone, and nothing is left to start.
    "${INIT}_fetch" "$z_unit"; "${INIT}_read" "$z_unit"; [ -n "$U_LOADED" ] || continue
    "${INIT}_do" restart "$z_unit" && unit_wait "$z_unit" active 90 || return 1
  done
}
"""

_LIBRARIES = tuple(
    dict.fromkeys([*INITS, *(text for kind in UNDOABLE for text in (*kind.requires, kind.undo_library))])
)


@dataclass(frozen=True, slots=True)
class Restore(Operation):
    """Everything that Raijin changed for this scope is as it was before its first change.

    What was put back is forgotten at once, so an interrupted Restore goes on where it was; one failure does not keep
    the rest from being put back, and all failures are named at the end. Files that hold the wished state of somebody
    else by now are changed line by line; packages and modules that something else needs by now stay.
    """

    kind: Literal["restore"] = "restore"

    library: ClassVar[str] = LIBRARY
    requires: ClassVar[tuple[str, ...]] = _LIBRARIES

    @property
    def title(self) -> str:
        return "host as it was"

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return ()
