"""The distribution."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from raijin.facts.base import pairs

SNIPPET = r"""
cat /etc/os-release 2>/dev/null || cat /usr/lib/os-release
"""

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
    values = {name: "".join(shlex.split(value)[:1]) for name, value in pairs(text, "=")}
    id_ = values["ID"]
    like = (id_, *values.get("ID_LIKE", "").split())
    families = (family for word in like for family, words in _FAMILIES.items() if word.startswith(words))
    name = values.get("PRETTY_NAME", id_)
    return OperatingSystem(id_, values.get("VERSION_ID", ""), name, next(families, id_))
