"""Typed reads of a host. Each module holds one fact (see base.py); gather.py asks for all of them at once.

cluster.py reads the cluster's API instead of a host.
"""

from raijin.facts import (
    board,
    certificates,
    cgroup,
    clock,
    cpu,
    disks,
    gpu,
    hardware,
    identity,
    kernel,
    kubernetes,
    memory,
    network,
    os,
    ports,
    raijin,
    resolver,
    security,
    swap,
    system,
    units,
)
from raijin.facts.base import Ability

ABILITIES = (
    Ability("os", os.SNIPPET, os.parse, os.FILES),
    Ability("kernel", kernel.SNIPPET, kernel.parse, kernel.FILES),
    Ability("cpu", cpu.SNIPPET, cpu.parse, cpu.FILES),
    Ability("memory", memory.SNIPPET, memory.parse),
    Ability("swap", swap.SNIPPET, swap.parse),
    Ability("disks", disks.SNIPPET, disks.parse, disks.FILES),
    Ability("network", network.SNIPPET, network.parse, network.FILES),
    Ability("gpus", gpu.SNIPPET, gpu.parse),
    Ability("hardware", hardware.SNIPPET, hardware.parse, hardware.FILES),
    Ability("cgroup", cgroup.SNIPPET, cgroup.parse),
    Ability("board", board.SNIPPET, board.parse),
    Ability("clock", clock.SNIPPET, clock.parse),
    Ability("ports", ports.SNIPPET, ports.parse),
    Ability("identity", identity.SNIPPET, identity.parse),
    Ability("system", system.SNIPPET, system.parse),
    Ability("units", units.SNIPPET, units.parse),
    Ability("resolver", resolver.SNIPPET, resolver.parse, resolver.FILES),
    Ability("kubernetes", kubernetes.SNIPPET, kubernetes.parse),
    Ability("certificates", certificates.SNIPPET, certificates.parse),
    Ability("security", security.SNIPPET, security.parse),
    Ability("raijin", raijin.SNIPPET, raijin.parse),
)
"""Every fact of a host, in the order of HostFacts."""

LEFT_OUT = {"units": "", "security": "", "ports": '[ ! -r "$BASE/owner" ]'}
"""Dear facts that a plan looks at never (empty), or only when this shell condition holds: of a host that no cluster has
claimed. A plan has them as Unknown."""

__all__ = ["ABILITIES", "LEFT_OUT"]
