"""What the server does by itself, and does once."""

from __future__ import annotations

import time

import pytest
import yaml

from raijin.app import certificates
from raijin.app.certificates import CertificateListing, CertificateRow
from raijin.app.schedules import Schedules, wanted
from raijin.app.settings import ServerSettings
from raijin.errors import HostUnreachable, Unsupported
from raijin.facts.certificates import Certificate
from raijin.model.node_group import NodeRole
from raijin.platforms.renewal import Keeper
from raijin.state.members import Member, Members

DAY = 86400.0


def row(days: float, keeper: Keeper) -> CertificateRow:
    """A certificate of a year, of which so many days are left."""
    now = time.time()
    begins, ends = now + (days - 365) * DAY, now + days * DAY
    found = Certificate("/etc/kubernetes/pki/apiserver.crt", "CN=kube-apiserver", "CN=kubernetes", begins, ends)
    return certificates._row("n1", found, keeper, now, 90.0)


@pytest.mark.parametrize(
    ("rows", "verbs"),
    [
        ([row(200, Keeper.RAIJIN)], []),
        ([row(200, Keeper.RAIJIN), row(20, Keeper.RAIJIN)], ["renew"]),
        ([row(-1, Keeper.RAIJIN)], ["renew"]),
        ([row(20, Keeper.ITSELF), row(20, Keeper.AUTHORITY)], []),
    ],
    ids=["none due", "one due", "expired", "not ours"],
)
async def test_certificates_are_renewed_when_one_is_due_and_once_for_each_time(
    server, cluster, monkeypatch: pytest.MonkeyPatch, rows, verbs
) -> None:
    made(server, cluster)

    async def listing(session) -> CertificateListing:
        return CertificateListing(session.cluster.name, tuple(rows), ("n9: no answer",))

    asked = await renewed(server, monkeypatch, listing)
    assert asked == verbs


@pytest.mark.parametrize(
    "error", [Unsupported("no care"), HostUnreachable("no route", host="n1")], ids=["none", "dead"]
)
async def test_a_cluster_that_cannot_be_looked_at_is_left_alone(
    server, cluster, monkeypatch: pytest.MonkeyPatch, error
) -> None:
    made(server, cluster)

    async def listing(_) -> CertificateListing:
        raise error

    assert await renewed(server, monkeypatch, listing) == []


async def test_nobody_asks_the_hosts_of_a_cluster_that_was_never_made(
    server, cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put_file("lab", yaml.safe_dump({"kind": "Cluster", **cluster}))
    looked: list[str] = []

    async def listing(session) -> CertificateListing:
        looked.append(session.cluster.name)
        return CertificateListing("lab", (), ())

    assert await renewed(server, monkeypatch, listing) == []
    assert looked == []


def test_they_are_looked_at_every_night_unless_somebody_says_otherwise() -> None:
    assert "certificates" in wanted(ServerSettings())
    assert "certificates" not in wanted(ServerSettings.model_validate({"schedules": {"certificates": None}}))


def made(server, cluster) -> None:
    """As if it had been applied."""
    server.put_file("lab", yaml.safe_dump({"kind": "Cluster", **cluster}))
    Members(server.service.database).remember("lab", Member("n1", NodeRole.CONTROL_PLANE.value, {}))


async def renewed(server, monkeypatch: pytest.MonkeyPatch, listing) -> list[str]:
    """The verbs that are asked for when the time comes, and comes again as for a runner that has taken over."""
    monkeypatch.setattr(certificates, "listing", listing)
    asked: list[str] = []

    async def ask(cluster: str, verb: str, request) -> None:
        asked.append(verb)
        server.service.runs.ask(f"run-{len(asked)}", cluster=cluster, verb=verb, request=dict(request))

    monkeypatch.setattr(type(server.service), "ask_here", lambda _, *words: ask(*words))
    for _ in range(2):
        await Schedules(server.service).due("certificates", 1000.0)
    return asked
