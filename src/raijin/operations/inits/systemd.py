"""systemd units, as `systemctl show` tells them: one call for all units of a program."""

SYSTEMD = r"""
systemd_fetch() {
  UNITS=$(systemctl show -p Names,LoadState,ActiveState,UnitFileState,NeedDaemonReload,ActiveEnterTimestampMonotonic \
    -- "$@" 2>/dev/null)
  UNITS=$NL$NL$UNITS$NL$NL
}
systemd_read() { # name
  U_LOADED= U_STATE=inactive U_BOOT=disabled U_STALE= U_STARTED=0
  u_rest=$UNITS
  while :; do
    case $u_rest in *"$NL$NL"?*) u_rest=${u_rest#*"$NL$NL"};; *) return 0;; esac
    u_block=$NL${u_rest%%"$NL$NL"*}$NL
    systemd_property Names
    case " $VALUE " in *" $1 "*) break;; esac
  done
  systemd_property LoadState; u_load=$VALUE
  case $u_load in not-found) ;; *) U_LOADED=yes;; esac
  systemd_property ActiveState; U_STATE=${VALUE:-inactive}
  systemd_property UnitFileState; U_BOOT=${VALUE:-static}
  [ "$u_load" != masked ] || U_BOOT=masked
  [ -n "$U_LOADED" ] || U_BOOT=disabled
  systemd_property NeedDaemonReload; [ "$VALUE" != yes ] || U_STALE=yes
  systemd_property ActiveEnterTimestampMonotonic; U_STARTED=$((${VALUE:-0} / 10000))
}
systemd_property() { # name: sets VALUE
  case $u_block in *"$NL$1="*) VALUE=${u_block#*"$NL$1="}; VALUE=${VALUE%%"$NL"*};; *) VALUE=;; esac
}
systemd_do() { # verb name
  case $1 in
    reload) systemctl daemon-reload;;
    start|restart) systemctl reset-failed -- "$2" 2>/dev/null; systemctl --no-ask-password "$1" -- "$2";;
    *) systemctl --no-ask-password --quiet "$1" -- "$2";;
  esac
}
systemd_log() { journalctl -q --no-pager -o cat -n 20 -u "$1" 2>/dev/null || :; }
"""
