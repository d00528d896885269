"""Encryption at rest: at each moment every API server can read what any other one writes, and no key is lost."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import yaml
from tests.plans.reading import before, step
from tests.plans.test_upgrade import OLD, text

from raijin.lifecycle.preflight import preflight
from raijin.operations.template import Template
from raijin.plan.model import Plan
from raijin.platforms.encrypted import NO_KEYS, PLAIN, Written, configuration, read_configuration
from raijin.platforms.kubeadm.paths import ENCRYPTION_FILE

PLANES = ("n1", "n2", "n3")


def settings(encryption: str = "", more: str = "", planes: int = 3) -> str:
    encrypted = f"encryption: {{{encryption}}}, " if encryption else ""
    return text(OLD, planes=planes, workers=1) + f"kubernetes: {{{encrypted}{more}tokenTtlMinutes: 30}}\n"


@pytest.fixture
def plain(world):
    fresh = world("minimal").defined(settings())
    return fresh.carry_out(fresh.plan())


@pytest.fixture
def encrypted(plain):
    on = plain.defined(settings("key: first"))
    return on.carry_out(on.plan())


def ways(plan: Plan, stage: str, host: str, resource: str = "secrets") -> list[str]:
    """The ways to read a resource, in the order of the file that a step writes; the first is written with."""
    (file,) = (o for o in step(plan, stage, host).action.operations if isinstance(o, Template))
    (entry,) = (e for e in yaml.safe_load(file.template)["resources"] if e["resources"] == [resource])
    return [about["keys"][0]["name"] if about else "identity" for item in entry["providers"] for about in item.values()]


def readable(world) -> list[set[str]]:
    """What each control plane host can read of secrets, as its file says now."""
    texts = [world.machine(name).values[ENCRYPTION_FILE] for name in PLANES]
    return [{str(p) for e in yaml.safe_load(t)["resources"] for p in e["providers"]} for t in texts]


def test_a_new_cluster_is_encrypted_from_its_first_write(world) -> None:
    fresh = world("minimal").defined(settings("key: first"))
    plan = fresh.plan()
    assert before(plan, ("keys", "up"), ("start", "n1"))
    for stage, host in (("start", "n1"), ("join", "n2"), ("join", "n3")):
        assert ways(plan, stage, host) == ["first", "identity"]
    assert not {"encrypt", "rewrite"} & {s.stage for s in plan.steps}
    after = fresh.carry_out(plan)
    assert after.keys.written == Written("first", "secretbox", ("secrets",))
    assert after.plan().empty


def test_a_running_cluster_learns_to_read_before_anybody_writes(plain) -> None:
    on = plain.defined(settings("key: first"))
    plan = on.plan()
    for host in PLANES:
        assert ways(plan, "configure", host) == ["identity", "first"]
        assert ways(plan, "encrypt", host) == ["first", "identity"]
        for other in PLANES:
            assert before(plan, ("follow", other), ("encrypt", host)), "all can read before one writes"
        assert before(plan, ("encrypt", host), ("rewrite", "n1"))
    for earlier, later in (("n1", "n2"), ("n2", "n3")):
        assert before(plan, ("encrypted", earlier), ("encrypt", later)), "one API server at a time"
    assert "unlearn" not in {s.stage for s in plan.steps}
    assert on.carry_out(plan).plan().empty


def test_another_key(encrypted) -> None:
    turned = encrypted.defined(settings("key: second"))
    plan = turned.plan()
    assert ways(plan, "configure", "n2") == ["first", "second", "identity"]
    assert ways(plan, "encrypt", "n2") == ["second", "first", "identity"]
    assert ways(plan, "unlearn", "n2") == ["second", "identity"]
    assert before(plan, ("rewritten", "up"), ("unlearn", "n1")), "the old key goes when nothing is written with it"
    assert turned.carry_out(plan).plan().empty


@pytest.mark.parametrize("stage", ["keys", "configure", "encrypt", "rewrite", "rewritten", "unlearn"])
def test_a_turn_that_is_broken_off_anywhere_goes_on_and_nothing_is_unreadable(encrypted, stage: str) -> None:
    """After every step each host reads what is written, with the old key or the new one; a new plan ends the turn."""
    turned = encrypted.defined(settings("key: second"))
    plan = turned.plan()
    last = next(index for index, s in enumerate(plan.steps) if s.stage == stage)
    for done in plan.steps[: last + 1]:
        turned.do(done, plan.cluster)
        writers = [
            yaml.safe_load(turned.machine(n).values[ENCRYPTION_FILE])["resources"][0]["providers"][0] for n in PLANES
        ]
        assert all(str(way) in ways for way in writers for ways in readable(turned))
    again = copy.deepcopy(turned)
    second = again.plan()
    for done in second.steps:
        again.do(done, second.cluster)
        writers = [
            yaml.safe_load(again.machine(n).values[ENCRYPTION_FILE])["resources"][0]["providers"][0] for n in PLANES
        ]
        assert all(str(way) in ways for way in writers for ways in readable(again))
    assert again.plan().empty


@pytest.mark.parametrize("stage", ["configure", "encrypt", "rewrite"])
@pytest.mark.parametrize("then", ["key: third", "key: first", ""])
def test_another_wish_in_the_middle_of_a_turn_loses_no_key(encrypted, stage: str, then: str) -> None:
    """Some data is written with the second key by now: it can be read until everything is written in the third way."""
    turned = encrypted.defined(settings("key: second, resources: [secrets, configmaps]"))
    plan = turned.plan()
    last = next(index for index, s in enumerate(plan.steps) if s.stage == stage)
    for done in plan.steps[: last + 1]:
        turned.do(done, plan.cluster)
    other = turned.defined(settings(then))
    plan = other.plan()
    for s in plan.steps:
        if s.stage in {"configure", "encrypt"}:
            for resource in ("secrets", "configmaps"):
                assert "second" in ways(plan, s.stage, s.target, resource)
            assert "first" in ways(plan, s.stage, s.target)
    assert before(plan, ("rewrite", "n1"), ("rewritten", "up"))
    assert other.carry_out(plan).plan().empty


def test_more_resources(encrypted) -> None:
    turned = encrypted.defined(settings("key: first, resources: [secrets, configmaps]"))
    plan = turned.plan()
    assert ways(plan, "configure", "n1", "configmaps") == ["identity", "first"]
    assert ways(plan, "configure", "n1") == ["first", "identity"]
    assert ways(plan, "encrypt", "n1", "configmaps") == ["first", "identity"]
    assert turned.carry_out(plan).plan().empty


def test_switched_off(encrypted) -> None:
    """Everything is written plain again; the API servers keep reading their file, so that nothing is unreadable."""
    off = encrypted.defined(settings())
    plan = off.plan()
    assert ways(plan, "encrypt", "n1") == ["identity", "first"]
    assert ways(plan, "unlearn", "n1") == ["identity"]
    after = off.carry_out(plan)
    assert after.plan().empty
    on = after.defined(settings("key: first"))
    assert on.carry_out(on.plan()).plan().empty


def test_a_control_plane_that_joins_in_between_reads_both(encrypted) -> None:
    four = encrypted.defined(settings("key: second", planes=5))
    plan = four.plan()
    assert ways(plan, "join", "n4") == ["first", "second", "identity"]
    after = four.carry_out(plan)
    assert not [s for s in after.plan().steps if s.stage in {"encrypt", "rewrite"} and s.target in PLANES]


def test_everything_is_written_anew_however_often_it_was_before(encrypted) -> None:
    """The program does its work whenever it is asked to: the trace by which it is seen to have ended does not stay."""
    turned = encrypted.defined(settings("key: second"))
    first, again, last = step(turned.plan(), "rewrite", "n1").action.operations
    assert first.path == again.creates == last.path


def test_keys_that_nobody_here_has_are_not_replaced(encrypted) -> None:
    lost = copy.deepcopy(encrypted)
    lost.keys = NO_KEYS
    assert any("keys that this RAIJIN_HOME does not have" in reason for reason in preflight(lost.context()))
    assert not any("RAIJIN_HOME does not have" in reason for reason in preflight(encrypted.context()))
    lost.keys = replace(encrypted.keys, names=frozenset({"another"}))
    assert any("keys that this RAIJIN_HOME does not have" in reason for reason in preflight(lost.context()))


def test_the_keys_go_with_the_cluster(encrypted) -> None:
    plan = encrypted.plan("destroy")
    forgotten = {name for s in plan.steps if s.stage == "forget" for name in s.action.arguments["secrets"]}
    assert {"cluster/up/encryption/key/first", "cluster/up/encryption/state"} <= forgotten


def test_a_configuration_is_read_as_it_was_written() -> None:
    old, new = Written("first", "secretbox", ("secrets",)), Written("second", "aesgcm", ("configmaps", "secrets"))
    template, values = configuration("lab", old, new)
    filled = template.replace("{{ key_first }}", "QQ==").replace("{{ key_second }}", "Qg==")
    assert set(values) == {"key_first", "key_second"}
    assert read_configuration(filled) == ({"first": "QQ==", "second": "Qg=="}, (old, new))
    still, _ = configuration("lab", old)
    assert read_configuration(still)[1] == (old,), "that it can also be read plain says nothing"
    assert read_configuration(configuration("lab", PLAIN, old)[0])[1] == (PLAIN, old)
    with pytest.raises(ValueError, match="no EncryptionConfiguration"):
        read_configuration("kind: Pod")


def test_the_audit_log(plain) -> None:
    audited = plain.defined(settings(more="audit: {maxFiles: 3}, "))
    plan = audited.plan()
    assert {s.target for s in plan.steps if s.stage == "configure"} == set(PLANES)
    (policy,) = (
        o
        for o in step(plan, "configure", "n2").action.operations
        if getattr(o, "path", "").endswith("audit-policy.yaml")
    )
    assert yaml.safe_load(policy.content)["rules"] == [{"level": "Metadata", "omitStages": ["RequestReceived"]}]
    assert "audit-log-maxbackup" in "".join(
        str(o.content) for o in step(plan, "configure", "n2").action.operations if o.kind == "file"
    )
    assert audited.carry_out(plan).plan().empty
