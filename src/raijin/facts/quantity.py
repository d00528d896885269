"""Quantities as Kubernetes writes them: `250m`, `123456789n`, `7983192Ki`, `1e3`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i))?")
# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
_SIZES = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip


def quantity(text: object) -> float:
    """The number: cores of CPU, bytes of memory, a count. Raises ValueError for what is none."""
    match = _FORM.fullmatch(str(text).strip())
    if match is None:
        raise ValueError(f"{str(text)[:40]!r} is no quantity of Kubernetes")
    number, exponent, suffix = match.groups()
    return float(number + (exponent or "")) * _SIZES.get(suffix or "", 1.0)


def amount(resources: Mapping[str, Any] | None, name: str) -> float:
    """One of the quantities of a mapping such as `allocatable` or `requests`; 0 where it is not there."""
    found = (resources or {}).get(name)
    return quantity(found) if found is not None else 0.0
