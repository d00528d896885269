"""The lab, for entry points."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import yaml

from raijin.machines.base import Machine
from raijin.machines.lab import lab
from raijin.machines.lab.lab import LabStatus
from raijin.machines.lab.spec import LabSpec, parse_size

Say = Callable[[str, str], None]


async def lab_up(
    home: Path,
    *,
    hosts: int,
    names: tuple[str, ...] = (),
    subnet: str | None = None,
    memory: str | None = None,
    say: Say | None = None,
) -> list[Machine]:
    """Raises MachineError."""
    spec = LabSpec(hosts=hosts, names=names, subnet=subnet, memory=parse_size(memory) if memory else None)
    return await lab.up(spec, say, home=home)


async def lab_status(home: Path) -> LabStatus:
    return await lab.status(home=home)


async def lab_power(home: Path, name: str, *, on: bool, pull_plug: bool = False, say: Say | None = None) -> None:
    """Raises NotFound, MachineError."""
    if on:
        await lab.power_on(name, say, home=home)
    else:
        await lab.power_off(name, say, pull_plug=pull_plug, home=home)


async def lab_down(home: Path, names: Iterable[str] = (), *, purge: bool = False, say: Say | None = None) -> list[str]:
    chosen = list(names)
    return await lab.down(chosen or None, say, purge=purge, home=home)


# What a kubelet and kube-proxy need in a lab machine, which is a container that shares the box's kernel and disk.
# See docs/explanation/lab.md for each line.
LAB_KUBEADM: dict[str, object] = {
    "kubeletConfiguration": {
        "failCgroupV1": False,
        "failSwapOn": False,
        "evictionHard": {"nodefs.available": "1%", "imagefs.available": "1%", "memory.available": "50Mi"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
    },
    "kubeProxyConfiguration": {
        "mode": "iptables",
        "conntrack": {"maxPerCore": 0, "min": None, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    },
    "initConfiguration": {"nodeRegistration": {"ignorePreflightErrors": ["SystemVerification"]}},
    "joinConfiguration": {"nodeRegistration": {"ignorePreflightErrors": ["SystemVerification"]}},
    "timeouts": {"controlPlaneComponentHealthCheck": "10m", "kubeletHealthCheck": "10m"},
}


def definition(
    home: Path, machines: Sequence[Machine], *, version: str, name: str = "lab", workers: int | None = None
) -> list[dict[str, object]]:
    """A Site of these machines and a Cluster on them: the first is the control plane, the others are workers."""
    chosen = list(machines[1:]) if workers is None else list(machines[1 : 1 + workers])
    groups: list[dict[str, object]] = [{"name": "control-plane", "role": "CONTROL_PLANE", "hosts": [machines[0].name]}]
    if chosen:
        groups.append({"name": "workers", "role": "WORKER", "hosts": [machine.name for machine in chosen]})
    site: dict[str, object] = {
        "kind": "Site",
        "name": "lab",
        "ssh": {"user": "root", "key": str(machines[0].ssh_key), "agent": False},
        "hosts": [{"name": m.name, "address": m.address, "ssh": {"hostKey": m.host_key}} for m in machines],
    }
    cluster: dict[str, object] = {
        "kind": "Cluster",
        "name": name,
        "type": "VANILLA",
        "version": version,
        "nodeGroups": groups,
        "kubernetes": {"kubeadm": LAB_KUBEADM},
    }
    return [site, cluster]


def definition_text(home: Path, machines: Sequence[Machine], *, version: str | None = None) -> str:
    from raijin.app.starting import best_version  # noqa: PLC0415

    documents = definition(home, machines, version=version or best_version(home))
    return yaml.safe_dump_all(documents, sort_keys=False, explicit_start=True)
