"""Network interfaces, their addresses, and the way out."""

from __future__ import annotations

import ipaddress
import re
import socket
import struct
from dataclasses import dataclass

SNIPPET = r"""
if command -v ip >/dev/null 2>&1; then ip -o addr show; else grep -sH '' /proc/net/fib_trie /proc/net/if_inet6; fi
"""
FILES = (
    "/sys/class/net/*/address",
    "/sys/class/net/*/mtu",
    "/sys/class/net/*/operstate",
    "/sys/class/net/*/speed",
    "/sys/class/net/*/device/uevent",
    "/proc/net/route",
)


_LINK_LOCAL = re.compile(r"169\.254\.|fe[89ab].:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Interface:
    """addresses: with prefix length, without link-local ones. speed: Mbit/s, None when it has none to tell.

    physical: it has a device behind it (a virtual machine's too).
    """

    name: str
    mac: str
    addresses: tuple[str, ...]
    mtu: int
    speed: int | None
    state: str
    physical: bool


@dataclass(frozen=True, slots=True)
class Network:
    interfaces: tuple[Interface, ...]
    default_interface: str
    gateway: str


def parse(text: str) -> Network:
    files: dict[str, list[str]] = {}
    addresses: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith(("/sys/", "/proc/")):
            path, _, value = line.partition(":")
            files.setdefault(path, []).append(value)
        elif match := re.match(r"\d+: +(\S+?)(?:@\S+)? +inet6? +(\S+)", line):
            addresses.setdefault(match[1], []).append(match[2])
    routes = [line.split() for line in files.get("/proc/net/route", [])[1:]]
    if not addresses:
        addresses = _without_ip(files, routes)
    names = sorted({path.split("/")[4] for path in files if path.startswith("/sys/class/net/")})
    found = (_interface(name, files, addresses.get(name, [])) for name in names)
    default = next((route for route in routes if route[1] == "00000000"), None)
    return Network(
        tuple(item for item in found if item.name != "lo" and (item.physical or item.addresses)),
        default[0] if default else "",
        _address(default[2]) if default else "",
    )


def _interface(name: str, files: dict[str, list[str]], addresses: list[str]) -> Interface:
    def read(field: str) -> str:
        return files.get(f"/sys/class/net/{name}/{field}", [""])[0].strip()

    speed = read("speed")
    return Interface(
        name=name,
        mac=read("address"),
        addresses=tuple(a for a in addresses if not _LINK_LOCAL.match(a)),
        mtu=int(read("mtu") or 0),
        speed=int(speed) if speed.isdigit() and int(speed) > 0 else None,
        state=read("operstate"),
        physical=f"/sys/class/net/{name}/device/uevent" in files,
    )


def _without_ip(files: dict[str, list[str]], routes: list[list[str]]) -> dict[str, list[str]]:
    """The addresses on a host without the program `ip`: the kernel's local table, by the network that holds each."""
    found: dict[str, list[str]] = {}
    last, local = "", set[str]()
    for line in files.get("/proc/net/fib_trie", []):
        if match := re.search(r"\|-- (\S+)", line):
            last = match[1]
        elif "/32 host LOCAL" in line:
            local.add(last)
    for address in sorted(local):
        for route in routes:
            network = ipaddress.ip_network(f"{_address(route[1])}/{_address(route[7])}")
            if network.prefixlen and ipaddress.ip_address(address) in network:
                found.setdefault(route[0], []).append(f"{address}/{network.prefixlen}")
    for line in files.get("/proc/net/if_inet6", []):
        digits, _, prefix, _, _, name = line.split()
        found.setdefault(name, []).append(f"{ipaddress.IPv6Address(int(digits, 16))}/{int(prefix, 16)}")
    return found


def _address(hexadecimal: str) -> str:
    """An IPv4 address as /proc/net/route prints it: the bytes of memory, in the order of the processor (little)."""
    return socket.inet_ntoa(struct.pack("<L", int(hexadecimal, 16)))
