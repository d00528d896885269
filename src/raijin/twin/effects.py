"""Every kind of operation that the twin models: how it is checked, what it changes, and how long it takes a host.

An operation that is not in this table is refused by name. Seconds are of a small server with an SSD on a local network;
they serve to compare, not to promise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from raijin.operations import CATALOGUE
from raijin.operations.absent import Absent
from raijin.operations.address import AddressFree
from raijin.operations.archive import Archive
from raijin.operations.base import Operation
from raijin.operations.chains import ChainsAbsent
from raijin.operations.claim import Claim
from raijin.operations.command import Command
from raijin.operations.containers import ContainersAbsent
from raijin.operations.credential import Credential
from raijin.operations.directory import Directory
from raijin.operations.download import Download
from raijin.operations.file import File
from raijin.operations.fixed import Fixed
from raijin.operations.forget import Forget
from raijin.operations.group import Group
from raijin.operations.hostname import Hostname
from raijin.operations.image import Image
from raijin.operations.install import Install
from raijin.operations.kernelarguments import KernelArguments
from raijin.operations.kernelmodule import KernelModule
from raijin.operations.kubeconfig import KubeconfigTrust
from raijin.operations.line import Line
from raijin.operations.link import LinkAbsent
from raijin.operations.mount import Mount
from raijin.operations.package import Package
from raijin.operations.reboot import Reboot
from raijin.operations.repository import Repository
from raijin.operations.restart import Restart
from raijin.operations.restore import Restore
from raijin.operations.routes import RoutesAbsent
from raijin.operations.staticpod import StaticPod
from raijin.operations.swap import Swap
from raijin.operations.sysctl import Sysctl
from raijin.operations.template import Template
from raijin.operations.unit import Unit
from raijin.operations.user import User
from raijin.operations.wait import Wait
from raijin.twin import ending, files, system
from raijin.twin.run import Found, Run, unknown

# Each function takes the operation of its row: the table pairs them.
Check = Callable[[Run, Any], Found]
Change = Callable[[Run, Any], None]


@dataclass(frozen=True, slots=True)
class Effect:
    """disk: a slow disk makes it slower."""

    check: Check
    change: Change
    seconds: float = 0.05
    disk: bool = True


EFFECTS: Mapping[type[Any], Effect] = {
    File: Effect(files.check_file, files.change_file),
    Template: Effect(files.check_template, files.change_template),
    Credential: Effect(files.check_credential, files.change_credential),
    KubeconfigTrust: Effect(files.check_kubeconfig, files.change_kubeconfig),
    Directory: Effect(files.check_directory, files.change_directory),
    KernelArguments: Effect(files.check_kernel_arguments, files.change_kernel_arguments),
    Line: Effect(files.check_line, files.change_line),
    Install: Effect(files.check_install, files.change_install, 0.6),
    Download: Effect(files.check_download, files.change_download, 4.0),
    Archive: Effect(files.check_archive, files.change_archive, 1.5),
    Image: Effect(files.check_image, files.change_image, 3.0),
    Absent: Effect(files.check_absent, files.change_absent, 0.2),
    Claim: Effect(files.check_claim, files.change_claim),
    Fixed: Effect(files.check_fixed, files.change_fixed),
    Package: Effect(system.check_package, system.change_package, 12.0),
    Repository: Effect(system.check_repository, system.change_repository),
    Unit: Effect(system.check_unit, system.change_unit, 1.0),
    Restart: Effect(system.check_restart, system.change_restart, 1.0),
    StaticPod: Effect(system.check_staticpod, system.change_staticpod, 10.0),
    Sysctl: Effect(system.check_sysctl, system.change_sysctl),
    KernelModule: Effect(system.check_modules, system.change_modules, 0.2),
    Swap: Effect(system.check_swap, system.change_swap, 0.5),
    Mount: Effect(system.check_mount, system.change_mount, 0.5),
    Hostname: Effect(system.check_hostname, system.change_hostname),
    Group: Effect(system.check_group, system.change_group),
    User: Effect(system.check_user, system.change_user),
    AddressFree: Effect(system.check_address, system.unchanged, 1.0, disk=False),
    Reboot: Effect(system.check_reboot, system.change_reboot, 5.0),
    Command: Effect(ending.check_command, ending.change_command, 0.0),
    Wait: Effect(ending.check_wait, ending.change_wait, 0.0, disk=False),
    ContainersAbsent: Effect(ending.check_containers, ending.change_containers, 3.0),
    LinkAbsent: Effect(ending.check_link, ending.change_link, disk=False),
    ChainsAbsent: Effect(ending.check_chains, ending.change_chains, 0.5, disk=False),
    RoutesAbsent: Effect(ending.check_routes, ending.change_routes, disk=False),
    Restore: Effect(ending.check_restore, ending.change_restore, 8.0),
    Forget: Effect(ending.check_forget, ending.change_forget, 0.2),
}


def effect_of(operation: Operation) -> Effect:
    """Raises Unsupported for a kind that is not modelled."""
    found = EFFECTS.get(type(operation))
    if found is None:
        raise unknown(f"operations of the kind {operation.kind}")
    return found


def not_modelled() -> list[str]:
    """The kinds of operation that have no row here."""
    return [kind.__name__ for kind in CATALOGUE if kind not in EFFECTS]
