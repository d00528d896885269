"""Files that Raijin brings: binaries and other artifacts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Payload, Resolve, absolute, digest, octal
from raijin.operations.file import UNDO
from raijin.operations.quoting import word
from raijin.operations.staged import STAGED

LIBRARY = r"""
install_check() { # path sha256 mode name
  probe "$1"
  case $P_TYPE in
    '') differs state absent "$4"; return 1;;
    'regular file'|'regular empty file') ;;
    *) refuse "$1 is a $P_TYPE, not a file"; return 2;;
  esac
  i_rc=0
  same_file "$1" "$2" "$4" || { differs content "sha256 $SUM" "$4"; i_rc=1; }
  attributes "$3" root root || i_rc=1
  return $i_rc
}
install_change() {
  staged "$2" "$4" && keep_file "$1" && beside "$1" && cp -- "$STAGED" "$NEW" && place "$1" "$3" root root &&
    stamp "$1" "$2" "$4"
}
"""


@dataclass(frozen=True, slots=True)
class Install(Operation):
    """A file whose content is pushed from the cache of artifacts. name: what it is, for people (`kubelet 1.34.2`).

    A stamp on the host says that the file was compared in full and has not been touched since, so that a check of a
    large binary costs nothing.
    """

    path: str
    sha256: str
    name: str
    mode: str = "755"
    kind: Literal["install"] = "install"

    library: ClassVar[str] = LIBRARY
    requires: ClassVar[tuple[str, ...]] = (STAGED,)
    undo_library: ClassVar[str] = UNDO

    def __post_init__(self) -> None:
        absolute(self.path)
        digest(self.sha256)
        octal(self.mode)

    @property
    def title(self) -> str:
        return f"{self.name} as {self.path}"

    def manual(self) -> tuple[str, ...]:
        return (f"# copy {self.name} (sha256 {self.sha256}) to {self.path}", f"chmod {self.mode} {word(self.path)}")

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return (self.path, self.sha256, self.mode, self.name)

    def probes(self) -> tuple[str, ...]:
        return (self.path,)

    def payloads(self) -> tuple[Payload, ...]:
        return (Payload(self.sha256, self.name),)
