"""Where a host keeps the stamp of a thing that is too large to be read at every check.

A unit that must be restarted when its binary changes watches the stamp: it is rewritten when the binary is, and small.
"""

from __future__ import annotations

import hashlib
import re

from raijin.facts.raijin import STATE_FOLDER

_PLAIN = re.compile(r"[A-Za-z0-9_./:@+=-]{1,180}")


def command_marker(name: str) -> str:
    """The stamp of a command's marker."""
    return stamp_path("command", name)


def stamp_path(kind: str, key: str) -> str:
    """The stamp of an operation's thing; the name is that of `file_name` in probing.py."""
    plain = _PLAIN.fullmatch(key)
    name = key.replace("/", ",") if plain else f"x-{hashlib.sha256(key.encode()).hexdigest()}"
    return f"{STATE_FOLDER}/stamps/{kind}:{name}"
