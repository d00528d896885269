"""Names and addresses: host names, DNS names, IP addresses, MAC addresses, endpoints."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated

from pydantic import AfterValidator

from raijin.model.base import fault

_LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_DNS_LABEL = re.compile(_LABEL)
_DNS_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}")
_NUMBERS = re.compile(r"\d+(?:\.\d+)+")
_FOUR = "an IPv4 address is four numbers from 0 to 255, as in 192.0.2.11"
_INTERFACE = re.compile(r"[^\s/:]{1,15}")


def is_dns_name(text: str) -> bool:
    return len(text) <= 253 and _DNS_NAME.fullmatch(text) is not None


def parse_ip(text: str) -> IPv4Address | IPv6Address | None:
    """The IP address that `text` is, or None when it is a name."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def _name(value: str) -> str:
    if len(value) <= 63 and _DNS_LABEL.fullmatch(value):
        return value
    raise fault("is not a valid name", _suggest(value, "use up to 63 lower-case letters, digits and '-'"))


def _host_name(value: str) -> str:
    if _NUMBERS.fullmatch(value) and parse_ip(value) is None:
        raise fault("looks like an IP address and is none", _FOUR)
    if is_dns_name(value):
        return value
    raise fault(
        "is not a valid host name",
        _suggest(value, "use lower-case letters, digits, '-' and '.', as Kubernetes wants of a node name (RFC 1123)"),
    )


def _suggest(value: str, rule: str) -> str:
    tidy = re.sub(r"[\s_]+", "-", value.strip().lower())
    return f"write {tidy}" if tidy != value and is_dns_name(tidy) else rule


def _address(value: str) -> str:
    if parse_ip(value) is not None:
        return value
    if "/" in value and parse_ip(value.partition("/")[0]) is not None:
        raise fault("is a network, not an address", f"write {value.partition('/')[0]}")
    host, colon, port = value.rpartition(":")
    if colon and port.isdigit() and "@" not in host and (is_dns_name(host) or parse_ip(host.strip("[]"))):
        raise fault("has a port in it", f"write {host.strip('[]')} here and {port} in ssh.port")
    if "@" in value:
        raise fault("has a user in it", f"write {value.rpartition('@')[2]} here and the user in ssh.user")
    if value.rpartition(".")[2].isdigit():
        raise fault("is not an IP address", _FOUR)
    if is_dns_name(value.lower().rstrip(".")):
        return value
    raise fault("is neither an IP address nor a DNS name", "write it as in 192.0.2.11, 2001:db8::11 or n1.example.org")


def _ip(value: str) -> str:
    if parse_ip(value) is None:
        raise fault("is not an IP address", "write it as in 192.0.2.11 or 2001:db8::11")
    return value


def _mac(value: str) -> str:
    if not _MAC.fullmatch(value):
        raise fault("is not a MAC address", "write six pairs of hex digits, as in 02:00:5e:10:00:01")
    digits = re.sub(r"[^0-9a-f]", "", value.lower())
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def _interface_name(value: str) -> str:
    if not _INTERFACE.fullmatch(value):
        raise fault("is not a network interface name", "use up to 15 characters, as in eth0 or vmbr0.107")
    return value


def split_endpoint(text: str, default_port: int) -> tuple[str, int]:
    """`host`, `host:port` or `[address]:port` in two. A bare IPv6 address has no port."""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        return host, int(port[1:]) if port else default_port
    host, colon, port = text.rpartition(":")
    if colon and ":" not in host:
        return host, int(port)
    return text, default_port


def _endpoint(value: str) -> str:
    try:
        host, port = split_endpoint(value, 1)
    except ValueError:
        host, port = "", 0
    known = parse_ip(host) is not None or (is_dns_name(host.lower()) and not host.rpartition(".")[2].isdigit())
    if not known or not 0 < port < 65536:
        raise fault(
            "is not an endpoint", "write an address or a name, with or without a port, as in api.example.org:6443"
        )
    return value


def _url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+\S*", value):
        raise fault("is not a web address", "write it with its scheme, as in https://mirror.example.org/raijin")
    return value


Name = Annotated[str, AfterValidator(_name)]
"""The name of a document, group or service: one DNS label."""
HostName = Annotated[str, AfterValidator(_host_name)]
"""An RFC 1123 name, as node names are."""
Address = Annotated[str, AfterValidator(_address)]
"""An IP address or a DNS name."""
IpAddress = Annotated[str, AfterValidator(_ip)]
MacAddress = Annotated[str, AfterValidator(_mac)]
"""Kept as six lower-case pairs with colons, however it was written."""
InterfaceName = Annotated[str, AfterValidator(_interface_name)]
Endpoint = Annotated[str, AfterValidator(_endpoint)]
"""`host` or `host:port`."""
Url = Annotated[str, AfterValidator(_url)]
