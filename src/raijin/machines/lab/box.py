"""Facts of the box that carries the lab: cgroups, capabilities, networks, name servers, kernel modules."""

from __future__ import annotations

import gzip
import json
import os
import platform
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from raijin.errors import MachineError
from raijin.transport import local

CAP_SYS_RESOURCE = 24
RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """One mounted cgroup hierarchy. version 2 is the unified one."""

    path: Path
    version: int
    controllers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Box:
    """delegated: systemd is pid 1 and cgroups are v2, so that systemd itself gives each machine a subtree.

    lowers_oom_score: root may lower oom_score_adj (CAP_SYS_RESOURCE is not withheld from this box).
    module_folder: the kernel's modules, None when the kernel has everything built in and no folder of modules.
    """

    hierarchies: tuple[Hierarchy, ...]
    delegated: bool
    lowers_oom_score: bool
    mtu: int
    networks: tuple[IPv4Network, ...]
    nameservers: tuple[str, ...]
    kernel: str
    module_folder: Path | None
    kernel_config: frozenset[str]


async def survey() -> Box:
    """Look at this box. Raises MachineError where the lab cannot work."""
    hierarchies = parse_hierarchies(Path("/proc/mounts").read_text())
    if not hierarchies:
        raise MachineError("no cgroup hierarchy is mounted on this box", remedy="mount cgroup2 on /sys/fs/cgroup")
    unified = all(hierarchy.version == 2 for hierarchy in hierarchies)
    kernel = platform.release()
    folder = Path("/lib/modules") / kernel
    routes = await local.run(["ip", "-j", "-4", "route", "show", "table", "all"])
    links = await local.run(["ip", "-j", "link"])
    return Box(
        hierarchies=hierarchies,
        delegated=unified and Path("/run/systemd/system").is_dir(),
        lowers_oom_score=bool(bounding_set(Path("/proc/self/status").read_text()) >> CAP_SYS_RESOURCE & 1),
        mtu=uplink_mtu(routes.stdout, links.stdout),
        networks=parse_networks(routes.stdout),
        nameservers=nameservers([path.read_text() for path in RESOLVERS if path.is_file()]),
        kernel=kernel,
        module_folder=folder if folder.is_dir() else None,
        kernel_config=read_kernel_config(kernel),
    )


def parse_hierarchies(mounts: str) -> tuple[Hierarchy, ...]:
    """The cgroup mounts under /sys/fs/cgroup, each once, from /proc/mounts."""
    found: dict[Path, Hierarchy] = {}
    for line in mounts.splitlines():
        _, place, kind, options, *_ = line.split()
        if kind not in ("cgroup", "cgroup2") or not place.startswith("/sys/fs/cgroup"):
            continue
        names = set(options.split(",")) - {
            "rw",
            "ro",
            "relatime",
            "nosuid",
            "nodev",
            "noexec",
            "xattr",
            "clone_children",
        }
        version = 2 if kind == "cgroup2" else 1
        found[Path(place)] = Hierarchy(Path(place), version, tuple(sorted(names)) if version == 1 else ())
    return tuple(found.values())


def bounding_set(status: str) -> int:
    for line in status.splitlines():
        if line.startswith("CapBnd:"):
            return int(line.split()[1], 16)
    return 0


def parse_networks(routes: str) -> tuple[IPv4Network, ...]:
    """Every network and address that the box routes, from `ip -j -4 route show table all`."""
    found: set[IPv4Network] = set()
    for route in json.loads(routes or "[]"):
        destination = str(route.get("dst", "default"))
        if destination == "default" or route.get("type") in ("broadcast", "multicast"):
            continue
        network = IPv4Network(destination, strict=False)
        if network.prefixlen >= 8:  # 0.0.0.0/1 and the like are how VPNs write a default route
            found.add(network)
    return tuple(sorted(found))


def uplink_mtu(routes: str, links: str) -> int:
    """The MTU of the link that the default route uses: a bridge with a larger one would lose packets on the way out."""
    sizes = {str(link.get("ifname")): int(link.get("mtu", 1500)) for link in json.loads(links or "[]")}
    for route in json.loads(routes or "[]"):
        if route.get("dst") == "default" and route.get("dev") in sizes:
            return min(1500, sizes[str(route["dev"])])
    return 1500


def nameservers(resolver_files: list[str]) -> tuple[str, ...]:
    """The first file's name servers that a machine can reach: not those on the box's own loopback."""
    for text in resolver_files:
        found = []
        for line in text.splitlines():
            words = line.split()
            if len(words) < 2 or words[0] != "nameserver" or ":" in words[1]:
                continue
            if not IPv4Address(words[1]).is_loopback:
                found.append(words[1])
        if found:
            return tuple(found)
    return ()


def read_kernel_config(kernel: str) -> frozenset[str]:
    """The options that are built into the running kernel; empty when the kernel does not tell."""
    for path in (Path("/proc/config.gz"), Path(f"/boot/config-{kernel}")):
        try:
            text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        except OSError:
            continue
        return parse_kernel_config(text.decode(errors="replace"))
    return frozenset()


def parse_kernel_config(text: str) -> frozenset[str]:
    return frozenset(
        line.removeprefix("CONFIG_").removesuffix("=y")
        for line in text.splitlines()
        if line.startswith("CONFIG_") and line.endswith("=y")
    )


def is_root() -> bool:
    return os.geteuid() == 0
