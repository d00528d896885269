"""Calico's images: one version for all of them, under a registry that changed with v3.31."""

from __future__ import annotations

from raijin.artifacts.needs import Choice
from raijin.model.version import Version
from raijin.network.cni import Wanted

# Newest seen at 2026-08: manifests/calico.yaml of v3.32.1.
VERSION = "v3.32.1"
OLDEST = Version(3, 28, 0)
"""The oldest whose manifests these documents were compared with."""
HOME = "quay.io/calico"
FORMER_HOME = "docker.io/calico"
FIRST_AT_HOME = Version(3, 31, 0)
"""From this one on the manifests name quay.io; before it, Docker Hub."""
FIRST_WITH_NFTABLES = Version(3, 29, 0)
FIRST_WITH_LOAD_BALANCER = Version(3, 30, 0)
"""The first whose kube-controllers have the controller of that name."""
NODE, PLUGIN, CONTROLLERS, TYPHA = "node", "cni", "kube-controllers", "typha"
MAIN_IMAGE = f"{HOME}/{NODE}"


def images(choice: Choice, *names: str) -> tuple[str, ...]:
    """The named ones, of the version that the definition, the lock or this module chooses."""
    tag = choice.tag(MAIN_IMAGE, VERSION, f"{FORMER_HOME}/{NODE}")
    home = _home(Version.parse(tag) or FIRST_AT_HOME)
    return tuple(f"{home}/{name}:{tag}" for name in names)


def image(wanted: Wanted, name: str) -> str:
    home = HOME if f"{HOME}/{name}" in wanted.tags else FORMER_HOME
    return wanted.image(f"{home}/{name}")


def version(wanted: Wanted) -> Version:
    home = HOME if MAIN_IMAGE in wanted.tags else FORMER_HOME
    return wanted.version(f"{home}/{NODE}")


def _home(of: Version) -> str:
    return HOME if of >= FIRST_AT_HOME else FORMER_HOME
