"""The certificates of the session's cluster as people see them: read on the hosts, so that they show without an API."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from raijin.app import observing
from raijin.app.planning import context_of
from raijin.app.reaching import open_pool
from raijin.app.session import Session
from raijin.errors import Unsupported
from raijin.facts.base import Unknown
from raijin.facts.certificates import Certificate, in_kubeconfig
from raijin.model.cluster import ClusterType
from raijin.platforms import platform_of
from raijin.platforms.base import Node
from raijin.platforms.kubeconfig import kubeconfig_secret
from raijin.platforms.renewal import Certificates, Keeper, held, is_due, require
from raijin.platforms.rotation import in_the_middle, rotating
from raijin.platforms.turns import Turn

KEPT = "(kept here)"
"""In the place of a node: what lies in RAIJIN_HOME."""
RENEWED_BY = {Keeper.RAIJIN: "apply", Keeper.ITSELF: "itself", Keeper.AUTHORITY: "rotate-ca"}


_BY_HAND = {ClusterType.TALOS: "with `talosctl rotate-ca`"}


@dataclass(frozen=True, slots=True)
class CertificateRow:
    """begins and ends: seconds since the epoch; expires: the date of the end.

    node: `(kept here)` for the administrator's kubeconfig that Raijin keeps: one that has expired is fetched anew.
    state: valid, due, expired, unreadable (then `fault` says why). renewed_by: `apply`, `itself` (the program that uses
    it), or `rotate-ca`. signer: the identifier of the key that signed it.
    """

    node: str
    path: str
    subject: str
    issuer: str
    begins: float
    ends: float
    expires: str
    days_left: float
    authority: bool
    signer: str
    state: str
    renewed_by: str
    fault: str


@dataclass(frozen=True, slots=True)
class CertificateListing:
    """rows: by node, in the order of the definition. faults: hosts that could not be asked, and why.

    rotation: how far a rotation of authorities is, for people; empty when none is in the middle.
    """

    cluster: str
    rows: tuple[CertificateRow, ...]
    faults: tuple[str, ...]
    rotation: str = ""

    def to_json(self) -> dict[str, Any]:
        rows = [asdict(row) | {"days_left": round(row.days_left, 2)} for row in self.rows]
        found = {"cluster": self.cluster, "certificates": rows, "faults": list(self.faults)}
        return {**found, "rotation": self.rotation}


async def listing(session: Session, at: float | None = None) -> CertificateListing:
    """Every certificate on every host of the cluster. Raises Unsupported.

    at: the moment that they are judged at, in seconds since the epoch; now, when it is left out.
    """
    cluster = session.cluster
    care, now = require(cluster), time.time() if at is None else at
    placed = [(p.host, p.role) for p in session.definition.hosts_of(cluster)]
    async with open_pool(session) as pool:
        nodes, _ = await observing.look_at(pool, platform_of(cluster), placed, for_plan=True)
    days = cluster.policy.renewal_days
    rows = [row for node in nodes for row in _rows(care, node, now, days)]
    kept = _kept(session)
    if kept is not None:
        rows.append(_row(KEPT, kept, Keeper.ITSELF, now, days))
    return CertificateListing(cluster.name, tuple(rows), tuple(_faults(nodes)), _rotation(session, nodes))


def due_rows(found: CertificateListing) -> list[CertificateRow]:
    """Those that Raijin renews, and whose time has come."""
    by_us = RENEWED_BY[Keeper.RAIJIN]
    return [row for row in found.rows if row.renewed_by == by_us and row.state in {"due", "expired"}]


def require_rotation(session: Session) -> None:
    """Raises Unsupported where Raijin does not replace authorities: half a rotation would be worse than none."""
    cluster = session.cluster
    require(cluster)
    if rotating(cluster) is None:
        raise Unsupported(
            f"Raijin does not replace the authorities of {cluster.name} yet",
            remedy="`raijin cluster certificates list` says until when they live; when it must be, do it by hand "
            f"{_BY_HAND.get(cluster.type, 'as its documentation says')}",
        )


def _rows(care: Certificates, node: Node, now: float, days: float) -> Iterator[CertificateRow]:
    return (_row(node.name, found, care.keeper(found), now, days) for found in held(care, node.facts))


_TURNS = {
    Turn.TRUST: "hosts are told to trust the new ones too",
    Turn.SIGN: "everything is signed anew by the new ones",
    Turn.FORGET: "hosts are told to forget the old ones",
}


def _rotation(session: Session, nodes: Sequence[Node]) -> str:
    found = in_the_middle(context_of(session, nodes))
    if found is None:
        return ""
    where = _TURNS[found.turn or Turn.TRUST]
    return f"the authorities {', '.join(found.authorities)} are being replaced, and {where}"


def _kept(session: Session) -> Certificate | None:
    """The administrator's certificate in the kept kubeconfig."""
    if not session.has_state:
        return None
    from raijin.state.secrets import SecretStore  # noqa: PLC0415

    store, name = SecretStore(session.home), kubeconfig_secret(session.cluster.name)
    return in_kubeconfig(store.get(name)) if store.has(name) else None


def _row(where: str, found: Certificate, keeper: Keeper | None, now: float, days: float) -> CertificateRow:
    return CertificateRow(
        node=where,
        path=found.path,
        subject=found.subject,
        issuer=found.issuer,
        begins=found.begins,
        ends=found.ends,
        expires=found.last_day,
        days_left=found.days_left(now),
        authority=found.ca,
        signer=found.signer,
        state=_state(found, keeper, now, days),
        renewed_by=RENEWED_BY[keeper] if keeper else "",
        fault=found.fault,
    )


def _state(found: Certificate, keeper: Keeper | None, now: float, days: float) -> str:
    if found.fault:
        return "unreadable"
    if found.is_expired(now):
        return "expired"
    return "due" if is_due(found, keeper, now, days) else "valid"


def _faults(nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        if node.facts is None:
            yield f"{node.name}: {node.absence}"
        elif isinstance(node.facts.facts.certificates, Unknown):
            yield f"{node.name}: {node.facts.facts.certificates.unknown}"
