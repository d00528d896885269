"""Keys and certificates that a cluster made itself, when they get another content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve, SecretRef, absolute, octal, text_of
from raijin.operations.file import LIBRARY as FILE
from raijin.operations.file import file_arguments

LIBRARY = r"""
credential_check() { file_check "$@"; }
credential_change() { put "$1" "$3" "$4" "$5" "$7"; }
"""


@dataclass(frozen=True, slots=True)
class Credential(Operation):
    """A file like `File`, of what the cluster brought forth and takes with it: an authority, a key.

    It keeps no receipt: what the file held before is meant to be nowhere any more, and nobody wants it back when the
    cluster has ended. Its folder must exist; it is replaced by rename, and its content is never shown.
    """

    path: str
    content: SecretRef
    mode: str = "600"
    kind: Literal["credential"] = "credential"

    library: ClassVar[str] = LIBRARY
    requires: ClassVar[tuple[str, ...]] = (FILE,)

    def __post_init__(self) -> None:
        absolute(self.path)
        octal(self.mode)

    @property
    def title(self) -> str:
        return f"file {self.path}"

    def manual(self) -> tuple[str, ...]:
        return (f"# write {self.path} (mode {self.mode}), from: {self.content.secret}",)

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return file_arguments(self.path, text_of(self.content, resolve), self.mode, secret=True)

    def probes(self) -> tuple[str, ...]:
        return (self.path,)

    def wants(self) -> tuple[tuple[str, str], ...]:
        return (("sums", self.path),)
