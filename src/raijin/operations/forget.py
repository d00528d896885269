"""Leaving a host without a trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve

LIBRARY = r"""
held_by() { # sets HELD to a scope that still has receipts here, another one than ours before ours
  HELD=
  for y_dir in "$BASE"/receipts/*; do
    [ -d "$y_dir" ] || continue
    for y_receipt in "$y_dir"/[0-9]*-*; do
      [ -d "$y_receipt" ] || continue
      HELD=${y_dir##*/}
      [ "$HELD" = "$SCOPE" ] || return 0
    done
  done
}
forget_check() {
  [ -e "$BASE" ] || return 0
  if [ "$MODE" = apply ] && [ -z "$(ls -A "$BASE" | grep -vx lock)" ]; then
    FORGOTTEN=1; return 0 # there is only what this program made, to lock itself
  fi
  held_by
  [ -z "$HELD" ] || [ "$HELD" = "$SCOPE" ] || return 0
  differs "$BASE" present absent
  return 1
}
forget_change() {
  [ -z "$HELD" ] || { REASON="not everything was put back: $BASE/receipts/$HELD still holds receipts"; return 1; }
  rm -rf -- "$BASE"
  rm -f -- /run/raijin.stop.*
}
"""


@dataclass(frozen=True, slots=True)
class Forget(Operation):
    """The state folder of Raijin is gone from the host. It comes after Restore, as the last operation.

    A host where another scope still has receipts keeps the folder, and that is as wanted.
    """

    kind: Literal["forget"] = "forget"

    library: ClassVar[str] = LIBRARY

    @property
    def title(self) -> str:
        return "no trace of Raijin"

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return ()
