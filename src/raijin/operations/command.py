"""Programs that are run once, behind a guard."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from raijin.errors import UsageError
from raijin.operations.base import Argument, Operation, Resolve, SecretRef, absolute, matching, one_line, text_of
from raijin.transport.quoting import word

LIBRARY = r"""
GUARD_SECONDS=30
# creates marker value seconds, how many words each of unless, only_if, environment and post_mortem has, these words,
# and the argv
command_check() {
  c_creates=$1 c_marker=$2
  [ -z "$c_creates" ] || [ ! -e "$c_creates" ] || return 0
  if [ -n "$c_marker" ] && read_text "$STAMPS/$c_marker" && [ "$TEXT" = "$3" ]; then return 0; fi
  if [ "$5" != 0 ] && command_guard 0 "$5" "$@"; then return 0; fi
  if [ "$6" != 0 ] && ! command_guard "$5" "$6" "$@"; then return 0; fi
  differs 'done' no yes
  return 1
}
# command_guard SKIP COUNT ARGS: runs the guard that has COUNT words, after SKIP words of the lists.
command_guard() {
  c_count=$2
  shift $((10 + $1))
  c_left=$(($# - c_count))
  # The guard is the first c_count words: turn them to the end, drop the others.
  while [ "$c_count" -gt 0 ]; do set -- "$@" "$1"; shift; c_count=$((c_count - 1)); done
  shift "$c_left"
  bounded "$GUARD_SECONDS" "$@" >/dev/null 2>&1
}
command_change() {
  c_creates=$1 c_marker=$2 c_value=$3 c_seconds=$4 c_env=$7 c_after=$8
  shift $((8 + $5 + $6))
  # In a process of its own: the environment does not leak, and is in no command line.
  (
    while [ "$c_env" -gt 0 ]; do export "$1"; shift; c_env=$((c_env - 1)); done
    shift "$c_after"
    bounded "$c_seconds" "$@"
  ); c_rc=$?
  [ "$c_rc" = 0 ] || [ "$c_after" = 0 ] || { shift "$c_env"; command_post_mortem "$c_after" "$@"; }
  case $c_rc in
    0) ;;
    124) REASON="it did not end within $c_seconds s"; return 1;;
    126|127) REASON="it cannot be run (status $c_rc)"; return 1;;
    *) REASON="it ended with status $c_rc"; return 1;;
  esac
  [ -z "$c_marker" ] || { made "$STAMPS" && printf '%s' "$c_value" >"$STAMPS/$c_marker"; }
}
# command_post_mortem COUNT WORDS: runs the first COUNT words, and marks what they say as what the host told after it.
command_post_mortem() {
  c_left=$(($# - 1 - $1)) c_count=$1
  shift
  while [ "$c_count" -gt 0 ]; do set -- "$@" "$1"; shift; c_count=$((c_count - 1)); done
  shift "$c_left"
  bounded "$GUARD_SECONDS" "$@" 2>/dev/null </dev/null | sed 's/^/[after] /'
}
"""

FIRST_BOOT = "first-boot-"
"""How the markers of commands begin that people want run on new hosts: what they do, only people know."""
AFTER = "[after] "
"""How the lines of a post-mortem begin."""
_MARKER = re.compile(r"[a-z0-9][a-z0-9._-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Command(Operation):
    """A program with a guard, for what has no operation of its own. Its arguments reach it as they are: no shell.

    It is not run when `creates` exists, when `marker` is set, or when the program `unless` succeeds; and only when the
    program `only_if` succeeds. At least one of the first three is needed. The guards also run in a plan: they must
    change nothing, and have 30 seconds. marker: a name; Raijin sets it on the host when the command ended well. value:
    what the marker then says; the command is run again when it says something else.
    post_mortem: a program that is run when the command has failed, and tells why in lines; it must change nothing.
    A secret in `environment` is in no command line; one in `argv` can be seen by users of the host while it runs.
    """

    title: str = field()
    argv: tuple[str | SecretRef, ...]
    creates: str = ""
    unless: tuple[str, ...] = ()
    only_if: tuple[str, ...] = ()
    environment: tuple[tuple[str, str | SecretRef], ...] = ()
    timeout: int = 600
    marker: str = ""
    value: str = ""
    post_mortem: tuple[str, ...] = ()
    kind: Literal["command"] = "command"

    library: ClassVar[str] = LIBRARY

    def __post_init__(self) -> None:
        if not self.argv:
            raise UsageError(f"the command {self.title!r} runs nothing", remedy="name the program in argv")
        if not (self.creates or self.unless or self.marker):
            raise UsageError(
                f"the command {self.title!r} has no guard, so it would run at every apply",
                remedy="say what it creates, when it is not needed (unless), or give it a marker",
            )
        absolute(self.creates or "/")
        one_line(self.title)
        if self.value and not self.marker:
            raise UsageError(f"the command {self.title!r} has a value for a marker and no marker")
        one_line(self.value)
        if self.marker:
            matching(_MARKER, self.marker, "the name of a marker")
        for name, _ in self.environment:
            matching(_VARIABLE, name, "the name of a variable")

    def manual(self) -> tuple[str, ...]:
        return (" ".join(word(str(part)) for part in self.argv),)

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        marker = f"command:{self.marker}" if self.marker else ""
        counts = (len(self.unless), len(self.only_if), len(self.environment), len(self.post_mortem))
        environment = (f"{name}={text_of(value, resolve)}" for name, value in self.environment)
        argv = (text_of(value, resolve) for value in self.argv)
        return (
            self.creates,
            marker,
            self.value,
            self.timeout,
            *counts,
            *self.unless,
            *self.only_if,
            *environment,
            *self.post_mortem,
            *argv,
        )
