"""Conditions that must become true before the program goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from raijin.errors import UsageError
from raijin.operations.base import Argument, Operation, Resolve, absolute, one_line
from raijin.operations.probing import TCP_OPEN

LIBRARY = r"""
# A probe that hangs is a probe that failed.
wait_once() { # path address port argv...: all that are given must hold; WAIT_OUT is what a program said last
  WAIT_OUT=
  [ -z "$1" ] || [ -e "$1" ] || { WAIT_OUT="$1 does not exist"; return 1; }
  [ "$3" = 0 ] || tcp_open "$2" "$3" 2>/dev/null || { WAIT_OUT="$2 port $3 does not answer"; return 1; }
  shift 3
  [ "$#" = 0 ] || WAIT_OUT=$(bounded 10 "$@" 2>&1)
}
wait_check() { # title seconds after path address port argv...
  w_title=$1 w_after=$3; shift 3
  [ "$w_after$MODE" != 1check ] || return 0
  wait_once "$@" && return 0
  differs "$w_title" 'not yet' yes
  return 1
}
wait_change() {
  w_seconds=$2; now; w_end=$((NOW + w_seconds * 100)); shift 3
  until wait_once "$@"; do
    now
    [ "$NOW" -lt "$w_end" ] || { REASON="waited $w_seconds s for: $w_title"; printf '%s\n' "$WAIT_OUT"; return 1; }
    pause
  done
}
"""


@dataclass(frozen=True, slots=True)
class Wait(Operation):
    """Wait until a path exists, a TCP port answers and a program succeeds (those that are given), or `timeout` seconds.

    title: what is waited for, for people: `the kubelet answers`. The program is asked several times a second and must
    change nothing; one that takes over 10 seconds counts as failed. In a plan it is asked once.
    after: it only follows what the program changes. A plan does not ask it: that something is not ready just now, after
    a boot of the host, say, is no difference from the definition.
    """

    title: str = field()
    argv: tuple[str, ...] = ()
    path: str = ""
    port: int = 0
    address: str = "127.0.0.1"
    timeout: int = 60
    after: bool = False
    kind: Literal["wait"] = "wait"

    library: ClassVar[str] = LIBRARY
    requires: ClassVar[tuple[str, ...]] = (TCP_OPEN,)

    def __post_init__(self) -> None:
        if not (self.argv or self.path or self.port):
            raise UsageError(f"the wait {self.title!r} has no condition", remedy="set argv, path or port")
        one_line(self.title)
        absolute(self.path or "/")

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return (self.title, self.timeout, int(self.after), self.path, self.address, self.port, *self.argv)
