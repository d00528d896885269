"""RAIJIN_* variables override the definition."""

from __future__ import annotations

import io

import pytest

from raijin.definition import environment as environment_module
from raijin.definition.environment import Overrides
from raijin.definition.load import Definition, load
from raijin.errors import DefinitionError

TEXT = """\
kind: Site
hosts:
  - {name: n1, address: 192.0.2.11, power: {method: redfish, address: 198.51.100.11, user: admin}}
  - {name: w1, address: 192.0.2.21, ssh: {user: root}, labels: {zone: host}}
nas: [{type: truenas, ip: 192.0.2.200, user: me}]
wanLinks: [{interface: wan0, weight: 5}]
---
name: prod
type: VANILLA
version: v1.34.2
nodeGroups:
  - {name: cp, role: CONTROL_PLANE, hosts: [n1]}
  - {name: workers, role: WORKER, hosts: [w1]}
"""


def _load(text: str = TEXT, **variables: str) -> Definition:
    return load(io.StringIO(text), {f"RAIJIN_{name}": value for name, value in variables.items()})


def test_workers_are_reached_and_labelled_as_the_variables_say() -> None:
    definition = _load(
        WORKER_SSH_USER="raijin", WORKER_SSH_KEY="/k", WORKER_ROLES="worker, storage", WORKER_LABELS="zone=env,disk=ssd"
    )
    n1, w1 = definition.hosts_of(definition.cluster())
    assert (w1.host.ssh.user, str(w1.host.ssh.key)) == ("raijin", "/k")
    assert definition.host("w1").ssh.user == "raijin"
    assert n1.host.ssh.user == "root"
    assert n1.labels == {}
    assert w1.labels == {
        "zone": "env",
        "disk": "ssd",
        "node-role.kubernetes.io/worker": "",
        "node-role.kubernetes.io/storage": "",
    }


def test_nas_and_storage_class() -> None:
    site = _load(NAS_TYPE="synology", NAS_PASSWORD="hunter2", NAS_SHARE="/v", STORAGE_CLASS_DEFAULT="nas-ssd").site()
    assert (str(site.nas[0].type), site.nas[0].ip, site.nas[0].share, site.nas[0].user) == (
        "synology", "192.0.2.200", "/v", "me",
    )  # fmt: skip
    assert str(site.nas[0].password) == "***"
    assert site.storage_class_default == "nas-ssd"
    assert _load("kind: Site", NAS_IP="192.0.2.201").site().nas[0].ip == "192.0.2.201"


def test_internet_links() -> None:
    site = _load(
        WAN_PRIMARY="eth0", WAN_SECONDARY="eth1", WAN_BALANCE="weighted", WAN_WEIGHTS="70,30",
        WAN_FAILOVER_CHECK="198.51.100.1", WAN_FAILOVER_TIMEOUT="5",
    ).site()  # fmt: skip
    assert [(link.interface, link.weight, link.check) for link in site.wan_links] == [
        ("eth0", 70, "198.51.100.1"),
        ("eth1", 30, "198.51.100.1"),
    ]
    assert {link.check_timeout.total_seconds() for link in site.wan_links} == {5}
    assert str(site.wan_balance) == "weighted"


def test_idrac_of_the_host_whose_address_it_is() -> None:
    definition = _load(
        IDRAC_IP="198.51.100.11", IDRAC_USER="root", IDRAC_PASSWORD="env:PW", IDRAC_ALERTS="true",
        IDRAC_WEBHOOK="https://alerts.example.org/webhook",
    )  # fmt: skip
    power = definition.host("n1").power
    assert power is not None
    assert (power.user, str(power.password), power.alerts, power.webhook) == (
        "root", "env:PW", True, "https://alerts.example.org/webhook",
    )  # fmt: skip
    assert definition.host("w1").power is None


def test_idrac_of_the_only_host() -> None:
    power = _load("kind: Site\nhosts: [{name: n1}]", IDRAC_IP="198.51.100.11").host("n1").power
    assert power is not None
    assert (str(power.method), power.address) == ("REDFISH", "198.51.100.11")


def test_idrac_of_the_site() -> None:
    power = _load(IDRAC_USER="root").host("w1").power
    assert power is not None
    assert (str(power.method), power.user) == ("REDFISH", "root")


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        (
            {"WAN_WEIGHTS": "70,much"},
            'RAIJIN_WAN_WEIGHTS: must be a whole number (got "much")',
        ),
        (
            {"WORKER_LABELS": "zone"},
            'RAIJIN_WORKER_LABELS: is not a list of labels (got "zone"); write it as in zone=rack-1,disk=ssd',
        ),
        (
            {"NAS_TYPE": "synolgy", "NAS_IP": "192.0.2.1"},
            'RAIJIN_NAS_TYPE: is not one of the choices (got "synolgy"); did you mean synology?',
        ),
        ({"NAS_PASSWORD": "***", "NAS_IP": "192.0.2.1"}, None),
        (
            {"IDRAC_IP": "198.51.100.99"},
            (
                'RAIJIN_IDRAC_IP: is the power address of no host (got "198.51.100.99"); '
                "write it as power.address of the host that it belongs to"
            ),
        ),
    ],
)
def test_wrong_variables(variables: dict[str, str], problem: str | None) -> None:
    with pytest.raises(DefinitionError) as caught:
        _load(**variables)
    assert "***" not in str(caught.value)
    if problem:
        assert [str(item) for item in caught.value.problems] == [problem]


def test_a_nas_needs_an_address() -> None:
    with pytest.raises(DefinitionError) as caught:
        _load("kind: Site", NAS_USER="me")
    assert [str(item) for item in caught.value.problems] == [
        "RAIJIN_NAS_IP: is missing; set it beside the other RAIJIN_NAS_ variables"
    ]


def test_a_misspelt_variable_is_a_warning() -> None:
    assert [str(item) for item in _load(WORKER_SSH_USR="x", SERVER="other", NAS_IP="").warnings] == [
        "RAIJIN_WORKER_SSH_USR: is not a variable that Raijin reads; did you mean RAIJIN_WORKER_SSH_USER?"
    ]


def test_every_variable_is_in_the_table() -> None:
    table = environment_module.__doc__ or ""
    for field in Overrides.model_fields.values():
        assert f"_{str(field.alias).split('_', 2)[-1]}" in table, field.alias
