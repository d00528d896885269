"""What an operation is: a frozen value that says what a host should be like, and the shell that makes it so.

An operation has three shell functions, named after its kind, in a constant library text:

    KIND_check ARGS   0: as wanted · 1: differs (it called `differs FIELD BEFORE AFTER`) · 2: refused (it set REASON)
    KIND_change ARGS  makes it so; before its first change it calls `remember`, so that destroy can put it back
    KIND_undo KEY DIR puts back what `remember` kept in DIR (only kinds that remember have one)

Arguments reach the functions as quoted words. The rules of the library's shell: POSIX only (dash, bash, busybox), no
writing in `check`, no command substitution where a builtin does, every path that a file operation probes is listed in
`probes` so that one `stat` and one `sha256sum` serve the whole program.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from raijin.errors import UsageError


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A value that travels by name: it is read from the secret store when a program is compiled for execution."""

    secret: str

    def __str__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True)
class Payload:
    """A file that the host needs before the operation can change anything: pushed to the staging folder by sha256."""

    sha256: str
    name: str


Argument = str | int | bool
Resolve = Callable[[SecretRef], str]


class Operation(Protocol):
    """A typed, idempotent change of one host (see the module text for its shell side)."""

    library: ClassVar[str]
    undo_library: ClassVar[str] = ""

    @property
    def kind(self) -> str: ...

    @property
    def title(self) -> str:
        """What it concerns, for people: `file /etc/hosts`."""
        ...

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        """The arguments of its shell functions; `resolve` gives the value of a SecretRef."""
        ...

    def probes(self) -> tuple[str, ...]:
        """Paths whose mode, owner and sha256 the check wants to know."""
        return ()

    def payloads(self) -> tuple[Payload, ...]:
        return ()

    def desired(self, field: str) -> str | None:
        """The wanted value of a field that the host does not send back because we know it (long content)."""
        return None


def text_of(value: str | SecretRef, resolve: Resolve) -> str:
    """The value of a field that may be a secret."""
    return resolve(value) if isinstance(value, SecretRef) else value


def unresolved(reference: SecretRef) -> str:
    """The resolver of plans: a secret may not exist yet, and a plan must not hold it."""
    return f"(secret {reference.secret})"


def absolute(path: str) -> str:
    """Refuse a relative path early, with the operation that holds it. Raises UsageError."""
    if not path.startswith("/"):
        raise UsageError(f"{path!r} is not an absolute path", remedy="write the whole path, from /")
    return path
