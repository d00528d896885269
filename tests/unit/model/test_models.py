"""Laws that hold for every model."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from pydantic import ValidationError

import raijin.model
from raijin.model.base import Model, overlay
from raijin.model.cluster import Cluster
from raijin.model.host import Host, Ssh


def _models() -> list[type[Model]]:
    for module in pkgutil.iter_modules(raijin.model.__path__):
        importlib.import_module(f"raijin.model.{module.name}")
    found: list[type[Model]] = []
    waiting = list(Model.__subclasses__())
    while waiting:
        model = waiting.pop()
        if model.__module__.startswith("raijin.model."):
            found.append(model)
        waiting += model.__subclasses__()
    return sorted(found, key=lambda model: model.__name__)


@pytest.mark.parametrize("model", _models(), ids=lambda model: model.__name__)
def test_every_field_is_described(model: type[Model]) -> None:
    assert model.__doc__
    undescribed = [name for name, field in model.model_fields.items() if not field.description]
    assert undescribed == []
    assert [f.description for f in model.model_fields.values() if f.description and f.description[-1] not in ".?"] == []


@pytest.mark.parametrize("model", _models(), ids=lambda model: model.__name__)
def test_a_bare_default_is_what_a_validator_would_have_made(model: type[Model]) -> None:
    for name, field in model.model_fields.items():
        if isinstance(field.default, Model):
            assert field.default == type(field.default)(), name
            assert field.default.model_fields_set == set()


def test_keys_are_camel_case_only() -> None:
    assert Ssh.model_validate({"knownHosts": "/k"}).model_dump(exclude_unset=True)["knownHosts"]
    with pytest.raises(ValidationError):
        Ssh.model_validate({"known_hosts": "/k"})


def test_models_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Host(name="n1").name = "n2"  # type: ignore[misc]


def test_a_host_without_address_has_its_name() -> None:
    assert Host(name="n1").address == "n1"


def test_overlay_takes_what_was_given_on_purpose() -> None:
    base = Ssh.model_validate({"user": "raijin", "port": 2222})
    over = Ssh.model_validate({"port": 22})
    assert overlay(base, over) == Ssh.model_validate({"user": "raijin", "port": 22})
    assert overlay(base, Ssh()) is base


def test_a_cluster_knows_its_version_in_parts() -> None:
    body = {"name": "c", "type": "kubeadm", "version": "1.34.2"}
    cluster = Cluster.model_validate(body | {"nodeGroups": [{"name": "cp", "role": "control-plane", "count": 3}]})
    assert str(cluster.kubernetes_version) == "v1.34.2"
    assert cluster.control_plane_size == 3
    assert cluster.model_fields_set == {"name", "type", "version", "node_groups"}


def test_the_container_network_of_a_distribution_keeps_what_was_said_of_it() -> None:
    groups = [{"name": "cp", "role": "CONTROL_PLANE", "count": 1}]
    document = {"name": "c", "type": "RKE2", "version": "v1.34.1+rke2r1", "nodeGroups": groups}
    said = {"version": "v3.30.0", "flannel": {"mtu": 1400}}
    cluster = Cluster.model_validate({**document, "network": {"cni": said}})
    assert cluster.network.cni.name == "CANAL"
    assert (cluster.network.cni.version, cluster.network.cni.flannel.mtu) == ("v3.30.0", 1400)


@pytest.mark.parametrize(
    ("cni", "replaced"),
    [
        ({}, False),
        ({"name": "CALICO"}, False),
        ({"name": "CALICO", "calico": {"dataplane": "bpf"}}, True),
        ({"name": "CANAL", "calico": {"dataplane": "EBPF"}}, False),
        ({"name": "CILIUM"}, True),
        ({"name": "CILIUM", "cilium": {"kubeProxyReplacement": False}}, False),
    ],
)
def test_who_stands_in_for_kube_proxy(cni: dict[str, object], replaced: bool) -> None:
    from raijin.model.cni import Cni

    assert Cni.model_validate(cni).replaces_kube_proxy is replaced
