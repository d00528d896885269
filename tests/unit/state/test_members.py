"""Who belongs to which cluster, in the order of joining; quarantine outlives what is remembered again."""

from __future__ import annotations

import itertools
import time

import pytest

from raijin.state.member import Member
from raijin.state.members import Members


@pytest.fixture
def members(database, monkeypatch: pytest.MonkeyPatch) -> Members:
    ticks = itertools.count(1.0)
    monkeypatch.setattr(time, "time", lambda: next(ticks))
    return Members(database)


def test_members_of_a_cluster_in_the_order_of_joining(members: Members) -> None:
    for name in ("gamma", "alpha", "beta"):
        members.remember("lab", Member(name, "WORKER", {"address": f"192.0.2.{len(name)}", "ssh": {"port": 22}}))
    members.remember("other", Member("alpha", "CONTROL_PLANE", {}))
    assert list(members.of("lab")) == ["gamma", "alpha", "beta"]
    assert members.of("lab")["beta"] == Member("beta", "WORKER", {"address": "192.0.2.4", "ssh": {"port": 22}})
    assert members.of("nothing") == {}


def test_remembering_again_renews_the_address_and_keeps_the_quarantine(members: Members) -> None:
    members.remember("lab", Member("alpha", "WORKER", {"address": "192.0.2.1"}))
    members.quarantine("lab", "alpha", "its disk is full")
    members.remember("lab", Member("alpha", "STORAGE", {"address": "192.0.2.9"}))
    assert members.of("lab")["alpha"] == Member("alpha", "STORAGE", {"address": "192.0.2.9"}, "its disk is full")
    members.quarantine("lab", "alpha", None)
    assert members.of("lab")["alpha"].quarantine is None


def test_forgetting_takes_one_host_of_one_cluster(members: Members) -> None:
    for cluster in ("lab", "other"):
        members.remember(cluster, Member("alpha", "WORKER", {}))
    members.forget("lab", "alpha")
    members.forget("lab", "never-there")
    assert (members.of("lab"), list(members.of("other"))) == ({}, ["alpha"])
