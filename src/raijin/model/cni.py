"""The container network of a cluster: which one, and the settings that each of them has."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from raijin.model.base import FreeDict, Model
from raijin.model.choice import Choice
from raijin.model.names import InterfaceName
from raijin.model.virtual_ip import BgpPeer

Mtu = Annotated[int, Field(ge=1280, le=9216)]
Port = Annotated[int, Field(ge=1, le=65535)]


class CniName(Choice):
    """The container network."""

    FLANNEL = "FLANNEL"
    CALICO = "CALICO"
    CANAL = "CANAL"
    CILIUM = "CILIUM"
    OVN_KUBERNETES = "OVN_KUBERNETES"
    NONE = "NONE"


class Encapsulation(Choice):
    """How packets travel from node to node. BGP: as they are, over routes that the nodes tell each other."""

    VXLAN = "VXLAN"
    IPIP = "IPIP"
    BGP = "BGP"


class Encryption(Choice):
    """What encrypts packets between nodes."""

    NONE = "NONE"
    WIREGUARD = "WIREGUARD"


class Dataplane(Choice):
    """What carries out policies and services. EBPF takes over from kube-proxy."""

    IPTABLES = "IPTABLES"
    NFTABLES = "NFTABLES"
    EBPF = "EBPF"

    @classmethod
    def aliases(cls) -> dict[str, str]:
        return {"BPF": "EBPF", "NFT": "NFTABLES"}


class Routing(Choice):
    """How packets travel from node to node. NATIVE: as they are; nodes of one network route to each other."""

    TUNNEL = "TUNNEL"
    NATIVE = "NATIVE"


class Tunnel(Choice):
    """The encapsulation of a tunnel."""

    VXLAN = "VXLAN"
    GENEVE = "GENEVE"


class Flannel(Model):
    """Settings of flannel, alone or within CANAL; how packets travel is `backend`."""

    nftables: bool = Field(
        default=False, description="Masquerade and forward with nftables instead of iptables (FLANNEL only)."
    )
    direct_routing: bool = Field(
        default=False, description="Encapsulate only between networks (backends vxlan and ipip)."
    )
    mtu: Mtu | None = Field(
        default=None,
        description="Largest packet between nodes, in bytes, with what is put around it; default: what the hosts' "
        "interface lets through (CANAL: 1500).",
    )
    port: Port | None = Field(
        default=None, description="UDP port between nodes. Default: 8472 for vxlan, 51820 for wireguard."
    )
    interface: InterfaceName | None = Field(
        default=None, description="Interface between nodes; default: that of the default route."
    )


class NodeBgp(Model):
    """The nodes as BGP speakers."""

    asn: int = Field(default=64512, ge=1, le=4294967295, description="Autonomous system of the nodes.")
    node_mesh: bool = Field(
        default=True, description="Every node tells every other its routes; without it, only routers are told."
    )
    peers: tuple[BgpPeer, ...] = Field(default=(), description="Routers that every node tells its routes.")


class Calico(Model):
    """Settings of Calico."""

    encapsulation: Encapsulation = Field(default=Encapsulation.VXLAN, description="How packets travel between nodes.")
    cross_subnet: bool = Field(
        default=False, description="Encapsulate only between networks; nodes of one network route to each other."
    )
    encryption: Encryption = Field(default=Encryption.NONE, description="How packets between nodes are encrypted.")
    dataplane: Dataplane = Field(default=Dataplane.IPTABLES, description="What carries out policies and services.")
    bgp: NodeBgp = Field(default=NodeBgp.bare(), description="The nodes as BGP speakers, with BGP and IPIP.")
    nat_outgoing: bool = Field(default=True, description="Packets that leave the cluster bear the node's address.")
    block_size: Annotated[int, Field(ge=20, le=32)] = Field(
        default=26, description="Prefix length of the pieces of the IPv4 pod network that nodes take (26: 64 pods)."
    )
    mtu: Mtu | None = Field(default=None, description="Largest packet of a pod, in bytes; default: found by Calico.")
    typha: Annotated[int, Field(ge=0, le=20)] = Field(
        default=0, description="Pods of Typha, which spares the API server on more than 50 nodes; 0: none."
    )


class Hubble(Model):
    """What Cilium shows of the traffic."""

    enabled: bool = Field(default=True, description="Each node keeps its last flows, for `hubble observe`.")
    relay: bool = Field(default=False, description="One service that shows the flows of all nodes.")


class Cilium(Model):
    """Settings of Cilium."""

    kube_proxy_replacement: bool = Field(default=True, description="Services by eBPF; there is no kube-proxy.")
    routing: Routing = Field(default=Routing.TUNNEL, description="How packets travel between nodes.")
    tunnel: Tunnel = Field(default=Tunnel.VXLAN, description="The encapsulation, with routing TUNNEL.")
    encryption: Encryption = Field(default=Encryption.NONE, description="How packets between nodes are encrypted.")
    l7_proxy: bool = Field(default=True, description="Policies on HTTP and DNS, by the Envoy in Cilium's image.")
    hubble: Hubble = Field(default=Hubble.bare(), description="What Cilium shows of the traffic.")
    cluster_id: Annotated[int, Field(ge=0, le=255)] = Field(
        default=0, description="Number of the cluster, unlike any other that it will be meshed with; 0: none."
    )
    mtu: Mtu | None = Field(default=None, description="Largest packet between nodes, in bytes; default: found.")


class Cni(Model):
    """The container network of a cluster."""

    name: CniName = Field(default=CniName.FLANNEL, description="Which one; default: that of the cluster type.")
    version: str | None = Field(
        default=None,
        description="Its version; default: the one that this Raijin was made with.",
        examples=["v0.28.9", "v3.32.1", "v1.20.2"],
    )
    backend: str | None = Field(
        default=None,
        description="How packets travel between nodes, for FLANNEL and CANAL, in flannel's own words: vxlan, host-gw, "
        "wireguard, ipip or udp.",
        examples=["vxlan"],
    )
    flannel: Flannel = Field(default=Flannel.bare(), description="Settings of FLANNEL and CANAL.")
    calico: Calico = Field(default=Calico.bare(), description="Settings of CALICO.")
    cilium: Cilium = Field(default=Cilium.bare(), description="Settings of CILIUM.")
    configuration: FreeDict = Field(
        default={},
        description="Further settings, handed on as they are: net-conf.json of flannel (FLANNEL, CANAL), "
        "FelixConfiguration of Calico, cilium-config of Cilium.",
    )

    @property
    def replaces_kube_proxy(self) -> bool:
        """Whether it serves the addresses of services itself, so that there is no kube-proxy."""
        if self.name is CniName.CALICO:
            return self.calico.dataplane is Dataplane.EBPF
        return self.name is CniName.CILIUM and self.cilium.kube_proxy_replacement
