"""The files that make a plain Debian tree this lab machine: name, network, keys, units. Pure.

Everything here concerns the lab. What a Kubernetes host needs (container runtime, settings, modules to load) is for
Raijin to bring, so that the lab tests exactly that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from raijin.machines.lab.box import Box
from raijin.machines.lab.modules import builtin_list
from raijin.machines.lab.spec import LabUser, gateway

HERE = "usr/local/lib/raijin-lab"
FILES = Path(__file__).with_name("files")
SEARCH_PATH = f"/{HERE}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

MASKED = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "dpkg-db-backup.timer",
    "systemd-timesyncd.service",
    "console-getty.service",
    "getty.target",
)
"""Units that only cost: background package work, and the clock, which belongs to the box."""


@dataclass(frozen=True, slots=True)
class GuestFile:
    """A file below the root of a machine."""

    content: str
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a machine this one and no other. host_key: the private SSH host key."""

    name: str
    address: str
    machine_id: str
    host_key: str
    host_key_public: str
    authorized_key: str


def guest_files(
    identity: Identity, subnet: IPv4Network, box: Box, users: Sequence[LabUser] = ()
) -> dict[str, GuestFile]:
    """Path below the root -> file, for a machine on this box."""
    files = {
        "etc/hostname": GuestFile(f"{identity.name}\n"),
        "etc/machine-id": GuestFile(f"{identity.machine_id}\n", 0o444),
        "etc/hosts": GuestFile(hosts(identity)),
        "etc/resolv.conf": GuestFile("".join(f"nameserver {address}\n" for address in box.nameservers)),
        "etc/network/interfaces": GuestFile(interfaces(identity.address, subnet, box.mtu)),
        "etc/ssh/ssh_host_ed25519_key": GuestFile(identity.host_key, 0o600),
        "etc/ssh/ssh_host_ed25519_key.pub": GuestFile(f"{identity.host_key_public}\n"),
        "root/.ssh/authorized_keys": GuestFile(f"{identity.authorized_key}\n", 0o600),
        "etc/systemd/system/raijin-lab.service": GuestFile(PREPARE_UNIT),
        "etc/systemd/system/ssh.service.d/10-lab.conf": GuestFile(SSH_DROP_IN),
        "etc/systemd/journald.conf.d/10-lab.conf": GuestFile("[Journal]\nSystemMaxUse=64M\nRuntimeMaxUse=16M\n"),
        f"{HERE}/prepare": GuestFile((FILES / "prepare").read_text(), 0o755),
    }
    if users:
        lines = "".join(f"{user.name} {user.sudo} {user.password}\n" for user in users)
        files[f"{HERE}/users"] = GuestFile(lines, 0o600)
    if not box.lowers_oom_score:
        files[f"{HERE}/bin/runc"] = GuestFile((FILES / "runc").read_text(), 0o755)
        files["etc/systemd/system.conf.d/10-lab.conf"] = GuestFile(
            f"[Manager]\nDefaultEnvironment=PATH={SEARCH_PATH}\n"
        )
    if box.module_folder is None and box.kernel_config:
        modules = f"usr/lib/modules/{box.kernel}"
        files[f"{modules}/modules.builtin"] = GuestFile(builtin_list(box.kernel_config))
        files[f"{modules}/modules.order"] = GuestFile("")
        files[f"{modules}/modules.builtin.modinfo"] = GuestFile("")
    return files


def guest_links() -> dict[str, str]:
    """Path below the root -> target of each symbolic link."""
    masks = {f"etc/systemd/system/{unit}": "/dev/null" for unit in MASKED}
    return masks | {"etc/systemd/system/sysinit.target.wants/raijin-lab.service": "../raijin-lab.service"}


def hosts(identity: Identity) -> str:
    return f"127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n{identity.address} {identity.name}\n"


def interfaces(address: str, subnet: IPv4Network, mtu: int) -> str:
    return f"""\
auto lo
iface lo inet loopback

auto host0
iface host0 inet static
    address {address}/{subnet.prefixlen}
    gateway {gateway(subnet)}
    mtu {mtu}
"""


PREPARE_UNIT = f"""\
[Unit]
Description=Make this container look like a server
DefaultDependencies=no
Before=sysinit.target systemd-modules-load.service systemd-sysctl.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/{HERE}/prepare
"""

SSH_DROP_IN = """\
# Who is let in must not be told that the system is still booting.
[Unit]
After=raijin-lab.service systemd-user-sessions.service networking.service
"""
