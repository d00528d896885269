"""What looks like a secret, wherever it stands: for texts of others that leave this machine in a support bundle.

The mask (masking.py) hides values that Raijin knows; logs and manifests of a cluster hold some that it does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from raijin.observe.masking import MASK, MASKER

_NAMES = "client-key-data|token|password|passwd|passphrase|secret|(?:certificate|api|access|private)-?key"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
        rf"((?:{_NAMES})[\"']?\s*[:=]\s*[\"']?)[^\s\"',;}}]+",
        r"(--(?:token|password|certificate-key|secret|client-secret|key-passphrase)[ =])\S+",
        r"(authorization[\"']?\s*[:=]\s*[\"']?(?:bearer|basic)\s+)\S+",
        r"(\bbearer\s+)[A-Za-z0-9._~+/=-]{16,}",
        r"(\w://[^\s/:@]*:)[^\s/@]+(?=@)",
        r"()\bAGE-SECRET-KEY-1[0-9A-Z]+",
        r"()\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*",
        r"()\bK10[0-9a-f]{64}::\S+",
    )
)
# A bootstrap token (Kubernetes: bootstrap tokens, token format); its case matters, or every file name would be one.
_TOKEN = re.compile(r"(?<![\w.-])([a-z0-9]{6})\.[a-z0-9]{16}(?![\w.-])")
_SECRET_NAME = re.compile(r"pass|secret|token|key|credential|auth", re.IGNORECASE)
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def redact(text: str) -> str:
    """The text without what Raijin knows to be secret, and without what looks like it."""
    text = MASKER.mask(text)
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\1{MASK}", text)
    return _TOKEN.sub(rf"\1.{MASK}", text)


def bare(document: Any, *, known: bool) -> Any:
    """An object of the API without values that may be secret, and without noise. known: it belongs to the cluster
    itself, where only variables with telling names are hidden; of all others, every variable is.
    """
    if isinstance(document, list):
        return [bare(item, known=known) for item in document]
    if not isinstance(document, Mapping):
        return document
    hidden = {"managedFields", _LAST_APPLIED}
    kept = {key: bare(value, known=known) for key, value in document.items() if key not in hidden}
    named = kept.get("name")
    if isinstance(named, str) and isinstance(kept.get("value"), str) and (not known or _SECRET_NAME.search(named)):
        kept["value"] = MASK
    return kept
