"""Cilium: its flags from the definition, and what of its documents depends on the cluster."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.unit.network.conftest import DUAL, cluster, network_of, wanted

from raijin.network.cilium.configuration import configuration


def flags(cilium: dict[str, Any] | None = None, **network: Any) -> dict[str, str]:
    one = cluster({**network, "cni": {"name": "CILIUM", "cilium": cilium or {}, **network.pop("cni", {})}})
    return configuration(wanted(one))


def test_a_tunnel_or_routes() -> None:
    tunnel = flags({"tunnel": "GENEVE"})
    assert (tunnel["routing-mode"], tunnel["tunnel-protocol"]) == ("tunnel", "geneve")
    native = flags({"routing": "NATIVE"}, **DUAL)
    assert native["routing-mode"] == "native"
    assert native["ipv4-native-routing-cidr"] == "10.244.0.0/16"
    assert native["ipv6-native-routing-cidr"] == "2001:db8:1::/48"
    assert "tunnel-protocol" not in native


@pytest.mark.parametrize(
    ("network", "four", "six"),
    [({}, "true", "false"), (DUAL, "true", "true"), ({"podCidr": "2001:db8:1::/48"}, "false", "true")],
)
def test_families(network: dict[str, Any], four: str, six: str) -> None:
    found = flags(**network)
    assert (found["enable-ipv4"], found["enable-ipv6"]) == (four, six)
    assert found.get("k8s-require-ipv6-pod-cidr", "false") == six


def test_what_the_definition_adds_is_text_and_wins() -> None:
    one = cluster({"cni": {"name": "CILIUM", "configuration": {"debug": True, "bpf-lb-map-max": 131072}}})
    found = configuration(wanted(one))
    assert (found["debug"], found["bpf-lb-map-max"]) == ("true", "131072")


def test_what_is_no_single_value_is_refused() -> None:
    one = cluster({"cni": {"name": "CILIUM", "configuration": {"a": [1], "b": {"c": 1}, "d": "x"}}})
    assert [path for path, _ in network_of(one).refused(one)] == [
        "network.cni.configuration.a",
        "network.cni.configuration.b",
    ]


def by_name(documents: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(document["kind"], document["metadata"]["name"]): document for document in documents}


@pytest.mark.parametrize(("replaced", "told"), [(True, True), (False, False)])
def test_where_the_api_servers_are(documents: Any, replaced: bool, told: bool) -> None:
    """Without a kube-proxy, the address of the service `kubernetes` leads nowhere until Cilium runs."""
    found = by_name(documents({"cni": {"name": "CILIUM", "cilium": {"kubeProxyReplacement": replaced}}}))
    for kind, name in (("DaemonSet", "cilium"), ("Deployment", "cilium-operator")):
        pod = found[kind, name]["spec"]["template"]["spec"]
        for container in (*pod.get("initContainers", []), *pod["containers"]):
            names = {variable["name"] for variable in container.get("env", [])}
            if "K8S_NODE_NAME" in names:
                assert ({"KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"} <= names) is told, container["name"]


@pytest.mark.parametrize(("version", "field"), [("v1.29.15", False), ("v1.30.0", True)])
def test_apparmor_in_the_words_of_the_version(version: str, field: bool) -> None:
    one = cluster({"cni": {"name": "CILIUM", "cilium": {"kubeProxyReplacement": False}}}, version=version)
    template = by_name(network_of(one).documents(wanted(one)))["DaemonSet", "cilium"]["spec"]["template"]
    assert ("appArmorProfile" in template["spec"]["securityContext"]) is field
    notes = [note for note in template["metadata"]["annotations"] if "apparmor" in note]
    assert bool(notes) is not field


@pytest.mark.parametrize(("workers", "replicas", "going"), [(0, 1, "100%"), (2, 2, "50%")])
def test_as_many_operators_as_have_a_node(workers: int, replicas: int, going: str) -> None:
    groups = [{"name": "cp", "role": "CONTROL_PLANE", "hosts": ["n1"]}]
    if workers:
        groups.append({"name": "w", "role": "WORKER", "hosts": [f"w{n}" for n in range(workers)]})
    one = cluster({"cni": {"name": "CILIUM"}}, nodeGroups=groups)
    spec = by_name(network_of(one).documents(wanted(one)))["Deployment", "cilium-operator"]["spec"]
    assert spec["replicas"] == replicas
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == going


def test_the_relay_finds_the_agents_by_the_domain_of_the_cluster(documents: Any) -> None:
    relay = {"name": "CILIUM", "cilium": {"hubble": {"relay": True}}}
    found = by_name(documents({"dnsDomain": "prod.example.org", "cni": relay}))
    settings = yaml.safe_load(found["ConfigMap", "hubble-relay-config"]["data"]["config.yaml"])
    assert settings["peer-service"] == "hubble-peer.kube-system.svc.prod.example.org.:443"
    assert settings["disable-server-tls"] is True
    assert "tls-hubble-client-key-file" in settings


def test_certificates_only_for_a_relay() -> None:
    with_relay = cluster({"cni": {"name": "CILIUM", "cilium": {"hubble": {"relay": True}}}})
    names = [certificate.name for certificate in network_of(with_relay).certificates(with_relay)]
    assert names == ["*.prod.hubble-grpc.cilium.io", "*.hubble-relay.cilium.io"]
    without = cluster({"cni": {"name": "CILIUM"}})
    assert network_of(without).certificates(without) == ()
    assert "hubble-listen-address" not in configuration(wanted(without))


def test_ports_and_kernel() -> None:
    one = cluster({"cni": {"name": "CILIUM", "cilium": {"hubble": {"relay": True}}}})
    assert set(network_of(one).ports(wanted(one))) == {4240, 4244, 9234, 9879}
    assert network_of(one).least_kernel(one) == (5, 10)
