"""systemd units, as `systemctl show` tells them: one call for all units of a program."""

SYSTEMD = r"""
systemd_fetch() {
  case $RELOAD:" $* " in units:*|mounts:*.mount\ *|mounts:*.swap\ *) reload_now;; esac
  systemd_ask "$@"
}
systemd_ask() {
  UNITS=$(systemctl show -p Names,LoadState,ActiveState,UnitFileState,NeedDaemonReload,ActiveEnterTimestampMonotonic \
    -- "$@" 2>/dev/null)
}
# The names come first of what is told about a unit, whatever the order of the question (systemctl(1): the bus's order).
systemd_read() { # name
  U_LOADED= U_STATE=inactive U_BOOT=disabled U_STALE= U_STARTED=0
  u_here= u_load=not-found u_file= u_entered=0
  set -f; IFS=$NL
  for u_line in $UNITS; do
    case $u_line in
      Names=*) [ -z "$u_here" ] || break; case " ${u_line#Names=} " in *" $1 "*) u_here=1 u_load=;; esac;;
      *) [ -n "$u_here" ] || continue;;
    esac
    case $u_line in
      LoadState=*) u_load=${u_line#LoadState=};;
      ActiveState=?*) U_STATE=${u_line#ActiveState=};;
      UnitFileState=*) u_file=${u_line#UnitFileState=};;
      NeedDaemonReload=yes) U_STALE=yes;;
      ActiveEnterTimestampMonotonic=*) u_entered=${u_line#ActiveEnterTimestampMonotonic=};;
    esac
  done
  unset IFS; set +f
  [ "$u_load" != not-found ] || return 0
  U_LOADED=yes U_BOOT=${u_file:-static} U_STARTED=$((${u_entered:-0} / 10000))
  [ "$u_load" != masked ] || U_BOOT=masked
}
systemd_do() { # verb name
  case $1 in
    reload) reload_later units;;
    start|restart)
      reload_now
      [ "$U_STATE" != failed ] || systemctl reset-failed -- "$2" 2>/dev/null
      systemctl --no-ask-password "$1" -- "$2";;
    stop) systemctl --no-ask-password --quiet stop -- "$2";;
    *) systemctl --no-ask-password --quiet --no-reload "$1" -- "$2" && reload_later units;;
  esac
}
systemd_log() { journalctl -q --no-pager -o cat -n 20 -u "$1" 2>/dev/null || :; }
"""
