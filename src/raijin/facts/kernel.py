"""The kernel and the architecture."""

from __future__ import annotations

from dataclasses import dataclass

from raijin.facts.base import lines_of

SNIPPET = r"""
read -r _ _ k_release _ </proc/version
# The second is in Linux 6.1 and newer (proc(5)).
if [ -r /proc/sys/kernel/arch ]; then read -r k_arch </proc/sys/kernel/arch; else k_arch=$(uname -m); fi
printf '%s %s\n' "$k_release" "$k_arch"
for k_name in overlay br_netfilter nf_conntrack ip_tables nf_tables ip_vs vxlan wireguard iscsi_tcp nfs rbd; do
  [ ! -d "/sys/module/$k_name" ] || printf 'module %s\n' "$k_name"
done
[ ! -d "/lib/modules/$k_release" ] || echo loadable
"""
FILES = ("/proc/filesystems",)

_ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv6l": "arm",
    "armv7l": "arm",
    "armv8l": "arm",
    "i686": "386",
}


@dataclass(frozen=True, slots=True)
class Kernel:
    """arch: as artifacts name it (amd64, arm64, arm, ppc64le, s390x, riscv64).

    modules: those of the ones a cluster may want that are loaded (built-in ones are often in no list).
    loadable: there are modules for this kernel on the host.
    """

    release: str
    arch: str
    modules: tuple[str, ...]
    filesystems: tuple[str, ...]
    loadable: bool


def parse(text: str) -> Kernel:
    first, *lines = text.strip().splitlines()
    release, machine = first.split()
    modules = tuple(line.split()[1] for line in lines if line.startswith("module "))
    # Each line is a name, before it perhaps `nodev`.
    filesystems = tuple(line.split()[-1] for line in lines_of(text).get(FILES[0], ()))
    arch = _ARCHITECTURES.get(machine, machine)
    return Kernel(release, arch, modules, filesystems, "loadable" in lines)
