"""The contract of those platforms whose certificates Raijin looks after, beside the one of all platforms.

A platform that has it says so in its attribute `certificates`; where there is none, certificates are neither judged nor
renewed, and whoever asks for it is told so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Protocol, cast

from raijin.errors import Unsupported
from raijin.facts.certificates import Certificate
from raijin.model.cluster import Cluster
from raijin.operations.absent import Absent, unmarked
from raijin.operations.command import Command
from raijin.operations.program import Program
from raijin.plan.model import Call
from raijin.platforms import platform_of, served
from raijin.platforms.base import Context, Node
from raijin.platforms.platform import Platform
from raijin.platforms.view import HostView

BEGUN, DONE = "certificates-begun", "certificates-renewed"
"""Markers: what runs may still use the old ones, or be stopped; which ones were renewed."""
AUTHORITY_DAYS = 365.0


class Keeper(StrEnum):
    """Who renews a certificate: Raijin; the program that uses it, as long as it is valid; nobody but a rotation."""

    RAIJIN = "raijin"
    ITSELF = "itself"
    AUTHORITY = "authority"


class Certificates(Protocol):
    """How the certificates of one distribution are looked after. The facts must ask for them (facts/certificates)."""

    def keeper(self, certificate: Certificate) -> Keeper | None:
        """Who renews it; None for one that is not the platform's."""
        ...

    def days(self, context: Context) -> float:
        """How long one is valid that is made now."""
        ...

    def unfinished(self, node: Node) -> bool:
        """Whether a renewal was begun on the host, and not brought to its end."""
        ...

    def renew(self, context: Context, node: Node, wanted: Sequence[Certificate]) -> Program:
        """Renew the certificates of one node, and have what uses them take them up. Safe to be run again.

        wanted: what made it necessary, those with a keeper of their own that they have outlived among them; none: only
        what was begun is ended.
        """
        ...

    def readmit(self, context: Context, node: Node) -> Call | None:
        """Make new credentials for the agent of a node whose own have expired; None where `renew` needs no help."""
        ...

    def discard(self, context: Context, node: Node) -> Call | None:
        """Forget what `readmit` made."""
        ...


def begun_on(node: Node) -> bool:
    """Whether a renewal has left its mark on a host, and not taken it away."""
    return node.facts is not None and BEGUN in node.facts.markers


def begin() -> Command:
    return Command("note that it has begun", ("true",), marker=BEGUN)


def end() -> Absent:
    """The mark goes."""
    return unmarked(BEGUN)[0]


def value_of(wanted: Iterable[Certificate]) -> str:
    """Of a marker: another one for other certificates."""
    found = sorted((c.path, c.ends) for c in wanted)
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()[:16]


def held(care: Certificates, view: HostView | None) -> list[Certificate]:
    """The certificates on a host that are the platform's, those that cannot be read among them."""
    return [c for c in (view.certificates if view else ()) if care.keeper(c) is not None]


def is_due(certificate: Certificate, keeper: Keeper | None, at: float, days: float) -> bool:
    """Whether somebody is to look after it. What renews itself does so late in its life, and is left to it.

    An authority is one a year before its end: what it signs would not live for a year any more.
    """
    if keeper is Keeper.AUTHORITY:
        return certificate.is_due(at, max(days, AUTHORITY_DAYS))
    return keeper is not Keeper.ITSELF and certificate.is_due(at, days)


def certificates_of(cluster: Cluster) -> Certificates | None:
    """None where Raijin does not look after the certificates of this distribution yet."""
    return certificates_by(platform_of(cluster)) if served(cluster.type) else None


def certificates_by(platform: Platform) -> Certificates | None:
    """None where Raijin does not look after the certificates of this distribution yet."""
    return cast("Certificates | None", getattr(platform, "certificates", None))


def require(cluster: Cluster) -> Certificates:
    """Raises Unsupported where Raijin does not look after the certificates of this distribution yet."""
    found = certificates_of(cluster)
    if found is None:
        raise Unsupported(
            f"Raijin does not look after the certificates of {cluster.type} clusters yet",
            remedy=platform_of(cluster).renews_itself or "renew them with the tools of the distribution",
        )
    return found
