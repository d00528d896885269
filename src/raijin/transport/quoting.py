"""The one place where a value becomes a word of a shell script. Scripts are joined from `Word`s, never from text."""

from __future__ import annotations

import re

from raijin.errors import UsageError

_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+\Z")


class Word(str):
    """Text that is exactly one word to a POSIX shell, whatever it holds."""

    __slots__ = ()


def word(value: str | int | bool) -> Word:
    """Quote a value. True and False become `1` and `` (empty). Raises UsageError for a NUL: no shell can carry it."""
    text = ("1" if value else "") if isinstance(value, bool) else str(value)
    if "\0" in text:
        raise UsageError("a value for a host contains a NUL character", remedy="remove it from the definition")
    if _PLAIN.match(text):
        return Word(text)
    return Word("'" + text.replace("'", "'\\''") + "'")
