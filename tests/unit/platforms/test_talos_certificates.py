"""The authorities of a Talos cluster, read from the configuration that its machines have."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from tests.plans.talos import talos_world
from tests.unit.facts.test_certificates import certificate

from raijin.errors import Unsupported
from raijin.facts.certificates import DAY, Certificate
from raijin.lifecycle import renew
from raijin.platforms import platform_of
from raijin.platforms.renewal import Keeper, certificates_of, require
from raijin.platforms.talos.certificates import PLACES, TalosCertificates, authorities_in


def encoded(subject: str) -> str:
    return base64.b64encode(certificate(subject=subject, issuer=subject, ca=True).encode()).decode()


def test_they_are_read_where_they_stand_and_no_key_is() -> None:
    key = base64.b64encode(b"-----BEGIN ED25519 PRIVATE KEY-----\nAAAA\n").decode()
    machine = {
        "machine": {"ca": {"crt": encoded("talos"), "key": key}},
        "cluster": {
            "ca": {"crt": encoded("kubernetes"), "key": key},
            "aggregatorCA": {"crt": encoded("front-proxy"), "key": key},
            "etcd": {"ca": {"crt": encoded("etcd"), "key": key}},
        },
    }
    found = authorities_in([{"kind": "HostnameConfig", "machine": {"ca": {"crt": encoded("other")}}}, machine])
    assert [(c.path, c.subject) for c in found] == list(
        zip(PLACES, ("talos", "kubernetes", "front-proxy", "etcd"), strict=True)
    )
    assert all(c.ca and not c.fault for c in found)
    public = {"ca": {"crt": encoded("talos"), "key": ""}}
    worker = {"machine": public, "cluster": public}
    assert [c.path for c in authorities_in([worker])] == ["machine.ca.crt", "cluster.ca.crt"]
    assert authorities_in([]) == ()


def seen(days: float):
    fresh = talos_world("talos")
    world = fresh.carry_out(fresh.plan())
    context = world.context()
    held = tuple(Certificate(path, ends=context.at + days * DAY, ca=True) for path in PLACES)

    def given(node):
        return replace(node, facts=replace(node.facts, facts=replace(node.facts.facts, certificates=held)))

    return replace(context, nodes=tuple(map(given, context.nodes)))


def test_nothing_is_renewed_from_outside() -> None:
    context = seen(3000)
    assert isinstance(certificates_of(context.cluster), TalosCertificates)
    assert list(renew.renew_certificates(context)) == []
    (reason,) = renew.reasons(context)
    assert "renew themselves" in reason
    with pytest.raises(Unsupported, match="renewed by Talos itself"):
        require(context.cluster).renew(context, context.first, ())


def test_an_authority_that_ends_is_told() -> None:
    context = seen(50)
    assert platform_of(context.cluster).type.value == "TALOS"
    assert {require(context.cluster).keeper(c) for c in context.first.facts.certificates} == {Keeper.AUTHORITY}
    assert len([note for note in renew.notes(context) if "50 days left" in note]) == len(PLACES)
