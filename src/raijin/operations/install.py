"""Files that Raijin brings: binaries and other artifacts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Payload, Resolve, absolute, digest, octal
from raijin.operations.file import UNDO
from raijin.operations.staged import STAGED
from raijin.operations.stamps import stamp_path
from raijin.transport.quoting import word

LIBRARY = r"""
install_check() { whole_check "$@"; } # path sha256 mode name
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

    def stamps(self) -> tuple[str, ...]:
        return (stamp_path("file", self.path),)

    def payloads(self) -> tuple[Payload, ...]:
        return (Payload(self.sha256, self.name),)
