"""SSH keys of the lab: one client key, a host key per machine, and the files by which ssh trusts exactly those."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from raijin.machines.lab.state import LabPaths, MachineRecord
from raijin.transport import local
from raijin.transport.delivery import atomic_write


@dataclass(frozen=True, slots=True)
class KeyPair:
    """private: the OpenSSH file. public: type and key, without a comment."""

    private: str
    public: str


async def new_pair() -> KeyPair:
    """A fresh ed25519 key without a passphrase."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "key"
        await local.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)])
        public = " ".join(path.with_suffix(".pub").read_text().split()[:2])
        return KeyPair(path.read_text(), public)


async def client_key(paths: LabPaths) -> str:
    """The public half of the lab's client key, made at the first call."""
    public = paths.key.with_suffix(".pub")
    if not paths.key.exists() or not public.exists():
        pair = await new_pair()
        atomic_write(public, f"{pair.public} raijin-lab\n".encode())
        atomic_write(paths.key, pair.private.encode(), mode=0o600)
    return public.read_text().strip()


def known_hosts(machines: Iterable[MachineRecord]) -> str:
    return "".join(f"{machine.name},{machine.address} {machine.host_key}\n" for machine in machines)


def ssh_config(paths: LabPaths, machines: Iterable[MachineRecord]) -> str:
    """A configuration for `ssh -F`, by which machines are reached by name."""
    hosts = "".join(f"\nHost {machine.name}\n    HostName {machine.address}\n" for machine in machines)
    return f"""\
Host *
    User root
    IdentityFile {paths.key}
    IdentitiesOnly yes
    UserKnownHostsFile {paths.known_hosts}
    StrictHostKeyChecking yes
{hosts}"""


def write_trust(paths: LabPaths, machines: Iterable[MachineRecord]) -> None:
    """Write known_hosts and ssh_config for these machines."""
    machines = list(machines)
    atomic_write(paths.known_hosts, known_hosts(machines).encode())
    atomic_write(paths.ssh_config, ssh_config(paths, machines).encode())
