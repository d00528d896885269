"""Services and other units of the init system."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.errors import UsageError
from raijin.operations.base import Argument, Operation, Resolve, absolute, choice, matching
from raijin.operations.inits import INITS

LIBRARY = r"""
unit_sums() { # watched paths...: sets SUMMED, what the unit would be running with
  SUMMED=
  for u_path in "$@"; do sum_of "$u_path"; SUMMED="$SUMMED${SUMMED:+$NL}${SUM:-absent} $u_path"; done
}
# unit_outdated NAME PATHS...: the running unit was started with another configuration than the one that is there now.
unit_outdated() {
  u_name=$1; shift
  [ "$#" != 0 ] || return 1
  if [ "$MODE" = check ]; then
    for u_path in "$@"; do case $TOUCHED in *"$NL$u_path$NL"*) return 0;; esac; done
  fi
  file_name "$u_name"
  if read_text "$STAMPS/unit:$NAME"; then unit_sums "$@"; [ "$TEXT" != "$SUMMED" ]; return; fi
  # Never started by us: it is outdated when a file is younger than its start.
  now; u_start=$(date +%s); u_start=$((u_start - NOW / 100 + U_STARTED / 100))
  for u_path in "$@"; do
    probe "$u_path"
    [ "${P_TIME:-0}" -lt "$u_start" ] || return 0
  done
  return 1
}
unit_boot_wrong() { # enabled
  case $1:$U_BOOT in
    yes:disabled|yes:enabled-runtime|yes:linked*|yes:masked*|yes:bad) return 0;;
    no:enabled*|no:linked*) return 0;;
  esac
  return 1
}
unit_check() { # name running enabled masked timeout watches...
  init_system || return 2
  need units
  "${INIT}_read" "$1"
  u_rc=0 u_masked=no u_running=
  case $U_BOOT in masked*) u_masked=yes;; esac
  case $U_STATE in active|reloading|refreshing) u_running=yes;; inactive|failed) u_running=no;; esac
  [ -z "$4" ] || [ "$4" = "$u_masked" ] || { differs masked "$u_masked" "$4"; u_rc=1; }
  ! unit_boot_wrong "$3" || { differs enabled "$U_BOOT" "$3"; u_rc=1; }
  [ -z "$2" ] || [ "$2" = "$u_running" ] || { differs running "$U_STATE" "$2"; u_rc=1; }
  if [ "$2:$u_running" = yes:yes ]; then
    u_self=$1; shift 5
    if [ -n "$U_STALE" ]; then differs configuration 'unit file changed' 'reloaded and restarted'; u_rc=1
    elif unit_outdated "$u_self" "$@"; then differs configuration 'changed since its start' restarted; u_rc=1; fi
  fi
  return $u_rc
}
unit_change() {
  u_self=$1 u_want=$2 u_enable=$3 u_mask=$4 u_wait=$5; shift 5
  u_restart=
  if [ "$u_running" = yes ] && { [ -n "$U_STALE" ] || unit_outdated "$u_self" "$@"; }; then u_restart=1; fi
  remember unit "$u_self" "loaded=${U_LOADED:-no} state=$U_STATE boot=$U_BOOT" || return 1
  u_again=
  if [ "$u_mask:$u_masked" = no:yes ]; then "${INIT}_do" unmask "$u_self" || return 1; u_again=1; fi
  if [ -z "$U_LOADED" ] || [ -n "$U_STALE" ]; then "${INIT}_do" reload; u_again=1; fi
  # A unit is enabled by its files, also one that is not read yet: so everything is read anew once, after it.
  case $u_enable:${U_LOADED:-no} in
    yes:no) "${INIT}_do" enable "$u_self" || :;;
    *:yes) ! unit_boot_wrong "$u_enable" || unit_boot "$u_self" "$u_enable" || return 1;;
  esac
  [ -z "$u_again" ] || unit_reread "$u_self"
  case ${U_LOADED:-no}:$u_want:$u_enable in
    no:*yes*) REASON="there is no unit $u_self on this host"; return 1;;
  esac
  if [ -n "$u_again" ] && unit_boot_wrong "$u_enable"; then unit_boot "$u_self" "$u_enable" || return 1; fi
  case $u_want in
    yes) unit_start "$u_self" "$u_restart" "$u_wait" "$@" || return 1;;
    no) [ -z "$U_LOADED" ] || unit_stop "$u_self" "$u_wait" || return 1;;
  esac
  [ "$u_mask" != yes ] || [ "$u_masked" = yes ] || "${INIT}_do" mask "$u_self"
}
unit_boot() { if [ "$2" = yes ]; then "${INIT}_do" enable "$1"; else "${INIT}_do" disable "$1"; fi; } # name enabled
unit_reread() { "${INIT}_fetch" "$1"; "${INIT}_read" "$1"; }
unit_stop() { # name seconds
  "${INIT}_do" stop "$1" && unit_wait "$1" inactive "$2" || { REASON="$1 is still $U_STATE after $2 s"; return 1; }
}
unit_start() { # name restart seconds watches...
  u_verb=start; [ -z "$2" ] || u_verb=restart
  u_self=$1 u_wait=$3; shift 3
  # The sums are taken before the start: a file that changes meanwhile makes it outdated, not current.
  unit_sums "$@"; u_sums=$SUMMED
  if "${INIT}_do" "$u_verb" "$u_self" && unit_wait "$u_self" active "$u_wait"; then
    [ "$#" != 0 ] || return 0
    file_name "$u_self"; made "$STAMPS" && printf '%s' "$u_sums" >"$STAMPS/unit:$NAME"
    return
  fi
  "${INIT}_read" "$u_self"
  REASON="$u_self did not become active (it is $U_STATE)"
  echo "--- the last lines of its log"; "${INIT}_log" "$u_self"
  return 1
}
"""

UNDO = r"""
unit_undo() { # name receipt
  init_system || return 1
  read_text "$2/text"
  "${INIT}_fetch" "$1"; "${INIT}_read" "$1"
  [ -n "$U_LOADED" ] || return 0
  case $TEXT in
    *' boot=masked'*) ;;
    *) case $U_BOOT in masked*) "${INIT}_do" unmask "$1" || return 1;; esac;;
  esac
  case $TEXT in
    *' boot=enabled'*) [ "$U_BOOT" = enabled ] || "${INIT}_do" enable "$1";;
    *' boot=disabled'*) [ "$U_BOOT" != enabled ] || "${INIT}_do" disable "$1";;
  esac || return 1
  # Its files come back after this: what ran before is started again at the end.
  case $TEXT in
    *state=active*) LATER=$1;;
    *) "${INIT}_do" stop "$1" && unit_wait "$1" inactive 90 || return 1;;
  esac
  case $TEXT in *' boot=masked'*) "${INIT}_do" mask "$1";; esac
  file_name "$1"; rm -f "$STAMPS/unit:$NAME"
}
"""

UNIT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.\\@-]*")
_TYPES = (".service", ".socket", ".target", ".timer", ".mount", ".swap", ".path", ".slice", ".device")


def with_type(name: str) -> str:
    """`kubelet` is `kubelet.service`."""
    return name if name.endswith(_TYPES) else f"{name}.service"


@dataclass(frozen=True, slots=True)
class Unit(Operation):
    """A unit of systemd (or a service of OpenRC) that runs, starts with the host, is masked; None: no wish.

    watches: configuration files. The unit is restarted when it was started with another content of one of them; Raijin
    writes down the sums with which it started the unit, so a restart by hand is not repeated and a killed run is
    finished by the next. Name the unit's own file here too when an operation writes it.
    timeout: seconds that it may take to become active (or to stop).
    """

    name: str
    running: bool | None = True
    enabled: bool | None = True
    masked: bool | None = None
    watches: tuple[str, ...] = ()
    timeout: int = 90
    kind: Literal["unit"] = "unit"

    library: ClassVar[str] = LIBRARY
    requires: ClassVar[tuple[str, ...]] = INITS
    undo_library: ClassVar[str] = UNDO

    def __post_init__(self) -> None:
        matching(UNIT_NAME, self.name, "the name of a unit")
        for path in self.watches:
            absolute(path)
        if self.masked and (self.running or self.enabled):
            raise UsageError(
                f"unit {self.name} cannot be masked and running or enabled", remedy="set running and enabled to false"
            )

    @property
    def title(self) -> str:
        return f"unit {self.name}"

    @property
    def unit(self) -> str:
        """The name with its type."""
        return with_type(self.name)

    def manual(self) -> tuple[str, ...]:
        commands = ["systemctl daemon-reload"]
        if self.enabled is not None:
            commands.append(f"systemctl {'enable' if self.enabled else 'disable'} {self.unit}")
        if self.running is not None:
            commands.append(f"systemctl {'restart' if self.running else 'stop'} {self.unit}")
        return tuple(commands)

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        wishes = (choice(self.running), choice(self.enabled), choice(self.masked))
        return (self.unit, *wishes, self.timeout, *self.watches)

    def probes(self) -> tuple[str, ...]:
        return self.watches

    def wants(self) -> tuple[tuple[str, str], ...]:
        return (("units", self.unit), *(("sums", path) for path in self.watches))
