"""The last line of defence: a secret value that has been revealed is replaced in every text that leaves the process.

Secrets travel by name (SecretRef) and print as `***` by type; this mask is for what programs on hosts print back.
"""

from __future__ import annotations

import re
import threading

from raijin.errors import RaijinError

MASK = "***"
SHORTEST = 4
"""Shorter values are not masked: replacing every `a` would tell more than it hides."""

FEW = 16
"""So many values are looked for one by one."""

SHORTEST_WORD = 16
"""Of a document (a kubeconfig, a key), words of at least this length are hidden wherever they appear alone."""

_ORDINARY = re.compile(r"[A-Za-z._:-]+|[\d.:]+|\S*://\S*|/\S*")
"""Words that are no secrets, however long: names, addresses, URLs and paths. Hiding them would only hide the reason."""


class Masker:
    """The values that must not be seen. Thread-safe."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._begin: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def add(self, value: str) -> None:
        """Hide a value; of one with several lines (a key, a kubeconfig) also its long words, not its ordinary ones."""
        words: list[str] = []
        if "\n" in value.strip():
            words = [w for w in value.split() if len(w) >= SHORTEST_WORD and not _ORDINARY.fullmatch(w)]
        with self._lock:
            for part in (value, value.strip(), *words):
                if len(part.strip()) >= SHORTEST and part not in self._values:
                    self._values.add(part)
                    self._begin.setdefault(part[:SHORTEST], set()).add(part)

    def mask(self, text: str) -> str:
        """The longest values first: one may be part of another."""
        if len(text) < SHORTEST:
            return text
        with self._lock:
            if len(self._values) <= FEW:
                found = self._values.copy()
            else:
                # A run over a thousand hosts makes a thousand tokens: only those are looked for that may begin here.
                starts = {text[at : at + SHORTEST] for at in range(len(text) - SHORTEST + 1)} & self._begin.keys()
                found = {value for start in starts for value in self._begin[start]} & self._values
        for value in sorted(found, key=len, reverse=True):
            text = text.replace(value, MASK)
        return text


MASKER = Masker()
"""One for the process: a secret revealed anywhere is hidden everywhere."""


def masked(value: object) -> object:
    """A JSON value with every secret hidden, before any way of writing it down spells the secret otherwise."""
    if isinstance(value, str):
        return MASKER.mask(value)
    if isinstance(value, dict):
        return {key: masked(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(item) for item in value]
    return value


def masked_problem(error: RaijinError) -> dict[str, object]:
    """The problem document of an error, as it may leave the process."""
    return {name: masked(value) for name, value in error.problem().items()}
