"""The shell program that becomes a machine. Pure.

It runs in a mount namespace of its own (`unshare --mount`), so the overlay exists only for the machine and vanishes
with it, however it ends: the box never sees a mount of the lab.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from raijin.machines.lab.box import Box
from raijin.machines.lab.cgroups import subtree
from raijin.machines.lab.state import LabPaths

DEVICES = ("/dev/kmsg", "/dev/net/tun", "/dev/fuse", "/dev/loop-control")
"""Devices of the box that a Kubernetes host expects (the kubelet refuses to start without kmsg)."""

REBOOTED = 133
"""Exit status by which systemd-nspawn says that the machine wants to boot again."""


@dataclass(frozen=True, slots=True)
class Launch:
    """Everything that one start of a machine depends on."""

    name: str
    folder: Path
    base: Path
    tag: str
    bridge: str
    devices: tuple[str, ...] = ()
    module_folder: Path | None = None


def nspawn(launch: Launch) -> list[str]:
    """The command line of systemd-nspawn."""
    binds = [f"--bind={launch.folder / 'var'}:/var", *(f"--bind={device}" for device in launch.devices)]
    if launch.module_folder is not None:
        binds.append(f"--bind-ro={launch.module_folder}")
    return [
        "systemd-nspawn",
        "--quiet",
        f"--directory={launch.folder / 'root'}",
        "--boot",
        "--register=no",
        "--keep-unit",
        f"--machine={launch.tag}",
        f"--hostname={launch.name}",
        f"--network-bridge={launch.bridge}",
        "--capability=all",
        "--drop-capability=CAP_SYS_TIME",  # the clock is the box's
        # perf_event_open: Cilium's agent hears its BPF programs through it
        "--system-call-filter=@keyring bpf perf_event_open add_key keyctl request_key",
        "--system-call-filter=~@swap",  # swapoff would end the box's swap
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        "--kill-signal=SIGRTMIN+3",
        *binds,
    ]


def script(launch: Launch, box: Box, paths: LabPaths) -> str:
    """The program that starts the machine and boots it again when it reboots."""
    folder = launch.folder
    options = f"lowerdir={launch.base},upperdir={folder / 'upper'},workdir={folder / 'work'}"
    mount = shlex.join(["mount", "-t", "overlay", "overlay", "-o", options, str(folder / "root")])
    command = shlex.join(nspawn(launch))
    head = f"""\
#!/bin/sh
# Starts the lab machine {launch.name}; written by `raijin lab up` at each start.
set -eu
{mount}
export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
"""
    if box.delegated:  # systemd starts the unit again on status 133
        return f"{head}exec {command}\n"
    enter = "\n".join(
        f"    echo 0 >{shlex.quote(str(subtree(hierarchy, paths, launch.name) / 'cgroup.procs'))}"
        for hierarchy in box.hierarchies
    )
    return f"""{head}
boot() {{
  (
{enter}
    exec {command}
  )
}}
while :; do
  status=0
  boot || status=$?
  [ "$status" = {REBOOTED} ] || exit "$status"
done
"""


def starter(launch: Launch, program: Path, *, unit: str | None, memory: int | None) -> list[str]:
    """The command that runs the program detached from us: as a transient unit where systemd rules, else as a daemon.

    The tag is an argument of every process on the way, which is how `processes` finds them.
    """
    inner = ["unshare", "--mount", "--propagation", "slave", "sh", str(program), f"--machine={launch.tag}"]
    if unit is None:
        log = shlex.quote(str(launch.folder / "console.log"))
        return ["sh", "-c", f'exec setsid --fork "$@" </dev/null >>{log} 2>&1', "sh", *inner]
    properties = {
        "Delegate": "yes",
        "KillMode": "mixed",
        "RestartForceExitStatus": str(REBOOTED),
        "SuccessExitStatus": str(REBOOTED),
        "TasksMax": "16384",
        "StandardOutput": f"append:{launch.folder / 'console.log'}",
        "StandardError": f"append:{launch.folder / 'console.log'}",
    }
    if memory is not None:
        properties["MemoryMax"] = str(memory)
    flags = [f"--property={name}={value}" for name, value in properties.items()]
    return ["systemd-run", "--quiet", "--collect", f"--unit={unit}", *flags, *inner]
