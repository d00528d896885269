"""The shell for files whose whole content is known by its sha256: pushed to the staging folder, or fetched."""

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
# whole_check PATH SHA256 MODE NAME
whole_check() {
  probe "$1"
  case $P_TYPE in
    '') differs state absent "$4"; return 1;;
    'regular file'|'regular empty file') ;;
    *) refuse "$1 is a $P_TYPE, not a file"; return 2;;
  esac
  h_rc=0
  same_file "$1" "$2" "$4" || { differs content "sha256 $SUM" "$4"; h_rc=1; }
  attributes "$3" root root || h_rc=1
  return $h_rc
}
"""
