"""Releases that people name by less than their whole name."""

from __future__ import annotations

SCOS = {
    "4.19.0": "4.19.0-okd-scos.19",
    "4.20.0": "4.20.0-okd-scos.17",
    "4.22.0": "4.22.0-okd-scos.7",
}
"""OKD publishes no plain 4.19.0: the newest build of it that is known here (okd-project/okd, releases, 2026-07)."""


def whole(version: str) -> str:
    """The release of OKD that is meant; as it was written where none is known."""
    return SCOS.get(version.removeprefix("v"), version)
