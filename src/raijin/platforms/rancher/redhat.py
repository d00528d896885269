"""What hosts of the RHEL family need beside others: SELinux's policy, kernel modules, a NetworkManager that keeps away.

Sources: k3s-io/k3s install.sh (setup_selinux) and docs.k3s.io "Requirements"; docs.rke2.io "SELinux", "Installation
Methods", "Requirements" and "Known Issues" (2026-08). The policy comes before the program, so that files are labelled
when they are laid down.
"""

from __future__ import annotations

from collections.abc import Iterable

from raijin.facts.os import OperatingSystem
from raijin.facts.system import System
from raijin.model.rancher import Rancher
from raijin.operations.base import Operation
from raijin.operations.command import Command
from raijin.operations.directory import Directory
from raijin.operations.file import File
from raijin.operations.package import Package
from raijin.operations.repository import Repository
from raijin.platforms.base import Context, Node
from raijin.platforms.rancher.layout import Distribution

FAMILIES = ("rhel", "suse")
"""Of which there are packages of the policy."""
MODULES = "kernel-modules-extra"
NETWORK_MANAGER = "/etc/NetworkManager/conf.d"
_KEEP_AWAY = (
    "[keyfile]\n"
    "unmanaged-devices=interface-name:flannel*;interface-name:cali*;interface-name:tunl*;"
    "interface-name:vxlan.calico;interface-name:vxlan-v6.calico;"
    "interface-name:wireguard.cali;interface-name:wg-v6.cali\n"
)


def redhat(distribution: Distribution, settings: Rancher, node: Node) -> tuple[Operation, ...]:
    """For `prepare`; nothing on hosts of other families."""
    system = _system(node)
    if system is None or system.family not in FAMILIES:
        return ()
    operations: list[Operation] = []
    if settings.selinux:
        if settings.selinux_repository is not None:
            uri = settings.selinux_repository.uri or _uri(distribution, system)
            operations.append(Repository(f"raijin-{distribution.product}", uri, settings.selinux_repository.key))
        operations.append(Package(("container-selinux", f"{distribution.product}-selinux")))
    if _major(system) == "10" and system.family == "rhel" and system.id not in {"fedora", "amzn"}:
        operations.append(Package((MODULES,)))
    if distribution.supervisor_port and system.family == "rhel":
        path = f"{NETWORK_MANAGER}/rke2-canal.conf"
        active = ("systemctl", "is-active", "--quiet", "NetworkManager")
        reload = ("systemctl", "reload", "NetworkManager")
        operations += [Directory("/etc/NetworkManager"), Directory(NETWORK_MANAGER), File(path, _KEEP_AWAY)]
        operations.append(Command("tell NetworkManager", reload, only_if=active, marker="networkmanager-told"))
    return tuple(operations)


def reasons(context: Context, distribution: Distribution, settings: Rancher) -> Iterable[str]:
    """Hosts on which SELinux cannot be used although the definition says so."""
    where = f"kubernetes.{distribution.product}.selinux"
    for node in context.reachable if settings.selinux else ():
        system, programs = _system(node), node.facts.facts.system if node.facts else None
        if isinstance(programs, System) and programs.selinux == "disabled":
            yield f"{node.name}: SELinux is off there: switch it on and start the host again, or take `{where}` out"
        elif system is None:
            continue
        elif system.family not in FAMILIES:
            package = f"{distribution.product}-selinux"
            yield f"{node.name}: there is no package {package} for {system.name}: take `{where}` out"
        elif isinstance(programs, System) and programs.packages not in {"dnf", "zypper"}:
            yield f"{node.name}: its packages are not managed by dnf or zypper: Raijin cannot install the policy there"
        elif settings.selinux_repository is not None and not (
            settings.selinux_repository.uri or _uri(distribution, system)
        ):
            yield f"{node.name}: Rancher's repository for {system.name} is not known: write `{where}Repository.uri`"


def _uri(distribution: Distribution, system: OperatingSystem) -> str:
    """Where Rancher publishes the package for this system; empty when that is not known."""
    major = "8" if system.id == "fedora" else _major(system)
    if system.family != "rhel" or major not in {"8", "9", "10"}:
        return ""
    if distribution.supervisor_port:
        return f"https://rpm.rancher.io/rke2/latest/common/centos/{major}/noarch"
    return f"https://rpm.rancher.io/k3s/stable/common/centos/{'8' if major == '8' else '9'}/noarch"


def _major(system: OperatingSystem) -> str:
    return system.version.partition(".")[0]


def _system(node: Node) -> OperatingSystem | None:
    found = node.facts.facts.os if node.facts else None
    return found if isinstance(found, OperatingSystem) else None
