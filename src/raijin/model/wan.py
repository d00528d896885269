"""The internet links of a site."""

from __future__ import annotations

from pydantic import Field

from raijin.model.base import Model
from raijin.model.choice import Choice
from raijin.model.duration import Duration, parse_duration
from raijin.model.names import Address, InterfaceName, IpAddress


class WanBalance(Choice):
    """How traffic is spread over the links."""

    ROUND_ROBIN = "round-robin"
    WEIGHTED = "weighted"
    FAILOVER = "failover"


class WanLink(Model):
    """One internet link. The order of the links is their order of preference."""

    interface: InterfaceName = Field(description="The network interface of the link.", examples=["eth0"])
    name: str | None = Field(default=None, description="What people call it; default: the interface.")
    weight: int = Field(default=1, ge=0, le=256, description="Share of the traffic, for `weighted`.")
    gateway: IpAddress | None = Field(default=None, description="The provider's router; default: that of DHCP.")
    address: str | None = Field(default=None, description="Static address with prefix length, or dhcp.")
    check: Address | None = Field(
        default=None, description="What must answer for the link to count as up.", examples=["198.51.100.1"]
    )
    check_timeout: Duration = Field(
        default=parse_duration("5s"), description="How long the check may take before the link counts as down."
    )
