"""Files that a host fetches for itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve, absolute, digest, matching, octal
from raijin.operations.file import UNDO
from raijin.operations.staged import STAGED

LIBRARY = r"""
download_check() { whole_check "$1" "$2" "$3" "${4##*/}"; } # path sha256 mode url
download_get() { # url file: goes on where an earlier attempt ended
  if have curl; then curl -fsSL --retry 3 --connect-timeout 20 --speed-limit 1000 --speed-time 60 -C - -o "$2" -- "$1"
  elif have wget; then wget -q -c -T 60 -O "$2" -- "$1"
  elif have python3; then
    python3 -c 'import sys, shutil, urllib.request as u
with u.urlopen(sys.argv[1], timeout=60) as r, open(sys.argv[2], "wb") as f: shutil.copyfileobj(r, f)' "$1" "$2"
  else REASON='none of curl, wget and python3 is installed'; return 1; fi
}
download_change() {
  keep_file "$1" || return 1
  made "${1%/*}/" || return 1
  # The part is named after its sum, so that a part of another version is never continued.
  w_part=${1%/*}/.raijin-$2.part
  w_resumed=; [ ! -e "$w_part" ] || w_resumed=1
  download_get "$4" "$w_part"; w_rc=$?
  file_sum "$w_part"
  if [ "$SUM" != "$2" ] && [ -n "$w_resumed" ]; then
    rm -f -- "$w_part"; download_get "$4" "$w_part"; w_rc=$?; file_sum "$w_part"
  fi
  if [ "$SUM" != "$2" ]; then
    # An interrupted transfer leaves its part for the next attempt, a complete but wrong one does not.
    [ "$w_rc" != 0 ] || { rm -f -- "$w_part"; REASON="$4 has sha256 $SUM, expected $2"; return 1; }
    REASON=${REASON:-"$4 cannot be fetched"}; return 1
  fi
  NEW=$w_part
  place "$1" "$3" root root && stamp "$1" "$2" "${4##*/}"
}
"""

_URL = re.compile(r"(https?|file)://[^\s]+")


@dataclass(frozen=True, slots=True)
class Download(Operation):
    """A file from the network, fetched on the host by curl, wget or python3; continued after an interruption.

    It takes its place only when its sha256 is right. Prefer Install: what Raijin brings works without internet.
    """

    url: str
    path: str
    sha256: str
    mode: str = "644"
    kind: Literal["download"] = "download"

    library: ClassVar[str] = LIBRARY
    requires: ClassVar[tuple[str, ...]] = (STAGED,)
    undo_library: ClassVar[str] = UNDO

    def __post_init__(self) -> None:
        matching(_URL, self.url, "an http, https or file URL")
        absolute(self.path)
        digest(self.sha256)
        octal(self.mode)

    @property
    def title(self) -> str:
        return f"download {self.path}"

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return (self.path, self.sha256, self.mode, self.url)

    def probes(self) -> tuple[str, ...]:
        return (self.path,)
