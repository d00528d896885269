"""The shell that keeps what was there before the first change of a thing, and puts files in their place.

A receipt is a folder: `kind`, `key`, `text`, and `original` when a file was there. It is written whole, then renamed,
so a killed program leaves none or all of it; there is one per kind and key, ever. Restore plays them backwards.
"""

from __future__ import annotations

RECEIPTS = r"""
made() { [ -d "$1" ] || mkdir -p -- "$1"; }

# remember KIND KEY TEXT [FILE]: sets R_DIR to the receipt; R_NEW is empty when it was there already.
remember() {
  file_name "$2"; R_NEW=
  for R_DIR in "$RECEIPTS"/[0-9][0-9][0-9][0-9][0-9][0-9]-"$1:$NAME"; do [ ! -e "$R_DIR" ] || return 0; done
  r_seq=0; [ ! -e "$RECEIPTS/seq" ] || read -r r_seq <"$RECEIPTS/seq"
  r_seq=$((r_seq + 1)); r_new=$RECEIPTS/.new
  [ ! -e "$r_new" ] || rm -rf "$r_new"
  mkdir -p "$r_new" || return 1
  printf '%s' "$1" >"$r_new/kind" && printf '%s' "$2" >"$r_new/key" && printf '%s' "$3" >"$r_new/text" || return 1
  if [ -n "${4-}" ]; then cp -a -- "$4" "$r_new/original" || return 1; fi
  digits $r_seq
  R_DIR=$RECEIPTS/$DIGITS-$1:$NAME R_NEW=1
  printf '%s\n' "$r_seq" >"$RECEIPTS/seq" && mv "$r_new" "$R_DIR"
}
digits() { DIGITS=000000$1; while [ ${#DIGITS} -gt 6 ]; do DIGITS=${DIGITS#0}; done; }
# amend TEXT: replace the text of the receipt in R_DIR.
amend() { printf '%s' "$1" >"$R_DIR/.text" && mv -f "$R_DIR/.text" "$R_DIR/text"; }

# keep_file PATH: the receipt of a file that is about to be replaced.
keep_file() { if [ -e "$1" ]; then remember file "$1" present "$1"; else remember file "$1" absent; fi; }

# beside PATH: sets NEW, the name under which the next content of PATH is written. It is always the same name: what a
# killed program left there is overwritten by the next one, and no daemon reads a hidden name with a foreign ending.
beside() {
  b_dir=${1%/*}; b_dir=${b_dir:-/}
  [ -d "$b_dir" ] || { echo "the folder $b_dir does not exist"; return 1; }
  NEW=${1%/*}/.${1##*/}.raijin
  [ ! -e "$NEW" ] || rm -rf -- "$NEW"
}
# place PATH MODE OWNER GROUP: NEW takes the place of PATH in one rename. An empty MODE: it has its mode already.
# The owner comes first, because a new owner takes the set-uid bit away.
place() {
  { { [ "$3:$4" = root:root ] && [ -O "$NEW" ] && [ -G "$NEW" ]; } || chown "$3:$4" -- "$NEW"; } &&
    { [ -z "$2" ] || chmod "$2" -- "$NEW"; } && mv -f -- "$NEW" "$1" || { rm -f -- "$NEW"; return 1; }
  [ ! -e /sys/fs/selinux/enforce ] || ! have restorecon || restorecon -- "$1" || :
}
# put PATH MODE OWNER GROUP CONTENT. The content is never readable to more people than the mode says.
put() {
  beside "$1" || return 1
  case $2 in 644) umask 022;; 640) umask 027;; *) umask 077;; esac
  printf '%s' "$5" >"$NEW"; p_rc=$?
  umask 022
  [ "$p_rc" = 0 ] || { rm -f -- "$NEW"; REASON="$1 cannot be written (is the disk full or read-only?)"; return 1; }
  case $2 in 644|640|600) place "$1" '' "$3" "$4";; *) place "$1" "$2" "$3" "$4";; esac
}
# put_back DIR PATH: the original in the receipt DIR, with its mode, owner and times.
put_back() {
  made "${2%/*}/" && beside "$2" && cp -a -- "$1/original" "$NEW" && mv -f -- "$NEW" "$2"
}
"""
