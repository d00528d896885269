"""What a fact is: a typed read of one ability of a host.

A module of this package that holds a fact has a SNIPPET (POSIX sh that writes nothing and starts as few processes as it
can: one costs a host as much as reading a thousand bytes in the shell), perhaps FILES (patterns of files whose every
line it wants: one process reads them for all facts), and a `parse` that makes a value of what the snippet printed and
of the lines of the files, each as `PATH:LINE`. Partial detection is normal: an ability that a host does not show is an
Unknown with a reason, and the others are still there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unknown:
    """An ability that could not be read, and why."""

    unknown: str


@dataclass(frozen=True, slots=True)
class Ability:
    """One fact: its field of HostFacts, what the host runs, what makes a value of the answer, and files to read."""

    name: str
    snippet: str
    parse: Callable[[str], object]
    files: tuple[str, ...] = ()


def known(value: T | Unknown, otherwise: T) -> T:
    """The value, or another one when it is unknown."""
    return otherwise if isinstance(value, Unknown) else value


def lines_of(text: str) -> dict[str, list[str]]:
    """The lines of the files in a fact's text, by path."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        path, colon, content = line.partition(":")
        if colon and path.startswith("/"):
            found.setdefault(path, []).append(content)
    return found


def pairs(text: str, separator: str = ":") -> Iterator[tuple[str, str]]:
    """The lines `name SEPARATOR value` of a text, blanks around both removed."""
    for line in text.splitlines():
        name, found, value = line.partition(separator)
        if found:
            yield name.strip(), value.strip()
