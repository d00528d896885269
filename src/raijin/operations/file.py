"""Files with a known content, mode and owner."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve, SecretRef, absolute, text_of

LIBRARY = r"""
file_check() { # path sha256 mode owner group secret content
  probe "$1"
  if [ -z "$P_TYPE" ]; then differs state absent file; [ -n "$6" ] || differs content '' ''; return 1; fi
  case $P_TYPE in 'regular file'|'regular empty file') ;; *) refuse "$1 is a $P_TYPE, not a file"; return 2;; esac
  f_rc=0
  if ! has_sum "$1" "$2"; then
    f_rc=1
    if [ -n "$6" ]; then differs content '(secret)' '(secret)'
    elif [ "$(wc -c <"$1")" -le 65536 ]; then differs content "$(cat -- "$1"; printf x)" ''
    else differs content '(longer than 64 KiB)x' ''; fi
  fi
  [ "$P_MODE" = "$3" ] || { differs mode "$P_MODE" "$3"; f_rc=1; }
  [ "$P_OWNER" = "$4" ] || { differs owner "$P_OWNER" "$4"; f_rc=1; }
  [ "$P_GROUP" = "$5" ] || { differs group "$P_GROUP" "$5"; f_rc=1; }
  return $f_rc
}
file_change() {
  if [ -e "$1" ]; then remember file "$1" present "$1"; else remember file "$1" absent; fi || return 1
  f_dir=${1%/*}; f_new=${f_dir:-/}/.raijin.$$.tmp
  [ -d "${f_dir:-/}" ] || { echo "the folder $f_dir does not exist"; return 1; }
  ( umask 077; printf '%s' "$7" >"$f_new" ) && chmod "$3" "$f_new" && chown "$4:$5" "$f_new" &&
    mv -f "$f_new" "$1" || { rm -f "$f_new"; return 1; }
}
"""

UNDO = r"""
file_undo() { # path receipt
  receipt_text "$2"
  if [ "$R_TEXT" = absent ]; then rm -f -- "$1"; return; fi
  f_dir=${1%/*}; [ -d "${f_dir:-/}" ] || mkdir -p "$f_dir"
  cp -a -- "$2/original" "$1.raijin-restore" && mv -f "$1.raijin-restore" "$1"
}
"""


@dataclass(frozen=True, slots=True)
class File(Operation):
    """A regular file. Its folder must exist (see Directory); it is replaced by rename, so readers never see half.

    mode: four octal digits at most, without a leading zero (`644`), as `stat -c %a` prints it.
    A SecretRef as content is resolved when the program is compiled for execution and never shown in a diff.
    """

    path: str
    content: str | SecretRef
    mode: str = "644"
    owner: str = "root"
    group: str = "root"
    kind: Literal["file"] = "file"

    library: ClassVar[str] = LIBRARY
    undo_library: ClassVar[str] = UNDO

    @property
    def title(self) -> str:
        return f"file {self.path}"

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        content = text_of(self.content, resolve)
        digest = hashlib.sha256(content.encode()).hexdigest()
        secret = isinstance(self.content, SecretRef)
        return (absolute(self.path), digest, self.mode, self.owner, self.group, secret, content)

    def probes(self) -> tuple[str, ...]:
        return (self.path,)

    def desired(self, field: str) -> str | None:
        return self.content if field == "content" and isinstance(self.content, str) else None
