"""The shell that takes a file which the transport has pushed to the staging folder."""

STAGED = r"""
# staged SHA256 NAME: sets STAGED to the pushed file, compared once more with what it must be.
staged() {
  STAGED=$STAGE/$1
  [ -f "$STAGED" ] || { REASON="$2 was not delivered to this host"; return 1; }
  file_sum "$STAGED"
  [ "$SUM" = "$1" ] || { rm -f "$STAGED"; REASON="$2 arrived with sha256 $SUM, expected $1"; return 1; }
}
# same_file PATH SHA256 NAME, after probe: by stamp, or by reading it all. In apply mode the reading is remembered.
same_file() {
  stamped "$1" "$2" && return 0
  file_sum "$1"
  [ "$SUM" = "$2" ] || return 1
  [ "$MODE" = check ] || stamp "$1" "$2" "$3"
}
# keep_file PATH: the receipt of a file that is about to be replaced.
keep_file() { if [ -e "$1" ]; then remember file "$1" present "$1"; else remember file "$1" absent; fi; }
"""
