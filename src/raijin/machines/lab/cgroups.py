"""A subtree of its own for each machine in every cgroup hierarchy, so that two kubelets never share /kubepods.

Used where no systemd rules the box's cgroups; where it does (cgroup v2), the subtree is a transient unit with
Delegate=yes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from raijin.errors import MachineError
from raijin.machines.lab.box import Box, Hierarchy
from raijin.machines.lab.state import LabPaths

POLL = 0.05


def lab_folder(hierarchy: Hierarchy, paths: LabPaths) -> Path:
    return hierarchy.path / paths.label


def subtree(hierarchy: Hierarchy, paths: LabPaths, name: str) -> Path:
    return lab_folder(hierarchy, paths) / name


def make(box: Box, paths: LabPaths, name: str, memory: int | None) -> None:
    """Create the machine's subtree; existing folders are kept. Raises MachineError."""
    try:
        for hierarchy in box.hierarchies:
            _delegate(hierarchy.path)
            for folder in (lab_folder(hierarchy, paths), subtree(hierarchy, paths, name)):
                folder.mkdir(exist_ok=True)
                if "cpuset" in hierarchy.controllers:
                    for setting in ("cpuset.cpus", "cpuset.mems"):
                        (folder / setting).write_text((hierarchy.path / setting).read_text())
            _delegate(lab_folder(hierarchy, paths))
            _limit(hierarchy, subtree(hierarchy, paths, name), memory)
    except OSError as error:
        raise MachineError(
            f"cannot make the cgroup of {name}: {error}",
            remedy="check that /sys/fs/cgroup is writable (a container needs --privileged)",
        ) from error


def _delegate(folder: Path) -> None:
    """cgroup v2: hand every controller to the children, as far as the kernel lets us (no processes in the folder)."""
    control = folder / "cgroup.subtree_control"
    if not control.exists():
        return
    for controller in (folder / "cgroup.controllers").read_text().split():
        with contextlib.suppress(OSError):
            control.write_text(f"+{controller}")


def _limit(hierarchy: Hierarchy, folder: Path, memory: int | None) -> None:
    setting = "memory.max" if hierarchy.version == 2 else "memory.limit_in_bytes"
    if memory is not None and (folder / setting).exists():
        (folder / setting).write_text(str(memory))


def members(folder: Path) -> set[int]:
    """Every process in a subtree."""
    found: set[int] = set()
    for place, _, _ in os.walk(folder):
        with contextlib.suppress(OSError):
            found.update(int(pid) for pid in (Path(place) / "cgroup.procs").read_text().split())
    return found


async def clear(folders: list[Path], deadline: float = 10.0) -> None:
    """Kill what still lives in these subtrees and remove them. Raises MachineError when the kernel keeps one."""
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline
    while left := [folder for folder in folders if folder.exists()]:
        for folder in left:
            for pid in members(folder):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for place, _, _ in os.walk(folder, topdown=False):
                with contextlib.suppress(OSError):
                    Path(place).rmdir()
        if loop.time() > end:
            raise MachineError(
                f"the cgroup {left[0]} cannot be removed", remedy=f"look at the processes in {left[0]}/cgroup.procs"
            )
        await asyncio.sleep(POLL)
