"""Networks: those of a site, of a cluster, and of the machines of a node group."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from raijin.model.base import Model
from raijin.model.choice import Choice
from raijin.model.cidr import Cidr, DualStackCidr, IpNetwork, networks
from raijin.model.cni import Cni
from raijin.model.names import Endpoint, HostName, InterfaceName, IpAddress, MacAddress, Name
from raijin.model.virtual_ip import VirtualIp

Vlan = Annotated[int, Field(ge=1, le=4094)]


class Isolation(Choice):
    """How the machines of a cluster are kept apart from other machines."""

    NONE = "NONE"
    VLAN = "VLAN"
    BRIDGE = "BRIDGE"


class Interface(Model):
    """One network interface of a machine."""

    name: InterfaceName = Field(description="Name of the interface.", examples=["eth0"])
    mac: MacAddress | None = Field(default=None, description="MAC address, to tell the card by.")
    network: Name | None = Field(default=None, description="The site network that it is plugged into.")
    address: str | None = Field(default=None, description="Static address with prefix length, or dhcp.")
    gateway: IpAddress | None = Field(default=None, description="Default gateway through this interface.")
    vlan: Vlan | None = Field(default=None, description="VLAN tag.")
    bridge: InterfaceName | None = Field(default=None, description="The bridge it is put on (VMs).")
    mtu: Annotated[int, Field(ge=576, le=9216)] | None = Field(default=None, description="Largest packet, in bytes.")


class SiteNetwork(Model):
    """A network of the site: a segment with its addresses."""

    name: Name = Field(description="Name of the network.", examples=["machines"])
    cidr: Cidr = Field(description="The addresses of the network.", examples=["192.0.2.0/24"])
    vlan: Vlan | None = Field(default=None, description="VLAN tag, if the network is tagged.")
    gateway: IpAddress | None = Field(default=None, description="Default gateway.")
    dns: tuple[IpAddress, ...] = Field(default=(), description="DNS servers of the network.")
    ntp: tuple[str, ...] = Field(default=(), description="Time servers of the network.")
    domain: HostName | None = Field(default=None, description="DNS domain of the network.")
    dhcp_range: str | None = Field(
        default=None, description="Addresses that may be leased, first to last.", examples=["192.0.2.100-192.0.2.150"]
    )
    mtu: Annotated[int, Field(ge=576, le=9216)] | None = Field(default=None, description="Largest packet, in bytes.")


class NodeNetwork(Model):
    """The network of machines: of a whole cluster, or of one node group where it differs."""

    isolation: Isolation = Field(default=Isolation.NONE, description="How the machines are kept apart.")
    private_vlan: Vlan | None = Field(
        default=None, alias="privateVLAN", description="VLAN of the cluster's own traffic.", examples=[107]
    )
    public_access: bool = Field(default=False, description="Whether the machines are reached from outside.")
    interfaces: tuple[Interface, ...] = Field(default=(), description="Interfaces that each machine is given.")

    @property
    def of_machines(self) -> tuple[str, ...]:
        """What it asks of those who make machines, by the names of its fields."""
        asked = {
            "isolation": self.isolation is not Isolation.NONE,
            "privateVLAN": self.private_vlan is not None,
            "publicAccess": self.public_access,
            "interfaces": bool(self.interfaces),
        }
        return tuple(field for field, wanted in asked.items() if wanted)


def _domain(value: str) -> str:
    return value.rstrip(".")


class ClusterNetwork(NodeNetwork):
    """The network of a cluster."""

    pod_cidr: DualStackCidr = Field(
        default="10.244.0.0/16",
        description="Addresses of pods; an IPv4 and an IPv6 network may stand with a comma between them. "
        "Default for K3S and RKE2: 10.42.0.0/16; for OKD: 10.128.0.0/14.",
    )
    service_cidr: DualStackCidr = Field(
        default="10.96.0.0/12",
        description="Addresses of services. Default for K3S and RKE2: 10.43.0.0/16; for OKD: 172.30.0.0/16.",
    )
    node_cidr_mask_size: Annotated[int, Field(ge=16, le=28)] = Field(
        default=24, description="Prefix length of the IPv4 pod network that each node gets (24: 254 pod addresses)."
    )
    dns_domain: Annotated[HostName, AfterValidator(_domain)] = Field(
        default="cluster.local", description="DNS domain of services."
    )
    cni: Cni = Field(default=Cni.bare(), description="The container network.")
    control_plane_endpoint: Endpoint | None = Field(
        default=None,
        description="Name or address (with or without port) under which the API server is reached: "
        "a load balancer or a virtual IP. Default: the virtual IP, else the first control plane host.",
        examples=["api.example.org:6443"],
    )
    virtual_ip: VirtualIp | None = Field(
        default=None, description="An address for all API servers that Raijin sets up and keeps."
    )

    @property
    def pod_networks(self) -> tuple[IpNetwork, ...]:
        return networks(self.pod_cidr)

    @property
    def service_networks(self) -> tuple[IpNetwork, ...]:
        return networks(self.service_cidr)
