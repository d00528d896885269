"""Kernel settings, now and at every boot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.errors import UsageError
from raijin.operations.base import Argument, Operation, Resolve, absolute, matching, one_line
from raijin.operations.file import LIBRARY as FILE
from raijin.operations.file import file_arguments
from raijin.transport.quoting import word

LIBRARY = r"""
# Not by the builtin read: dash asks byte by byte, and the kernel gives such a file only to the first question.
settings_fetch() { SETTINGS=$(grep -sH '' -- "$@"); }
# live_value KEY: sets LIVE to the value now, its white space as one blank each; fails when the kernel has no such key.
live_value() {
  need settings; LIVE=
  pick "/proc/sys/$1:" "$SETTINGS" || return 1
  set -f; set -- $LINE; set +f
  LIVE=$*
}
sysctl_check() { # 7 words of the file, then key value...
  file_check "$1" "$2" "$3" "$4" "$5" "$6" "$7"; s_rc=$?
  [ "$s_rc" != 2 ] || return 2
  shift 7
  while [ "$#" != 0 ]; do
    if ! live_value "$1"; then differs "$1" absent "$2"; s_rc=1
    elif [ "$LIVE" != "$2" ]; then differs "$1" "$LIVE" "$2"; s_rc=1; fi
    shift 2
  done
  return $s_rc
}
sysctl_change() {
  file_check "$1" "$2" "$3" "$4" "$5" "$6" "$7" || file_change "$1" "$2" "$3" "$4" "$5" "$6" "$7" || return 1
  shift 7; s_old=
  while [ "$#" != 0 ]; do
    live_value "$1" || { REASON="this kernel has no setting $1 (is a kernel module missing?)"; return 1; }
    if [ "$LIVE" != "$2" ]; then
      remember sysctl "$1" "$LIVE" || return 1
      printf '%s\n' "$2" >"/proc/sys/$1" || { REASON="the kernel refused $2 for $1"; return 1; }
    fi
    shift 2
  done
}
"""

UNDO = r"""
sysctl_undo() { # key receipt
  [ -w "/proc/sys/$1" ] || return 0
  read_text "$2/text"; printf '%s\n' "$TEXT" >"/proc/sys/$1"
}
"""

_KEY = re.compile(r"[a-zA-Z0-9_]+([./][a-zA-Z0-9_.:@-]+)+")


@dataclass(frozen=True, slots=True)
class Sysctl(Operation):
    """Kernel settings: in a file for the next boot, and in the running kernel.

    settings: (key, value); a key as in sysctl.d(5): `net.ipv4.ip_forward`, or with slashes where a part holds a dot.
    """

    settings: tuple[tuple[str, str], ...]
    path: str = "/etc/sysctl.d/90-raijin.conf"
    kind: Literal["sysctl"] = "sysctl"

    library: ClassVar[str] = LIBRARY
    requires: ClassVar[tuple[str, ...]] = (FILE,)
    undo_library: ClassVar[str] = UNDO

    def __post_init__(self) -> None:
        absolute(self.path)
        if not self.settings:
            raise UsageError("a sysctl operation holds no setting", remedy="name at least one")
        for key, value in self.settings:
            if ".." in matching(_KEY, key, "the name of a kernel setting"):
                raise UsageError(f"{key!r} is not the name of a kernel setting", remedy="correct the name")
            one_line(value)

    @property
    def title(self) -> str:
        return f"kernel settings {self.path}"

    def manual(self) -> tuple[str, ...]:
        lines = "\n".join(f"{key} = {value}" for key, value in self.settings)
        return (f"cat > {word(self.path)} <<'RAIJIN'\n{lines}\nRAIJIN", f"sysctl -p {word(self.path)}")

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        live = (word for key, value in self.settings for word in (live_path(key), " ".join(value.split())))
        return (*file_arguments(self.path, self.content), *live)

    def probes(self) -> tuple[str, ...]:
        return (self.path,)

    def wants(self) -> tuple[tuple[str, str], ...]:
        live = (("settings", f"/proc/sys/{live_path(key)}") for key, _ in self.settings)
        return (("sums", self.path), *live)

    @property
    def content(self) -> str:
        return "".join(f"{key} = {value}\n" for key, value in self.settings)

    def desired(self, field: str) -> str | None:
        return self.content if field == "content" else None


def live_path(key: str) -> str:
    """The path below /proc/sys. Whichever of `.` and `/` comes first separates; the other one then means itself."""
    if key.find("/") != -1 and key.find("/") < (key.find(".") if "." in key else len(key)):
        return key
    return key.translate(str.maketrans("./", "/."))
