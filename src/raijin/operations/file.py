"""Files with a known content, mode and owner."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve, SecretRef, absolute, octal, text_of
from raijin.transport.quoting import word

LIBRARY = r"""
file_check() { # path sha256 mode owner group secret content
  probe "$1"
  if [ -z "$P_TYPE" ]; then differs state absent file; [ -n "$6" ] || differs content '' ''; return 1; fi
  case $P_TYPE in 'regular file'|'regular empty file') ;; *) refuse "$1 is a $P_TYPE, not a file"; return 2;; esac
  f_rc=0
  sum_of "$1"
  if [ "$SUM" != "$2" ]; then
    f_rc=1
    if [ -n "$6" ]; then differs content '(secret)' '(secret)'
    elif [ "$(wc -c <"$1")" -le 65536 ]; then differs content "$(cat -- "$1"; printf x)" ''
    else differs content '(longer than 64 KiB)x' ''; fi
  fi
  attributes "$3" "$4" "$5" || f_rc=1
  return $f_rc
}
file_change() {
  keep_file "$1" && put "$1" "$3" "$4" "$5" "$7"
}
"""

UNDO = r"""
file_undo() { # path receipt
  read_text "$2/text"
  if [ "$TEXT" = absent ]; then rm -f -- "$1"; else put_back "$2" "$1"; fi
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

    def __post_init__(self) -> None:
        absolute(self.path)
        octal(self.mode)

    @property
    def title(self) -> str:
        return f"file {self.path}"

    def manual(self) -> tuple[str, ...]:
        shown = "(secret)" if isinstance(self.content, SecretRef) else self.content
        end = "" if shown.endswith("\n") else "\n"
        heredoc = f"cat > {word(self.path)} <<'RAIJIN'\n{shown}{end}RAIJIN"
        return (heredoc, f"chmod {self.mode} {word(self.path)}", f"chown {self.owner}:{self.group} {word(self.path)}")

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        content = text_of(self.content, resolve)
        secret = isinstance(self.content, SecretRef)
        return file_arguments(self.path, content, self.mode, self.owner, self.group, secret=secret)

    def probes(self) -> tuple[str, ...]:
        return (self.path,)

    def wants(self) -> tuple[tuple[str, str], ...]:
        return (("sums", self.path),)

    def desired(self, field: str) -> str | None:
        return self.content if field == "content" and isinstance(self.content, str) else None


def file_arguments(
    path: str, content: str, mode: str = "644", owner: str = "root", group: str = "root", *, secret: bool = False
) -> tuple[Argument, ...]:
    """The words of `file_check` and `file_change`, for every operation that keeps a file."""
    digest = hashlib.sha256(content.encode()).hexdigest()
    return (path, digest, mode, owner, group, secret, content)
