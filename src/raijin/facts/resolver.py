"""How the host resolves names."""

from __future__ import annotations

from dataclasses import dataclass

SNIPPET = r"""
grep -sHE '^[[:space:]]*(nameserver|search)[[:space:]]' /etc/resolv.conf /run/systemd/resolve/resolv.conf
"""


@dataclass(frozen=True, slots=True)
class Resolver:
    """nameservers: those that answer in the end, also when the host asks its own stub (127.0.0.53) first.

    stub: /etc/resolv.conf names only this host, which a pod must not be given: use `path` for the kubelet.
    """

    nameservers: tuple[str, ...]
    search: tuple[str, ...]
    stub: bool
    path: str


def parse(text: str) -> Resolver:
    servers: dict[str, list[str]] = {}
    search: dict[str, None] = {}
    for line in text.splitlines():
        path, _, rest = line.partition(":")
        word, *values = rest.split()
        if word == "nameserver":
            servers.setdefault(path, []).extend(values[:1])
        else:
            search |= dict.fromkeys(values)
    own, upstream = "/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"
    stub = bool(servers.get(own)) and all(server.startswith("127.") for server in servers[own])
    path = upstream if stub and servers.get(upstream) else own
    return Resolver(tuple(servers.get(path, ())), tuple(search), stub, path)
