"""What an operation is: a frozen value that says what a host should be like, and the shell that makes it so.

An operation has three shell functions, named after its kind, in a constant library text:

    KIND_check ARGS   0: as wanted · 1: differs (it called `differs FIELD BEFORE AFTER`) · 2: refused (it set REASON)
    KIND_change ARGS  makes it so; before its first change it calls `remember`, so that destroy can put it back
    KIND_undo KEY DIR puts back what `remember` kept in DIR (only kinds that remember have one)

Arguments reach the functions as quoted words. The rules of the library's shell: POSIX only (dash, bash, busybox), no
writing in `check`, no command substitution where a builtin does. What a check wants to know is asked for once per
program: paths to look at are listed in `probes`, everything else in `wants`, by topic (see probing.py).
An operation about one path has this path as its first argument: in a plan, a unit that watches it sees it change.
"""

from __future__ import annotations

import re
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
    requires: ClassVar[tuple[str, ...]] = ()
    """Libraries that `library` calls, before it in the script; each text is in a script once."""
    undo_library: ClassVar[str] = ""
    function: ClassVar[str] = ""
    """The name that its shell functions begin with, when that is not the kind."""

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
        """Paths whose type, mode and owner the check wants to know."""
        return ()

    def wants(self) -> tuple[tuple[str, str], ...]:
        """What else the check wants to know, as (topic, item): the host is asked once per topic, for all items."""
        return ()

    def payloads(self) -> tuple[Payload, ...]:
        return ()

    def stamps(self) -> tuple[str, ...]:
        """Files of the state folder that change when it changes something: what a unit may watch in place of it."""
        return ()

    def manual(self) -> tuple[str, ...]:
        """The same by hand, as shell commands for the runbook; empty when the title says it all."""
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


_OCTAL = re.compile(r"0|[1-7][0-7]{0,3}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def octal(mode: str) -> str:
    """A mode as `stat -c %a` prints it. Raises UsageError for `0644` or `u+x`, which would differ for ever."""
    if not _OCTAL.fullmatch(mode):
        raise UsageError(f"{mode!r} is not a file mode", remedy="write octal digits without a leading zero, as in 644")
    return mode


def digest(sha256: str) -> str:
    """A sha256 in lower-case hexadecimal, as `sha256sum` prints it. Raises UsageError."""
    if not _DIGEST.fullmatch(sha256):
        raise UsageError(f"{sha256!r} is not a sha256", remedy="write its 64 hexadecimal digits in lower case")
    return sha256


def matching(pattern: re.Pattern[str], value: str, what: str) -> str:
    """A value that has one known form. Raises UsageError naming `what` it should have been."""
    if not pattern.fullmatch(value):
        raise UsageError(f"{value!r} is not {what}", remedy=f"write {what}")
    return value


def one_line(text: str) -> str:
    """Text for a file of lines. Raises UsageError when it holds a line break."""
    if "\n" in text or "\r" in text:
        raise UsageError(f"{text!r} holds a line break", remedy="write one line, or use a File")
    return text


def choice(value: bool | None) -> str:
    """A wish with three values, as the shell reads it: `yes`, `no`, or empty for no wish."""
    return "" if value is None else "yes" if value else "no"
