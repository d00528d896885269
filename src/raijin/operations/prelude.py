"""The shell that every program starts with: modes, probes, receipts, and one JSON line per operation.

`check` writes nothing on the host, not even a temporary file. `apply` holds a lock on the host (a lost connection may
have left a program running), ignores the hang-up and stops between operations when the stop file appears.
A *receipt* keeps what was there before the first change of a thing, once; destroy plays the receipts backwards.
"""

from __future__ import annotations

PRELUDE = r"""
set -u
LC_ALL=C; export LC_ALL
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${PATH-}; export PATH
umask 022
trap '' HUP PIPE
NL='
'
US=$(printf '\037') RS=$(printf '\036')
HALT= T= FRESH=1 CHANGED=0
RECEIPTS=$BASE/receipts/$SCOPE
STAGE=$BASE/stage
STAMPS=$BASE/stamps
STOP=/run/raijin.stop.$RUN

now() { read -r NOW _ </proc/uptime; NOW=${NOW%.*}${NOW#*.}; }
encode() { printf '%s' "$1" | base64 | tr -d '\n'; }
differs() { CHANGES="$CHANGES$1$US$2$US$3$RS"; }
refuse() { REASON=$1; return 2; }
have() { command -v "$1" >/dev/null 2>&1; }

emit() { # index state milliseconds
  extra=
  [ -z "$CHANGES" ] || extra=",\"changes\":\"$(encode "$CHANGES")\""
  [ -z "$REASON" ] || extra="$extra,\"reason\":\"$(encode "$REASON")\""
  if [ "$2" = failed ] && [ -n "$T" ] && [ -s "$T/out" ]; then
    extra="$extra,\"stderr\":\"$(tail -c 6000 "$T/out" | base64 | tr -d '\n')\""
  fi
  printf '{"op":%s,"state":"%s","ms":%s%s}\n' "$1" "$2" "$3" "$extra" || HALT=skipped
}

# One stat and one sha256sum for all paths of the program; after the first change each path is asked again.
probe_all() {
  STATS=$NL$(stat -c '%n|%a|%U|%G|%F|%i.%s.%Z' -- "$@" 2>/dev/null)$NL
  SUMS=$NL$(sha256sum -- "$@" 2>/dev/null)$NL
}
# probe PATH: sets P_MODE P_OWNER P_GROUP P_TYPE P_ID (P_TYPE is empty when nothing is there).
probe() {
  if [ "$FRESH" = 1 ]; then
    case $STATS in *"$NL$1|"*) line=${STATS#*"$NL$1|"}; line=${line%%"$NL"*};; *) line=;; esac
  else
    line=$(stat -c '%a|%U|%G|%F|%i.%s.%Z' -- "$1" 2>/dev/null)
  fi
  P_MODE=${line%%|*}; line=${line#*|}; P_OWNER=${line%%|*}; line=${line#*|}
  P_GROUP=${line%%|*}; line=${line#*|}; P_TYPE=${line%%|*}; P_ID=${line#*|}
}
# has_sum PATH SHA256
has_sum() {
  if [ "$FRESH" = 1 ]; then
    case $SUMS in *"$NL$2  $1$NL"*) return 0;; esac
    return 1
  fi
  case $(sha256sum -- "$1" 2>/dev/null) in "$2 "*) return 0;; esac
  return 1
}
# A stamp says: this file had this sha256 when its inode, size and change time were these.
stamp_name() { STAMP=$STAMPS/$(printf '%s' "$1" | cksum | tr ' ' '-'); }
stamp() { stamp_name "$1"; mkdir -p "$STAMPS" && printf '%s %s\n' "$2" "$(stat -c '%i.%s.%Z' -- "$1")" >"$STAMP"; }
stamped() { # PATH SHA256: true when the stamp still holds
  stamp_name "$1"
  read -r s_sum s_id 2>/dev/null <"$STAMP" || return 1
  [ "$s_sum" = "$2" ] && [ "$s_id" = "$(stat -c '%i.%s.%Z' -- "$1" 2>/dev/null)" ]
}

# remember KIND KEY TEXT [FILE]: keep what was there, once, before the first change.
remember() {
  r_id=$(printf '%s %s' "$1" "$2" | cksum | tr ' ' '-')
  for r_dir in "$RECEIPTS"/*-"$r_id"; do [ ! -e "$r_dir" ] || return 0; done
  r_seq=0; [ ! -e "$RECEIPTS/seq" ] || read -r r_seq <"$RECEIPTS/seq"
  r_seq=$((r_seq + 1)); r_new=$RECEIPTS/.new
  rm -rf "$r_new" && mkdir -p "$r_new" && chmod 700 "$BASE/receipts" || return 1
  printf '%s' "$1" >"$r_new/kind"; printf '%s' "$2" >"$r_new/key"; printf '%s' "$3" >"$r_new/text" || return 1
  if [ -n "${4-}" ]; then cp -a -- "$4" "$r_new/original" || return 1; fi
  printf '%s\n' "$r_seq" >"$RECEIPTS/seq" && mv "$r_new" "$RECEIPTS/$(printf '%06d' "$r_seq")-$r_id"
}
receipt_text() { R_TEXT=; while IFS= read -r r_line || [ -n "$r_line" ]; do R_TEXT="$R_TEXT${R_TEXT:+$NL}$r_line"; done <"$1/text"; }

begin_apply() {
  mkdir -p "$BASE" /run && chmod 700 "$BASE" && T=$(mktemp -d) || exit 97
  trap 'rm -rf "$T"' EXIT
  trap 'exit 143' TERM INT
  if have flock; then
    exec 9>"$BASE/lock"
    flock -w "$LOCK_WAIT" 9 || { printf '{"op":-1,"state":"locked","ms":0}\n'; exit 96; }
  fi
}

op() { # index kind arguments...
  I=$1 K=$2; shift 2
  CHANGES= REASON=
  if [ -n "$HALT" ]; then emit "$I" "$HALT" 0; return 0; fi
  if [ "$MODE" = apply ] && [ -e "$STOP" ]; then HALT=cancelled; emit "$I" cancelled 0; return 0; fi
  now; START=$NOW
  "${K}_check" "$@" </dev/null 2>/dev/null; S=$?
  case $S in
    0) CHANGES=; now; emit "$I" ok $(((NOW - START) * 10)); return 0;;
    1) ;;
    *) now; emit "$I" refused $(((NOW - START) * 10)); [ "$MODE" = check ] || HALT=skipped; return 0;;
  esac
  if [ "$MODE" = check ]; then now; emit "$I" would-change $(((NOW - START) * 10)); return 0; fi
  printf '{"op":%s,"state":"started","ms":0}\n' "$I"
  WAS=$CHANGES
  "${K}_change" "$@" </dev/null >"$T/out" 2>&1 9>&-; S=$?
  FRESH=0
  if [ "$S" = 0 ]; then
    CHANGES=
    "${K}_check" "$@" </dev/null >>"$T/out" 2>&1; S=$?
    [ "$S" = 0 ] || REASON=${REASON:-"still differs after the change"}
  fi
  [ "$S" = 0 ] && STATE=changed || STATE=failed
  CHANGED=1 CHANGES=$WAS; now; emit "$I" "$STATE" $(((NOW - START) * 10))
  [ "$STATE" = changed ] || HALT=skipped
}
"""
