"""The hosts of a benchmark: lab machines in a RAIJIN_HOME of their own, and what each tool needs to know about them."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from raijin.machines import lab
from raijin.machines.base import Machine
from raijin.machines.lab.state import LabPaths
from workload import HERE, converge_script

AT_ONCE = 8
"""Hosts that are prepared or reset at the same time."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """folder: everything of this benchmark; nothing of it is anywhere else."""

    folder: Path
    machines: tuple[Machine, ...]

    @property
    def names(self) -> list[str]:
        return [machine.name for machine in self.machines]

    @property
    def lab(self) -> LabPaths:
        return LabPaths(self.folder / "lab-home")

    def run(self, script: str, *arguments: str, with_name: bool = False, at_once: int = AT_ONCE) -> dict[str, str]:
        """The output of a script on every host. Raises SystemExit with the first that failed."""
        return asyncio.run(self._run(script, arguments, with_name=with_name, at_once=at_once))

    async def _run(self, script: str, arguments: Iterable[str], *, with_name: bool, at_once: int) -> dict[str, str]:
        slots = asyncio.Semaphore(at_once)

        async def one(name: str) -> tuple[str, str]:
            words = ["sh", "-s", *([name] if with_name else []), *arguments]
            command = ["ssh", "-F", str(self.lab.ssh_config), "-o", "KexAlgorithms=curve25519-sha256", name, *words]
            async with slots:
                process = await asyncio.create_subprocess_exec(
                    *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
                )
                output, errors = await process.communicate(script.encode())
            if process.returncode != 0:
                raise SystemExit(f"{name}: status {process.returncode}\n{output.decode()}{errors.decode()}")
            return name, output.decode()

        return dict(await asyncio.gather(*(one(name) for name in self.names)))

    def on_hosts(self, name: str, *arguments: str, with_name: bool = False) -> dict[str, str]:
        return self.run((HERE / "on_hosts" / name).read_text(), *arguments, with_name=with_name)

    def cpu_seconds(self) -> float | None:
        """CPU that all processes of all machines have used so far; None where the box does not count it."""
        old = Path("/sys/fs/cgroup/cpuacct") / self.lab.label / "cpuacct.usage"
        if old.exists():
            return int(old.read_text()) / 1e9
        folders = [Path("/sys/fs/cgroup") / self.lab.label]
        folders += Path("/sys/fs/cgroup/system.slice").glob(f"{self.lab.label}-*.service")
        counts = [folder / "cpu.stat" for folder in folders if (folder / "cpu.stat").exists()]
        if not counts:
            return None
        return sum(int(path.read_text().split()[1]) for path in counts) / 1e6


def up(folder: Path, count: int) -> Hosts:
    machines = asyncio.run(lab.up(lab.LabSpec(hosts=count), home=folder / "lab-home"))
    hosts = Hosts(folder, tuple(machines))
    _write(hosts)
    return hosts


def down(folder: Path) -> None:
    asyncio.run(lab.down(home=folder / "lab-home", purge=True))


def _write(hosts: Hosts) -> None:
    """The files by which each tool finds the hosts."""
    paths, folder = hosts.lab, hosts.folder
    addresses = {machine.name: machine.address for machine in hosts.machines}
    site = {"key": str(paths.key), "known_hosts": str(paths.known_hosts), "hosts": addresses}
    (folder / "inventory.json").write_text(json.dumps(site, indent=2))
    (folder / "converge.sh").write_text(converge_script())
    (folder / "raijin.yaml").write_text(yaml.safe_dump_all(_definition(hosts), sort_keys=False))
    reached = {
        "ssh_user": "root",
        "ssh_key": str(paths.key),
        "ssh_known_hosts_file": str(paths.known_hosts),
        "ssh_strict_host_key_checking": "yes",
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
    }
    listed = [(name, {"ssh_hostname": address, **reached}) for name, address in addresses.items()]
    (folder / "inventory.py").write_text(f"hosts = {listed!r}\n")
    (folder / "ansible.cfg").write_text("[defaults]\n")
    (folder / "inventory.ini").write_text("".join(f"{name}\n" for name in addresses))


def _definition(hosts: Hosts) -> list[dict[str, object]]:
    first, *others = hosts.names
    groups = [{"name": "control-plane", "role": "CONTROL_PLANE", "hosts": [first]}]
    if others:
        groups.append({"name": "workers", "role": "WORKER", "hosts": others})
    ssh = {"user": "root", "key": str(hosts.lab.key), "knownHosts": str(hosts.lab.known_hosts)}
    machines = [{"name": machine.name, "address": machine.address} for machine in hosts.machines]
    return [
        {"kind": "Site", "name": "bench", "ssh": ssh, "hosts": machines},
        {"kind": "Cluster", "name": "bench", "type": "VANILLA", "version": "v1.34.1", "nodeGroups": groups},
    ]
