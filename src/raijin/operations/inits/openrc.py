"""OpenRC services: its state is folders of links, which a shell reads without starting a process."""

OPENRC = r"""
openrc_fetch() { :; }
openrc_ask() { :; }
openrc_read() { # name
  r_name=${1%.service}
  U_LOADED= U_STATE=inactive U_BOOT=disabled U_STALE= U_STARTED=0
  [ ! -e "/etc/init.d/$r_name" ] || U_LOADED=yes
  if [ -e "/run/openrc/failed/$r_name" ]; then U_STATE=failed
  elif [ -e "/run/openrc/starting/$r_name" ]; then U_STATE=activating
  elif [ -e "/run/openrc/started/$r_name" ]; then U_STATE=active; fi
  for r_level in boot default sysinit; do
    [ ! -e "/etc/runlevels/$r_level/$r_name" ] || U_BOOT=enabled
  done
}
openrc_do() { # verb name
  r_name=${2%.service}
  case $1 in
    reload) ;;
    enable) rc-update -q add "$r_name" default;;
    disable) rc-update -q -a del "$r_name";;
    mask|unmask) echo 'OpenRC has no masked services'; return 1;;
    *) rc-service -q "$r_name" "$1";;
  esac
}
openrc_log() { tail -n 20 "/var/log/${1%.service}.log" 2>/dev/null || :; }
"""
