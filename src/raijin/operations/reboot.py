"""Starting the host again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.errors import UsageError
from raijin.operations.base import Argument, Operation, Resolve, absolute

LIBRARY = r"""
boot_id() { read -r BOOT_ID </proc/sys/kernel/random/boot_id; }
reboot_check() { # flag stamp when...
  b_flag=$1 b_stamp=$STAMPS/$2; shift 2
  if [ -n "$b_flag" ] && [ -e "$b_flag" ]; then b_why="$b_flag exists"
  elif [ "$#" != 0 ] && "$@" >/dev/null 2>&1; then b_why="$1 asks for it"
  else
    [ "$MODE" = check ] || [ ! -e "$b_stamp" ] || rm -f "$b_stamp"
    return 0
  fi
  boot_id
  if [ -r "$b_stamp" ] && read -r b_last <"$b_stamp" && [ "$b_last" != "$BOOT_ID" ]; then
    refuse "the host was started again for this, and still $b_why"; return 2
  fi
  differs reboot "$b_why" 'started again'
  return 1
}
# It waits for the end of this program, so that all that it said arrives; and as a program of its own, because a part of
# this shell would hold its output open for ever.
reboot_change() {
  made "$STAMPS" && printf '%s\n' "$BOOT_ID" >"$STAMPS/$2" || return 1
  sh -c 'while kill -0 "$1"; do sleep 0.2 || sleep 1; done; systemctl --no-block reboot || reboot || shutdown -r now' \
    sh $$ </dev/null >/dev/null 2>&1 9>&- &
  REBOOTING=rebooting
}
"""


@dataclass(frozen=True, slots=True)
class Reboot(Operation):
    """A restart of the host, when the file `flag` exists or the program `when` succeeds.

    The program ends here: the operation reports `rebooting`, those after it `skipped`. Whoever runs it reconnects and
    runs it again; the id of the boot is kept, so a wish that a restart does not fulfil is refused, not repeated.
    """

    when: tuple[str, ...] = ()
    flag: str = "/run/reboot-required"
    kind: Literal["reboot"] = "reboot"

    library: ClassVar[str] = LIBRARY

    def __post_init__(self) -> None:
        if not self.when and not self.flag:
            raise UsageError("a reboot has no condition, so it would happen at every apply", remedy="set when or flag")
        absolute(self.flag or "/")

    @property
    def title(self) -> str:
        return "reboot when needed"

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        digest = hashlib.sha256("\0".join((self.flag, *self.when)).encode()).hexdigest()[:16]
        return (self.flag, f"reboot:{digest}", *self.when)
