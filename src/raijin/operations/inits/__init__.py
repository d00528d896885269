"""Init systems, one file each: what state a unit is in, and changing it.

INIT_fetch NAMES      asks for all units of a program at once, when all that was changed is read
INIT_ask NAME         the same, without reading anew: for a unit that only has to get into a state
INIT_read NAME        sets U_LOADED (yes, or empty when there is no such unit), U_STATE (active, inactive, failed,
                      activating, ...), U_BOOT (enabled, disabled, masked, or what neither can change), U_STALE (yes
                      when its file has changed), U_STARTED (hundredths of a second since boot, 0 when unknown)
INIT_do VERB NAME     start, stop, restart, enable, disable, mask, unmask; reload: to be read anew before it matters
INIT_log NAME         the last lines that it logged
"""

from raijin.operations.inits.openrc import OPENRC
from raijin.operations.inits.systemd import SYSTEMD

CHOICE = r"""
INIT=
init_system() { # sets INIT, or says in REASON that there is none
  [ -z "$INIT" ] || return 0
  if [ -d /run/systemd/system ]; then INIT=systemd
  elif [ -d /run/openrc ] && have rc-service; then INIT=openrc
  else refuse 'no init system that Raijin knows is running (systemd, OpenRC)'; return 2; fi
}
units_fetch() { "${INIT}_fetch" "$@"; }
# unit_wait NAME active|inactive SECONDS: probes until the unit is so; U_STATE is what it was in the end.
unit_wait() {
  now; u_end=$((NOW + $3 * 100))
  while :; do
    "${INIT}_ask" "$1"; FETCHED=' '
    "${INIT}_read" "$1"
    case $2:$U_STATE in
      # What was seen now is what the verification is about.
      active:active) FRESH=units; return 0;;
      inactive:inactive|inactive:failed) return 0;;
      active:failed) return 1;;
    esac
    now; [ "$NOW" -lt "$u_end" ] || return 1
    pause
  done
}
"""

INITS = (CHOICE, SYSTEMD, OPENRC)

__all__ = ["INITS"]
