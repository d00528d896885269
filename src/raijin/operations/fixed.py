"""What was decided once and cannot be changed while the cluster lives."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve, matching, one_line

LIBRARY = r"""
fixed_check() { # stamp value what remedy
  if read_text "$STAMPS/$1"; then
    [ "$TEXT" != "$2" ] || return 0
    refuse "$3 is $TEXT, and $2 is wanted: $4"; return 2
  fi
  differs value '' "$2"
  return 1
}
fixed_change() { made "$STAMPS" && printf '%s' "$2" >"$STAMPS/$1"; }
"""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Fixed(Operation):
    """A decision that the host remembers; a plan that would change it is refused before anything is touched.

    name: of the decision, for Raijin. what: for people. remedy: what to do instead.
    """

    name: str
    value: str
    what: str
    remedy: str
    kind: Literal["fixed"] = "fixed"

    library: ClassVar[str] = LIBRARY

    def __post_init__(self) -> None:
        matching(_NAME, self.name, "the name of a decision")
        for text in (self.value, self.what, self.remedy):
            one_line(text)

    @property
    def title(self) -> str:
        return f"{self.what} stays {self.value}"

    def manual(self) -> tuple[str, ...]:
        return ()

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        del resolve
        return (f"fixed:{self.name}", self.value, self.what, self.remedy)
