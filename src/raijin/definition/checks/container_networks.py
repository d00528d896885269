"""The container network: settings of the chosen one only, that fit together and to the rest of the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from raijin.definition.checks.base import Documents, Finding, Read
from raijin.definition.checks.groups import has_one_door
from raijin.definition.problems import remedy_for, shown
from raijin.model.base import listed
from raijin.model.cidr import IpNetwork
from raijin.model.cluster import Cluster, ClusterType
from raijin.model.cni import Calico, Cilium, CniName, Dataplane, Encapsulation, Routing
from raijin.model.network import ClusterNetwork

_AT = ("network", "cni")
_OWNERS = {
    "flannel": (CniName.FLANNEL, CniName.CANAL),
    "calico": (CniName.CALICO,),
    "cilium": (CniName.CILIUM,),
}
# Documentation/backends.md of flannel v0.28; its ipsec backend wants a key in plain text, so it is not among them.
FLANNEL_BACKENDS = ("vxlan", "host-gw", "wireguard", "ipip", "udp")
_IPV4_ONLY = ("ipip", "udp")
_ENCAPSULATING = ("vxlan", "ipip")
_WITH_PORT = ("vxlan", "wireguard", "udp")
_WITH_MTU = ("vxlan", "wireguard")
LONGEST_CILIUM_NAME = 32


def container_networks(documents: Documents) -> Iterator[Finding]:
    for cluster in documents.clusters:
        yield from _foreign(cluster)
        yield from _families(cluster)
        if cluster.model.network.cni.replaces_kube_proxy:
            yield from _without_kube_proxy(cluster)
        match cluster.model.network.cni.name:
            case CniName.FLANNEL | CniName.CANAL:
                yield from _flannel(cluster)
            case CniName.CALICO:
                yield from _calico(cluster, cluster.model.network.cni.calico)
            case CniName.CILIUM:
                yield from _cilium(cluster, cluster.model.network.cni.cilium)


def _foreign(cluster: Read[Cluster]) -> Iterator[Finding]:
    cni = cluster.model.network.cni
    for field, owners in _OWNERS.items():
        if field in cni.model_fields_set and cni.name not in owners:
            message = f"are settings of {listed(owners)}, and the container network is {cni.name}"
            yield Finding(cluster.tree, (*_AT, field), message, f"take them out, or set `name: {owners[0]}`")
    instead = {CniName.CALICO: "calico.encapsulation", CniName.CILIUM: "cilium.routing"}.get(cni.name)
    if cni.backend is not None and instead is not None:
        message = f"is a word of flannel, and the container network is {cni.name}"
        yield Finding(cluster.tree, (*_AT, "backend"), message, f"use network.cni.{instead}", shown(cni.backend))


def _families(cluster: Read[Cluster]) -> Iterator[Finding]:
    """Every family that services have is one that pods have, and the first is the first of both."""
    network = cluster.model.network
    pods, services = _versions(network.pod_networks), _versions(network.service_networks)
    at, value = ("network", "serviceCidr"), shown(network.service_cidr)
    for version in services:
        if version not in pods:
            message = f"has an IPv{version} network, and podCidr has none"
            yield Finding(cluster.tree, at, message, "give both networks the same IP versions", value)
    if services[0] != pods[0] and services[0] in pods:
        message = f"names IPv{services[0]} first, and podCidr IPv{pods[0]}"
        yield Finding(cluster.tree, at, message, "put them in the same order: the first is the main one", value)


def _versions(networks: tuple[IpNetwork, ...]) -> list[int]:
    return [network.version for network in networks]


def has_ipv6(network: ClusterNetwork) -> bool:
    return 6 in _versions(network.pod_networks)


def _without_kube_proxy(cluster: Read[Cluster]) -> Iterator[Finding]:
    cni, kubeadm = cluster.model.network.cni, cluster.model.kubernetes.kubeadm
    calico = cni.name is CniName.CALICO
    field = ("calico", "dataplane") if calico else ("cilium", "kubeProxyReplacement")
    if kubeadm.kube_proxy_configuration:
        keep = "choose another calico.dataplane" if calico else "set cilium.kubeProxyReplacement: false"
        message = f"configures kube-proxy, whose work is done by {cni.name}"
        at = ("kubernetes", "kubeadm", "kubeProxyConfiguration")
        yield Finding(cluster.tree, at, message, f"take it out, or {keep}")
    if cluster.model.control_plane_size > 1 and not has_one_door(cluster):
        message = "needs one address of all API servers, because no kube-proxy leads to them"
        yield Finding(cluster.tree, (*_AT, *field), message, "give network.virtualIp or network.controlPlaneEndpoint")


def _flannel(cluster: Read[Cluster]) -> Iterator[Finding]:
    network = cluster.model.network
    cni, settings = network.cni, network.cni.flannel
    at, backend = (*_AT, "flannel"), cni.backend or "vxlan"
    if cluster.model.type is not ClusterType.VANILLA:
        return  # a distribution that brings flannel along has words of its own
    if backend not in FLANNEL_BACKENDS:
        remedy = remedy_for(backend, FLANNEL_BACKENDS, f"use {listed(FLANNEL_BACKENDS)}")
        yield Finding(cluster.tree, (*_AT, "backend"), "is no backend of flannel", remedy, shown(backend))
        return
    if backend in _IPV4_ONLY and has_ipv6(network):
        message = "carries IPv4 only, and podCidr has an IPv6 network"
        yield Finding(cluster.tree, (*_AT, "backend"), message, "use vxlan, host-gw or wireguard", shown(backend))
    if settings.direct_routing and backend not in _ENCAPSULATING:
        message = f"is for {listed(_ENCAPSULATING)}, and the backend is {backend}"
        yield Finding(cluster.tree, (*at, "directRouting"), message, "take it out")
    for field, value, users in (("port", settings.port, _WITH_PORT), ("mtu", settings.mtu, _WITH_MTU)):
        if value is not None and backend not in users:
            message = f"is not used by the backend {backend}"
            yield Finding(cluster.tree, (*at, field), message, "take it out", str(value))
    if settings.nftables and cni.name is CniName.CANAL:
        message = "is not done by CANAL, whose policies are in iptables"
        yield Finding(cluster.tree, (*at, "nftables"), message, "take it out, or use FLANNEL or CALICO")


def _calico(cluster: Read[Cluster], calico: Calico) -> Iterator[Finding]:
    at, way = (*_AT, "calico"), calico.encapsulation
    if way is Encapsulation.IPIP and has_ipv6(cluster.model.network):
        message = "carries IPv4 only, and podCidr has an IPv6 network"
        yield Finding(cluster.tree, (*at, "encapsulation"), message, "use VXLAN or BGP", "IPIP")
    if way is Encapsulation.BGP and calico.cross_subnet:
        message = "is about encapsulation, and with BGP there is none"
        yield Finding(cluster.tree, (*at, "crossSubnet"), message, "take it out, or use VXLAN or IPIP")
    if way is Encapsulation.VXLAN and "bgp" in calico.model_fields_set:
        message = "is not spoken with VXLAN"
        yield Finding(cluster.tree, (*at, "bgp"), message, "take it out, or use `encapsulation: BGP` or IPIP")
    if way is not Encapsulation.VXLAN and not calico.bgp.node_mesh and not calico.bgp.peers:
        message = "is off, and there are no peers: no node would know the way to another"
        yield Finding(cluster.tree, (*at, "bgp", "nodeMesh"), message, "leave it on, or name the routers in `peers`")
    mode = cluster.model.kubernetes.kubeadm.kube_proxy_configuration.get("mode")
    vanilla = cluster.model.type is ClusterType.VANILLA
    if calico.dataplane is Dataplane.NFTABLES and vanilla and mode != "nftables":
        message = "works beside kube-proxy in nftables mode only"
        remedy = "set kubernetes.kubeadm.kubeProxyConfiguration to {mode: nftables}"
        yield Finding(cluster.tree, (*at, "dataplane"), message, remedy, "NFTABLES")


def _cilium(cluster: Read[Cluster], cilium: Cilium) -> Iterator[Finding]:
    at = (*_AT, "cilium")
    if cilium.routing is Routing.NATIVE and "tunnel" in cilium.model_fields_set:
        message = "is not used with routing NATIVE"
        yield Finding(cluster.tree, (*at, "tunnel"), message, "take it out, or use `routing: TUNNEL`")
    if cilium.hubble.relay and not cilium.hubble.enabled:
        message = "has nothing to show while hubble.enabled is false"
        yield Finding(cluster.tree, (*at, "hubble", "relay"), message, "make them equal")
    name = cluster.model.name
    if len(name) > LONGEST_CILIUM_NAME:
        message = f"is longer than the {LONGEST_CILIUM_NAME} letters that Cilium takes for a cluster's name"
        yield Finding(cluster.tree, ("name",), message, "shorten it, or use another container network", shown(name))
