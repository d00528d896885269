"""The shell that looks at a host: one process per topic for all operations of a program, instead of one each.

A topic is a function TOPIC_fetch in some library; the compiler collects the items of all operations in a function
TOPIC_wanted. `need TOPIC` asks the host at the first use, and again at the first use after a change.
"""

from __future__ import annotations

PROBING = r"""
FETCHED=' '
need() { # topic
  case $FETCHED in *" $1 "*) return 0;; esac
  FETCHED="$FETCHED$1 "
  "$1_wanted"
}

# pick BEGINNING TEXT: sets LINE to the rest of the first line of the text that begins so; fails when none does. Line by
# line, because a shell that cuts a long text by a pattern tries the pattern at each place: that grows with the square.
pick() {
  l_begins=$1 LINE=
  set -f; IFS=$NL
  for l_one in $2; do
    case $l_one in "$l_begins"*) LINE=${l_one#"$l_begins"}; unset IFS; set +f; return 0;; esac
  done
  unset IFS; set +f
  return 1
}

files_fetch() { STATS=$(TZ=UTC0 stat -c '%n|%a|%U|%G|%Y|%F|%i.%s.%z' -- "$@" 2>/dev/null); }
sums_fetch() { SUMS=$(sha256sum -- "$@" 2>/dev/null); }

# probe PATH (listed in probes): sets P_MODE P_OWNER P_GROUP P_TIME P_TYPE P_ID; P_TYPE is empty when nothing is there.
probe() {
  case $1 in
    *"$NL"*) LINE=$(TZ=UTC0 stat -c '%a|%U|%G|%Y|%F|%i.%s.%z' -- "$1" 2>/dev/null);;
    *) need files; pick "$1|" "$STATS" || :;;
  esac
  probe_line
}
# look PATH: the same for a path that is known only now, through a symbolic link when there is one.
look() { LINE=$(TZ=UTC0 stat -L -c '%a|%U|%G|%Y|%F|%i.%s.%z' -- "$1" 2>/dev/null); probe_line; }
probe_line() {
  set -f; IFS='|'; set -- $LINE; unset IFS; set +f
  P_MODE=${1-} P_OWNER=${2-} P_GROUP=${3-} P_TIME=${4-} P_TYPE=${5-} P_ID=${6-}
}

# attributes MODE OWNER GROUP, after probe: names what differs.
attributes() {
  a_rc=0
  [ "$P_MODE" = "$1" ] || { differs mode "$P_MODE" "$1"; a_rc=1; }
  [ "$P_OWNER" = "$2" ] || { differs owner "$P_OWNER" "$2"; a_rc=1; }
  [ "$P_GROUP" = "$3" ] || { differs group "$P_GROUP" "$3"; a_rc=1; }
  return $a_rc
}

# sum_of PATH: sets SUM (empty when it is not a readable file). sha256sum escapes names with \ or a line break.
sum_of() {
  case $1 in
    *\\*|*"$NL"*|*"$CR"*) ;;
    *) need sums
      SUM=
      set -f; IFS=$NL
      for l_one in $SUMS; do
        case $l_one in *"  $1") SUM=${l_one%"  $1"}; [ ${#SUM} != 64 ] || break; SUM=;; esac
      done
      unset IFS; set +f
      return 0;;
  esac
  file_sum "$1"
}
# file_sum PATH: sets SUM, asking now.
file_sum() { SUM=$(sha256sum <"$1" 2>/dev/null) || SUM=; SUM=${SUM%% *}; }

# read_text FILE: sets TEXT to its content, without a process.
read_text() {
  TEXT=
  [ -r "$1" ] || return 1
  while IFS= read -r t_line; do TEXT=$TEXT$t_line$NL; done <"$1"
  TEXT=$TEXT$t_line
}

# file_name TEXT: sets NAME to a file name that no other text has; readable where the text allows it.
file_name() {
  NAME=
  case $1 in *[!A-Za-z0-9_./:@+=-]*) n_plain=;; *) n_plain=1;; esac
  if [ -z "$n_plain" ] || [ ${#1} -gt 180 ]; then
    NAME=$(printf '%s' "$1" | sha256sum); NAME=x-${NAME%% *}; return 0
  fi
  n_rest=$1
  while :; do case $n_rest in */*) NAME=$NAME${n_rest%%/*},; n_rest=${n_rest#*/};; *) break;; esac; done
  NAME=$NAME$n_rest
}

# A stamp says what a file is, and that it had this sha256 when its inode, size and change time were these.
stamp() { # path sha256 name
  file_name "$1"; look "$1"
  made "$STAMPS" && printf '= %s\n%s %s|%s\n' "$3" "$2" "$P_ID" "$1" >"$STAMPS/file:$NAME"
}
stamped() { # path sha256, after probe: true when the stamp still holds
  file_name "$1"
  [ -r "$STAMPS/file:$NAME" ] && { read -r _; read -r s_sum s_id; } <"$STAMPS/file:$NAME" || return 1
  [ "$s_sum" = "$2" ] && [ "$s_id" = "$P_ID|$1" ]
}
"""

TCP_OPEN = r"""
tcp_open() { # address port
  if have bash; then bounded 5 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2"
  elif have nc; then nc -z -w 5 "$1" "$2"
  elif have python3; then
    python3 -c 'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)' "$1" "$2"
  else curl -s -m 5 -o /dev/null "telnet://$1:$2" </dev/null; [ "$?" = 28 ]; fi
}
"""

NEIGHBOURS = (
    TCP_OPEN
    + r"""
# answered_by ADDRESS: sets ANSWERED to the MAC address of the neighbour that has it; empty when there is none.
answered_by() {
  ANSWERED=
  if have ping; then ping -c 1 -W 1 "$1" >/dev/null 2>&1; else tcp_open "$1" 9 >/dev/null 2>&1; fi
  a_line=$(ip neigh show to "$1" 2>/dev/null)
  case $a_line in
    *FAILED*|*INCOMPLETE*) ;;
    *lladdr\ *) ANSWERED=${a_line#*lladdr }; ANSWERED=${ANSWERED%% *};;
  esac
}
"""
)
