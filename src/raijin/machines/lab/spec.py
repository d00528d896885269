"""What somebody asks of the lab, and the arithmetic of names, addresses and subnets. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Literal

from raijin.errors import MachineError

NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?\Z")
USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}\Z")
SIZE = re.compile(r"(\d+)\s*([KMGT]?)(i?B)?\Z", re.IGNORECASE)
UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}

FIRST_HOST = 11
"""Last octet of the first machine: .1 is the box, .2 to .10 stay free for virtual addresses of a test."""

SUBNETS = tuple(IPv4Network(text) for text in ("198.51.100.0/24", *(f"198.18.{third}.0/24" for third in range(16))))
"""Where the lab may live, in order: ranges for documentation and for benchmarks, which no real network uses."""


@dataclass(frozen=True, slots=True)
class LabUser:
    """A user besides root. sudo: with a password, without one, or not at all. The lab's SSH key lets it in."""

    name: str
    sudo: Literal["password", "nopasswd", "none"] = "nopasswd"
    password: str = ""


@dataclass(frozen=True, slots=True)
class LabSpec:
    """The wanted lab. Machines that exist and are not named here stay as they are.

    hosts: how many machines, named node1, node2, ... when `names` is empty.
    subnet: None picks a free one. memory: limit in bytes of each new machine. users: made in each new machine.
    install_missing: let apt-get install what the box lacks.
    """

    hosts: int = 3
    names: tuple[str, ...] = ()
    subnet: str | None = None
    memory: int | None = None
    users: tuple[LabUser, ...] = ()
    install_missing: bool = True


def wanted_names(spec: LabSpec) -> tuple[str, ...]:
    """The names of the machines asked for. Raises MachineError for a name that cannot be a host name."""
    names = spec.names or tuple(f"node{number}" for number in range(1, spec.hosts + 1))
    for name in names:
        if not NAME.match(name):
            raise MachineError(
                f"{name!r} cannot be the name of a lab machine",
                remedy="use a to z, 0 to 9 and '-', at most 40 characters, with a letter first",
            )
    if len(set(names)) != len(names):
        raise MachineError("a lab machine is named twice", remedy="give each machine its own name")
    if not names:
        raise MachineError("a lab needs at least one machine", remedy="ask for --hosts 1 or more")
    return names


def check_users(users: Sequence[LabUser]) -> None:
    for user in users:
        if not USER.match(user.name) or user.name == "root":
            raise MachineError(f"{user.name!r} cannot be a user of a lab machine", remedy="use a short lower-case name")
        if user.sudo == "password" and not user.password:
            raise MachineError(f"user {user.name} needs a password for sudo", remedy="give a password or use nopasswd")
        if re.search(r"[\s:]", user.password):
            raise MachineError(
                f"the password of user {user.name} has a space or a colon", remedy="use a password without them"
            )


def parse_size(text: str) -> int:
    """Bytes from `512M`, `2GiB`, `1073741824`. Raises MachineError."""
    found = SIZE.match(text.strip())
    if not found:
        raise MachineError(f"{text!r} is not an amount of memory", remedy="write for example 512M or 2G")
    return int(found[1]) * UNITS[found[2].upper()]


def choose_subnet(wanted: str | None, used: Sequence[IPv4Network]) -> IPv4Network:
    """The lab's subnet: the wanted one or the first of SUBNETS that overlaps no network of the box.

    Raises MachineError when the wanted one is malformed, too small or taken, or when none is free.
    """
    if wanted is None:
        for candidate in SUBNETS:
            if not any(candidate.overlaps(network) for network in used):
                return candidate
        raise MachineError("every default subnet of the lab is in use on this box", remedy="choose one with --subnet")
    try:
        network = IPv4Network(wanted)
    except ValueError as error:
        raise MachineError(
            f"{wanted} is not an IPv4 subnet: {error}", remedy="write for example 10.77.0.0/24"
        ) from error
    if network.prefixlen > 26:
        raise MachineError(f"the subnet {network} is too small for a lab", remedy="use /26 or larger")
    for other in used:
        if network.overlaps(other):
            raise MachineError(
                f"the subnet {network} overlaps {other}, which this box uses",
                remedy="choose another with --subnet, or none to let the lab pick a free one",
            )
    return network


def gateway(subnet: IPv4Network) -> IPv4Address:
    """The address of the box in the lab."""
    return subnet.network_address + 1


def free_addresses(subnet: IPv4Network, taken: Iterable[str], count: int) -> list[str]:
    """The lowest `count` addresses that no machine has. Raises MachineError when the subnet is full."""
    used = set(taken)
    found: list[str] = []
    last = int(subnet.broadcast_address) - int(subnet.network_address)
    for offset in range(FIRST_HOST, last):
        if len(found) == count:
            break
        address = str(subnet.network_address + offset)
        if address not in used:
            found.append(address)
    if len(found) < count:
        raise MachineError(
            f"the subnet {subnet} has no address left for {count - len(found)} more machines",
            remedy="run `raijin lab down`, then `raijin lab up` with a larger --subnet",
        )
    return found
