"""Archives that Raijin brings, unpacked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.errors import UsageError
from raijin.operations.base import Argument, Operation, Payload, Resolve, absolute, digest
from raijin.operations.staged import STAGED
from raijin.operations.stamps import stamp_path
from raijin.transport.quoting import word

LIBRARY = r"""
# The stamp of an archive at a destination: what it is, then the inode, size, change time and path of each of its files.
archive_ids() { TZ=UTC0 stat -c '- %i.%s.%z|%n' -- "$@" 2>/dev/null; }
archive_check() { # destination sha256 format strip name members...
  file_name "$1:$2"; A_STAMP=$STAMPS/archive:$NAME a_title=$5
  read_text "$A_STAMP" || { differs content '' "$5"; return 1; }
  TEXT=${TEXT%"$NL"}; archive_words "${TEXT#*"$NL"}"
}
archive_words() { # the text of the stamp: are these files still there?
  a_text=$1
  set -f; IFS=$NL; set -- $1; set +f; unset IFS
  for a_line in "$@"; do set -- "$@" "${a_line#*|}"; shift; done
  [ "$(archive_ids "$@")" = "$a_text" ] || { differs content 'files are missing or were changed' "$a_title"; return 1; }
}
archive_change() {
  [ -d "$1" ] || { REASON="the folder $1 does not exist"; return 1; }
  staged "$2" "$5" || return 1
  # Unpacked beside its place, then renamed file by file: a program in use keeps its old file open.
  A_TO=$1 A_TMP=$1/.raijin-unpack a_key=$1:$2
  rm -rf -- "$A_TMP" && mkdir -m 700 -- "$A_TMP" || return 1
  a_format=$3 a_strip=$4 a_title=$5; shift 5
  archive_unpack "$@" && a_dirs=$(cd "$A_TMP" && find . -mindepth 1 -type d) &&
    a_files=$(cd "$A_TMP" && find . ! -type d) && archive_receipt && archive_move; a_rc=$?
  rm -rf -- "$A_TMP" && [ "$a_rc" = 0 ] && made "$STAMPS" && printf '= %s\n%s\n' "$a_title" "$A_IDS" >"$A_STAMP"
}
archive_unpack() { # members...
  case $a_format in
    gz) a_with=z;; xz) a_with=J;; *) a_with=;;
  esac
  if [ "$a_format" = zst ]; then
    have zstd || { REASON="zstd is not installed on this host, $a_title needs it"; return 1; }
    zstd -dcq -- "$STAGED" | tar -x -o -f - -C "$A_TMP" --strip-components="$a_strip" -- "$@"
  else tar -x"$a_with" -o -f "$STAGED" -C "$A_TMP" --strip-components="$a_strip" -- "$@"; fi || {
    REASON="$a_title cannot be unpacked"; return 1; }
}
archive_receipt() { # what was not there before is listed, what was there (and is not from an archive of ours) is kept
  [ -n "$a_files" ] || { REASON="$a_title holds no files"; return 1; }
  a_ours=$NL$(cat "$RECEIPTS"/*-archive:*/text 2>/dev/null)$NL a_new=
  set -f; IFS=$NL; set -- $a_dirs; set +f; unset IFS
  for a_path in "$@"; do [ -d "$A_TO/${a_path#./}" ] || a_new="$a_new$A_TO/${a_path#./}/$NL"; done
  set -f; IFS=$NL; set -- $a_files; set +f; unset IFS
  for a_path in "$@"; do
    a_path=$A_TO/${a_path#./}
    if [ ! -e "$a_path" ] && [ ! -L "$a_path" ]; then a_new="$a_new$a_path$NL"; continue; fi
    [ ! -d "$a_path" ] || [ -L "$a_path" ] || { REASON="$a_path is a directory"; return 1; }
    case $a_ours in *"$NL$a_path$NL"*) ;; *) remember file "$a_path" present "$a_path" || return 1;; esac
  done
  [ -z "$a_new" ] || remember archive "$a_key" "$a_new"
}
archive_move() {
  set -f; IFS=$NL; set -- $a_dirs; set +f; unset IFS
  for a_path in "$@"; do made "$A_TO/${a_path#./}" || return 1; done
  set -f; IFS=$NL; set -- $a_files; set +f; unset IFS
  for a_path in "$@"; do
    mv -f -- "$A_TMP/$a_path" "$A_TO/${a_path#./}" || return 1
    shift; set -- "$@" "$A_TO/${a_path#./}"
  done
  A_IDS=$(archive_ids "$@")
}
"""

UNDO = r"""
archive_undo() { # key receipt
  read_text "$2/text"
  set -f; IFS=$NL; set -- $TEXT; set +f; unset IFS
  a_dirs=
  for a_path in "$@"; do
    case $a_path in */) a_dirs="$a_path$NL$a_dirs";; *) rm -f -- "$a_path" || return 1;; esac
  done
  set -f; IFS=$NL; set -- $a_dirs; set +f; unset IFS
  for a_path in "$@"; do rmdir -- "$a_path" 2>/dev/null || :; done
}
"""

_FORMATS = {".tar": "tar", ".tar.gz": "gz", ".tgz": "gz", ".tar.xz": "xz", ".txz": "xz", ".tar.zst": "zst"}
_NAME = re.compile(rf".+?({'|'.join(map(re.escape, _FORMATS))})")


@dataclass(frozen=True, slots=True)
class Archive(Operation):
    """The files of a tar archive, in a folder that exists. They belong to root.

    name: its file name, whose ending says how it is compressed (.tar .tar.gz .tgz .tar.xz .txz .tar.zst).
    strip: leading folders of each path that are left out. members: only these, as the archive names them.
    A stamp on the host lists what came out of it; the files are unpacked again when one is gone or has been touched.
    """

    destination: str
    sha256: str
    name: str
    strip: int = 0
    members: tuple[str, ...] = ()
    kind: Literal["archive"] = "archive"

    library: ClassVar[str] = LIBRARY
    requires: ClassVar[tuple[str, ...]] = (STAGED,)
    undo_library: ClassVar[str] = UNDO

    def __post_init__(self) -> None:
        absolute(self.destination)
        digest(self.sha256)
        if not _NAME.fullmatch(self.name):
            endings = " ".join(_FORMATS)
            raise UsageError(f"{self.name!r} is not an archive that Raijin unpacks", remedy=f"use one of {endings}")

    @property
    def title(self) -> str:
        return f"{self.name} in {self.destination}"

    def manual(self) -> tuple[str, ...]:
        strip = f" --strip-components={self.strip}" if self.strip else ""
        return (
            f"# copy {self.name} here (sha256 {self.sha256})",
            f"tar x -f {word(self.name)} -C {word(self.destination)}{strip}",
        )

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        ending = _NAME.fullmatch(self.name)
        form = _FORMATS[ending.group(1)] if ending else "tar"
        return (self.destination.rstrip("/"), self.sha256, form, self.strip, self.name, *self.members)

    def stamps(self) -> tuple[str, ...]:
        return (stamp_path("archive", f"{self.destination.rstrip('/')}:{self.sha256}"),)

    def payloads(self) -> tuple[Payload, ...]:
        return (Payload(self.sha256, self.name),)
