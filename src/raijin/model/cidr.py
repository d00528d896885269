"""Networks in CIDR form."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import AfterValidator

from raijin.model.base import fault

IpNetwork = IPv4Network | IPv6Network


def _cidr(value: str) -> str:
    try:
        ip_network(value)
    except ValueError:
        pass
    else:
        if "/" in value:
            return value
        raise fault("has no prefix length", f"write it with one, as in {value}/24")
    try:
        loose = ip_network(value, strict=False)
    except ValueError:
        raise fault("is not a network in CIDR form", "write it as in 192.0.2.0/24 or 2001:db8::/64") from None
    raise fault("has host bits set", f"write {loose}")


def _dual_stack(value: str) -> str:
    parts = [_cidr(part.strip()) for part in value.split(",")]
    versions = [ip_network(part).version for part in parts]
    if len(versions) != len(set(versions)):
        raise fault("names two networks of one IP version", "give at most one IPv4 and one IPv6 network")
    return ",".join(parts)


Cidr = Annotated[str, AfterValidator(_cidr)]
"""One network, as in 192.0.2.0/24."""
DualStackCidr = Annotated[str, AfterValidator(_dual_stack)]
"""One network, or an IPv4 and an IPv6 network with a comma between them, as kubeadm writes them."""


def networks(text: str) -> tuple[IpNetwork, ...]:
    """The networks of a (dual stack) CIDR that has been validated."""
    return tuple(ip_network(part) for part in text.split(","))
