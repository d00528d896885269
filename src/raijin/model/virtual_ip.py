"""One address for all API servers of a cluster, carried by its control plane hosts or by hosts beside it."""

from __future__ import annotations

from pydantic import Field

from raijin.model.base import Model
from raijin.model.choice import Choice
from raijin.model.names import InterfaceName, IpAddress
from raijin.model.secret import Secret


class VipProvider(Choice):
    """What carries the address."""

    KUBE_VIP = "KUBE_VIP"
    KEEPALIVED = "KEEPALIVED"

    @classmethod
    def aliases(cls) -> dict[str, str]:
        return {"KUBEVIP": "KUBE_VIP", "HAPROXY": "KEEPALIVED"}


class VipMode(Choice):
    """How the network learns where the address is."""

    ARP = "ARP"
    BGP = "BGP"


class BgpPeer(Model):
    """A router that is told where the address is."""

    address: IpAddress = Field(description="Address of the router.", examples=["192.0.2.1"])
    asn: int = Field(ge=1, le=4294967295, description="Its autonomous system.", examples=[64512])
    password: Secret | None = Field(default=None, description="Password of the session (TCP MD5).")
    multihop: bool = Field(default=False, description="The router is not in the same network.")


class Bgp(Model):
    """The hosts as BGP speakers."""

    asn: int = Field(ge=1, le=4294967295, description="Autonomous system of the hosts.", examples=[64513])
    peers: tuple[BgpPeer, ...] = Field(min_length=1, description="The routers.")


class VirtualIp(Model):
    """One address for all API servers. KUBE_VIP runs as a static pod on each control plane host. KEEPALIVED, with
    haproxy, runs on the hosts of role BASTION if the cluster has any, else on the control plane hosts.
    """

    address: IpAddress = Field(
        description="The address; nothing else may use it, and no DHCP server may lease it.", examples=["192.0.2.10"]
    )
    provider: VipProvider = Field(default=VipProvider.KUBE_VIP, description="What carries it.")
    mode: VipMode = Field(
        default=VipMode.ARP, description="ARP: within one network. BGP: announced to routers (KUBE_VIP only)."
    )
    interface: InterfaceName | None = Field(
        default=None, description="The network interface that carries it; default: that of the default route."
    )
    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="TCP port of the API under the address. Default: that of the API server; 8443 where haproxy "
        "shares the control plane hosts with the API servers.",
    )
    router_id: int | None = Field(
        default=None,
        ge=1,
        le=255,
        description="VRRP router id, unlike any other in the network (KEEPALIVED). Default: the address's last byte.",
    )
    bgp: Bgp | None = Field(default=None, description="The BGP session, for mode BGP.")
