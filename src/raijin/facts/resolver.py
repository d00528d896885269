"""How the host resolves names."""

from __future__ import annotations

from dataclasses import dataclass

from raijin.facts.base import lines_of

SNIPPET = ""
FILES = ("/etc/resolv.conf", "/run/systemd/resolve/resolv.conf")


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
    for path, lines in lines_of(text).items():
        for word, *values in filter(None, map(str.split, lines)):
            if word == "nameserver":
                servers.setdefault(path, []).extend(values[:1])
            elif word == "search":
                search |= dict.fromkeys(values)
    own, upstream = FILES
    stub = bool(servers.get(own)) and all(server.startswith("127.") for server in servers[own])
    path = upstream if stub and servers.get(upstream) else own
    return Resolver(tuple(servers.get(path, ())), tuple(search), stub, path)
