"""What a look asks hosts for. Law: nobody is asked for what no check needs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.validation.test_checks import SUBJECT

from raijin.facts.etcd import EtcdState
from raijin.transport.pool import Pool
from raijin.validation import look as module
from raijin.validation.checks import chosen, parts_of
from raijin.validation.look import look


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hosts that were asked for their facts."""
    hosts: list[str] = []

    async def facts(pool, subject, names) -> dict[str, str]:
        del pool, subject
        hosts.extend(names)
        return dict.fromkeys(names, "no route to host")

    monkeypatch.setattr(module, "_hosts", facts)
    return hosts


async def seen_by(monkeypatch: pytest.MonkeyPatch, names: list[str], state: EtcdState | None, subject=SUBJECT):
    async def told(*_) -> EtcdState | None:
        return state

    monkeypatch.setattr(module, "_etcd", told)
    return await look(Pool({}), subject, parts_of(chosen(names)))


async def test_who_asks_for_etcd_alone_asks_no_host_for_its_facts(asked, monkeypatch: pytest.MonkeyPatch) -> None:
    await seen_by(monkeypatch, ["etcd-health"], EtcdState(()))
    assert asked == []


async def test_where_no_etcd_tells_the_control_planes_say_whether_there_is_one(
    asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A K3s in SQLite has none; workers know nothing of it."""
    seen = await seen_by(monkeypatch, ["etcd-health"], None)
    assert asked == ["n1", "n2", "n3"]
    assert set(seen.hosts) == {"n1", "n2", "n3"}
    asked.clear()
    await seen_by(monkeypatch, ["etcd-health"], None, replace(SUBJECT, etcd=None))
    assert asked == []


async def test_hosts_that_were_asked_are_not_asked_again(asked, monkeypatch: pytest.MonkeyPatch) -> None:
    await seen_by(monkeypatch, ["etcd-health", "host-health"], None)
    assert sorted(asked) == ["n1", "n2", "n3", "w1"]
