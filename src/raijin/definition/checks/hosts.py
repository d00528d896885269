"""Hosts: each of its own, each reachable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from raijin.definition.checks.base import Documents, Finding, cycle
from raijin.definition.checks.names import Named, repeated
from raijin.definition.problems import remedy_for, shown
from raijin.definition.tree import Loc, Tree
from raijin.model.base import overlay
from raijin.model.host import Host, split_jump
from raijin.model.power import PowerMethod
from raijin.model.site import Site


def duplicate_hosts(documents: Documents) -> Iterator[Finding]:
    """Names, addresses and MAC addresses that two hosts share."""
    names: list[Named] = []
    addresses: list[Named] = []
    macs: list[Named] = []
    for site in documents.sites:
        for at, host in enumerate(site.model.hosts):
            names.append((host.name, site.tree, ("hosts", at, "name")))
            # Hosts behind one forwarding gateway share its address and differ in the port.
            if host.address != host.name:
                endpoint = f"{host.address} port {host.ssh.port}" if host.ssh.port != 22 else host.address
                addresses.append((endpoint, site.tree, ("hosts", at, "address")))
            if host.mac:
                macs.append((host.mac, site.tree, ("hosts", at, "mac")))
    yield from repeated("hosts", names)
    yield from repeated("hosts", addresses, what="address")
    yield from repeated("hosts", macs, what="MAC address")


def unknown_jumps(documents: Documents) -> Iterator[Finding]:
    """A jump host that is given by name is a host."""
    if "Site" in documents.broken:
        return
    for site in documents.sites:
        written: list[tuple[Loc, str | None]] = [(("ssh", "jump"), site.model.ssh.jump)]
        written += [(("hosts", at, "ssh", "jump"), host.ssh.jump) for at, host in enumerate(site.model.hosts)]
        for loc, jump in written:
            if jump and _is_unknown(jump, documents):
                remedy = remedy_for(jump, list(documents.hosts), "add the host to a Site, or write user@address")
                yield Finding(site.tree, loc, "is no host of any Site", remedy, shown(jump))


def circular_jumps(documents: Documents) -> Iterator[Finding]:
    """No way to a host leads through the host itself."""
    edges: dict[str, Iterable[str]] = {}
    places: dict[str, tuple[Tree, Loc]] = {}
    for site in documents.sites:
        for at, host in enumerate(site.model.hosts):
            jump = _jump_of(site.model, host)
            if jump in documents.hosts:
                edges[host.name] = [jump]
                places[host.name] = site.tree, ("hosts", at, "ssh", "jump") if host.ssh.jump else ("ssh", "jump")
    reported: set[str] = set()
    for name, (tree, loc) in places.items():
        ring = cycle(edges, name)
        if ring and name not in reported:
            reported.update(ring)
            message = f"leads back to the host itself: {' -> '.join(ring)}"
            yield Finding(tree, loc, message, "let one of them be reached directly")


def power_needs(documents: Documents) -> Iterator[Finding]:
    """A method to turn a machine on has what it needs."""
    for site in documents.sites:
        for at, host in enumerate(site.model.hosts):
            power = host.power
            if power is None:
                continue
            method = power.method
            if "method" not in power.model_fields_set and site.model.power:
                method = site.model.power.method
            if method is PowerMethod.WOL and not host.mac:
                yield Finding(site.tree, ("hosts", at, "power"), "wakes a host that has no `mac`", "add its `mac`")
            if method in (PowerMethod.IPMI, PowerMethod.REDFISH) and not power.address:
                message = f"uses {method} and says no `address`"
                yield Finding(site.tree, ("hosts", at, "power"), message, "add the address of its controller")


def _jump_of(site: Site, host: Host) -> str | None:
    """The jump of a host, its own or the site's; the site's is not for the jump host itself."""
    jump = overlay(site.ssh, host.ssh).jump
    return None if jump == host.name and not host.ssh.jump else jump


def _is_unknown(jump: str, documents: Documents) -> bool:
    """Whether a jump can only be meant as the name of a host, and is none. With user, port or dots it is an address."""
    parts = split_jump(jump)
    if parts is None or jump in documents.hosts:
        return False
    user, host, port = parts
    return user is None and port is None and "." not in host and ":" not in host
