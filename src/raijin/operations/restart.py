"""Starting a service anew, whatever it runs with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve, matching
from raijin.operations.inits import INITS
from raijin.operations.unit import UNIT_NAME, with_type

LIBRARY = r"""
s_done=
restart_check() {
  [ "$s_done" != "$I" ] || return 0
  differs state running restarted
  return 1
}
restart_change() { # name seconds
  init_system || return 1
  "${INIT}_ask" "$1"; "${INIT}_read" "$1"
  "${INIT}_do" restart "$1" && unit_wait "$1" active "$2" && { s_done=$I; return 0; }
  "${INIT}_read" "$1"
  REASON="$1 did not become active (it is $U_STATE)"
  echo "--- the last lines of its log"; "${INIT}_log" "$1"
  return 1
}
"""


@dataclass(frozen=True, slots=True)
class Restart(Operation):
    """A unit that is started anew each time that the program runs: for programs that run on an occasion, not always.

    timeout: seconds that it has to become active.
    """

    unit: str
    timeout: int = 90
    kind: Literal["restart"] = "restart"

    library: ClassVar[str] = LIBRARY
    requires: ClassVar[tuple[str, ...]] = INITS

    def __post_init__(self) -> None:
        matching(UNIT_NAME, self.unit, "the name of a unit")

    @property
    def title(self) -> str:
        return f"restart {self.unit}"

    def manual(self) -> tuple[str, ...]:
        return (f"systemctl restart {with_type(self.unit)}",)

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        del resolve
        return (with_type(self.unit), self.timeout)
