"""The shell that every program starts with: modes, the loop over the operations, and one JSON line per operation.

`check` writes nothing on the host, not even a temporary file. `apply` holds a lock on the host (a lost connection may
have left a program running), ignores the hang-up and stops between operations when the stop file appears.
"""

from __future__ import annotations

from raijin.operations.probing import PROBING
from raijin.operations.receipts import RECEIPTS

# Two marks that no text in a report holds, and the carriage return, each as itself: to print them costs a process.
MARKS = "US='\x1f' RS='\x1e' CR='\r'\n"

CONTROL = r"""
set -u
LC_ALL=C; export LC_ALL
PATH=${TOOLS:+$TOOLS:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${PATH-}; export PATH
umask 022
trap '' HUP PIPE
NL='
'
HALT= T= TOUCHED=$NL REBOOTING= FORGOTTEN= TOLD= RELOAD= FRESH=
RECEIPTS=$BASE/receipts/$SCOPE
STAGE=$BASE/stage
STAMPS=$BASE/stamps
STOP=/run/raijin.stop.$RUN

now() { # sets NOW, in hundredths of a second since boot
  read -r NOW _ </proc/uptime; NOW=${NOW%.*}${NOW#*.}
}
# How long the operation has taken, in milliseconds: sets MS. Of a check that interests nobody.
START=0
took() { MS=0; [ "$MODE" = check ] || { now; MS=$(((NOW - START) * 10)); }; }
# To read all its files anew takes systemd a fifth of a second of a processor. So it does it once: before the next start
# of a unit or question about one that is concerned, else at the end of the program. reload_later [units]: services too.
reload_later() { [ ! -d /run/systemd/system ] || RELOAD=${1:-${RELOAD:-mounts}}; }
reload_now() { [ -z "$RELOAD" ] || { RELOAD=; systemctl daemon-reload; }; }
pause() { sleep 0.2 2>/dev/null || sleep 1; }
encode() { printf '%s' "$1" | base64 | tr -d '\n'; }
differs() { CHANGES="$CHANGES$1$US$2$US$3$RS"; }
refuse() { REASON=$1; return 2; }
have() { command -v "$1" >/dev/null 2>&1; }
# bounded SECONDS PROGRAM ARGS: status 124 when it took longer.
bounded() { if have timeout; then timeout "$@"; else shift; "$@"; fi; }

# What JSON can hold as it is goes as it is (`plain`, `why`), the rest in base64, which costs two processes.
emit() { # index state milliseconds
  extra=
  case $CHANGES in
    '') ;;
    *[!A-Za-z0-9_./:=+@,\ \(\)$US$RS-]*) extra=",\"changes\":\"$(encode "$CHANGES")\"";;
    *) plain_changes; extra=",\"plain\":\"$PLAIN\"";;
  esac
  case $REASON in
    '') ;;
    *[!A-Za-z0-9_./:=+@,\ \(\)-]*) extra="$extra,\"reason\":\"$(encode "$REASON")\"";;
    *) extra="$extra,\"why\":\"$REASON\"";;
  esac
  if [ "$2" = failed ] && [ -n "$T" ] && [ -s "$T/out" ]; then
    extra="$extra,\"stderr\":\"$(tail -c 6000 "$T/out" | base64 | tr -d '\n')\""
  fi
  extra="{\"op\":$1,\"state\":\"$2\",\"ms\":$3$extra}"
  # A check says everything at its end: each write on its own costs a packet on both sides.
  if [ "$MODE" = check ]; then TOLD=$TOLD$extra$NL; else printf '%s\n' "$extra" || HALT=skipped; fi
}
plain_changes() { # the two marks as JSON writes them
  PLAIN=
  set -f; IFS=$RS
  for e_one in $CHANGES; do
    IFS=$US; set -- $e_one; IFS=$RS
    PLAIN="$PLAIN${1-}\u001f${2-}\u001f${3-}\u001e"
  done
  unset IFS; set +f
}
begin_check() { trap 'printf %s "$TOLD"' EXIT; }

begin_apply() {
  CHANGES= REASON=
  mkdir -p "$BASE" && chmod 700 "$BASE" &&
    { T=$(mktemp -d /run/raijin.XXXXXX 2>/dev/null) || T=$(mktemp -d); } || {
      REASON="$BASE and a temporary folder cannot be written (is the disk full or read-only?)"
      emit -1 failed 0; exit 97
    }
  trap 'reload_now; rm -rf "$T"; rm -f "$STOP"; [ -z "$FORGOTTEN" ] || rm -rf "$BASE"' EXIT
  trap 'exit 143' TERM INT
  if have flock; then
    exec 9>"$BASE/lock"
    flock -w "$LOCK_WAIT" 9 || { printf '{"op":-1,"state":"locked","ms":0}\n'; exit 96; }
  fi
}

# spent SHA256: the last operation that needs this staged file has run.
spent() { [ -n "$HALT" ] || [ "$MODE" = check ] || [ ! -e "$STAGE/$1" ] || rm -f "$STAGE/$1"; }

op() { # index kind arguments...
  I=$1 K=$2; shift 2
  CHANGES= REASON=
  if [ -n "$HALT" ]; then emit "$I" "$HALT" 0; return 0; fi
  if [ "$MODE" = apply ] && [ -e "$STOP" ]; then HALT=cancelled; emit "$I" cancelled 0; return 0; fi
  if [ "$MODE" = apply ]; then now; START=$NOW; fi
  "${K}_check" "$@" </dev/null >/dev/null 2>&1; S=$?
  took
  case $S in
    0) CHANGES=; emit "$I" ok "$MS"; return 0;;
    1) ;;
    *) emit "$I" refused "$MS"; [ "$MODE" = check ] || HALT=skipped; return 0;;
  esac
  if [ "$MODE" = check ]; then
    TOUCHED="$TOUCHED${1-}$NL"
    emit "$I" would-change "$MS"; return 0
  fi
  printf '{"op":%s,"state":"started","ms":0}\n' "$I"
  WAS=$CHANGES
  "${K}_change" "$@" </dev/null >"$T/out" 2>&1 9>&-; S=$?
  FETCHED=" $FRESH "
  if [ "$S" = 0 ] && [ -z "$REBOOTING" ]; then
    CHANGES=
    "${K}_check" "$@" </dev/null >>"$T/out" 2>&1; S=$?
    [ "$S" = 0 ] || REASON=${REASON:-"still differs after the change"}
  fi
  [ -z "$FRESH" ] || FRESH= FETCHED=' '
  STATE=failed
  [ "$S" != 0 ] || STATE=${REBOOTING:-changed}
  CHANGES=$WAS; took; emit "$I" "$STATE" "$MS"
  [ "$STATE" = changed ] || HALT=skipped
}
"""

PRELUDE = MARKS + CONTROL + PROBING + RECEIPTS
