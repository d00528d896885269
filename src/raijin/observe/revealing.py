"""Secrets of the definition taken out for use: from then on they are hidden in all that leaves the process."""

from __future__ import annotations

from raijin.definition.secrets import reveal
from raijin.model.secret import Secret
from raijin.observe.masking import MASKER


def revealed(secret: Secret | None) -> str | None:
    """The text of a secret or of what it refers to, hidden from then on; None stays None. Raises as `reveal` does."""
    text = reveal(secret)
    if text:
        MASKER.add(text)
    return text
