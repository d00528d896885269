"""The distribution."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from raijin.facts.base import lines_of, pairs

SNIPPET = ""
FILES = ("/etc/os-release", "/usr/lib/os-release")
"""The second one holds when there is no first (os-release(5))."""

_USED = frozenset({"ID", "ID_LIKE", "PRETTY_NAME", "VERSION_ID"})

_FAMILIES = {
    "debian": ("debian", "ubuntu", "raspbian"),
    "rhel": ("rhel", "fedora", "centos", "rocky", "almalinux", "ol", "amzn"),
    "suse": ("suse", "opensuse", "sles"),
    "alpine": ("alpine",),
    "arch": ("arch",),
    "nixos": ("nixos",),
    "talos": ("talos",),
    "flatcar": ("flatcar", "coreos"),
}


@dataclass(frozen=True, slots=True)
class OperatingSystem:
    """id and version as in os-release (`debian`, `12`); family: `debian`, `rhel`, `suse`, `alpine`, ... or the id."""

    id: str
    version: str
    name: str
    family: str


def parse(text: str) -> OperatingSystem:
    files = lines_of(text)
    lines = next((files[path] for path in FILES if path in files), [])
    values = {name: "".join(shlex.split(value)[:1]) for name, value in pairs("\n".join(lines), "=") if name in _USED}
    id_ = values["ID"]
    like = (id_, *values.get("ID_LIKE", "").split())
    families = (family for word in like for family, words in _FAMILIES.items() if word.startswith(words))
    name = values.get("PRETTY_NAME", id_)
    return OperatingSystem(id_, values.get("VERSION_ID", ""), name, next(families, id_))
