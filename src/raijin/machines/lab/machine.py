"""The life of one lab machine: its disk, its start, its end."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import stat
import uuid
from collections.abc import Mapping
from pathlib import Path

from raijin.errors import MachineError
from raijin.machines.base import MachineState
from raijin.machines.lab import cgroups, processes
from raijin.machines.lab.box import Box
from raijin.machines.lab.guest import GuestFile, guest_links
from raijin.machines.lab.launcher import DEVICES, Launch, script, starter
from raijin.machines.lab.state import PREFIX, LabPaths, MachineRecord
from raijin.transport import local
from raijin.transport.delivery import atomic_write

NSPAWN = Path("/run/systemd/nspawn")
POLL = 0.1
GONE = 3.0
"""Seconds without a process after which a machine counts as ended; on a busy box one may be hard to see for a while."""
BOOT_DEADLINE = 120.0
"""Seconds from the start until SSH must answer; two seconds is usual, a busy CI box may need many more."""


def new_machine_id() -> str:
    return uuid.uuid4().hex


def state(paths: LabPaths, name: str) -> MachineState:
    return "running" if "systemd-nspawn" in processes.tagged(paths.tag(name)).values() else "stopped"


def make_disk(paths: LabPaths, name: str, base: Path, files: Mapping[str, GuestFile]) -> None:
    """The machine's layer over the base image, complete or not there at all. Blocking.

    /var is a plain copy, not an overlay: container runtimes keep overlays of their own there, and the kernel refuses an
    overlay whose upper layer is an overlay.
    """
    folder = paths.machine(name)
    partial = folder.with_name(f".{name}.partial")
    if partial.exists():
        shutil.rmtree(partial)
    for part in ("upper", "work", "root"):
        (partial / part).mkdir(parents=True, mode=0o755)
    shutil.copytree(base / "var", partial / "var", symlinks=True, copy_function=_copy_with_owner)
    _copy_owners(base / "var", partial / "var")
    for place, file in files.items():
        path = _placed(partial / "upper", base, place)
        path.touch(mode=0o600)
        path.write_text(file.content)
        path.chmod(file.mode)
    for place, target in guest_links().items():
        _placed(partial / "upper", base, place).symlink_to(target)
    partial.rename(folder)


def _copy_with_owner(source: str, target: str) -> None:
    shutil.copy2(source, target, follow_symlinks=False)
    owner = Path(source).lstat()
    os.chown(target, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _copy_owners(source: Path, target: Path) -> None:
    for place, folders, _ in os.walk(source):
        for name in [".", *folders]:
            original = Path(place) / name
            if not original.is_symlink():
                owner = original.stat()
                os.chown(target / original.relative_to(source), owner.st_uid, owner.st_gid)
                (target / original.relative_to(source)).chmod(stat.S_IMODE(owner.st_mode))


def _placed(upper: Path, base: Path, place: str) -> Path:
    """The path below `upper`, its folders made with the modes that the base image gives them (private for .ssh)."""
    path = upper / place
    for parent in reversed(path.relative_to(upper).parents):
        made = upper / parent
        if not made.is_dir():
            original = base / parent
            made.mkdir()
            made.chmod(stat.S_IMODE(original.stat().st_mode) if original.is_dir() else 0o755)
            if made.name == ".ssh":
                made.chmod(0o700)
    return path


async def start(paths: LabPaths, record: MachineRecord, base: Path, box: Box) -> None:
    """Start a stopped machine and wait until SSH answers. Raises MachineError."""
    folder, tag = paths.machine(record.name), paths.tag(record.name)
    await _sweep(paths, record.name, box)
    launch = Launch(
        name=record.name,
        folder=folder,
        base=base,
        tag=tag,
        bridge=paths.label,
        devices=tuple(device for device in DEVICES if Path(device).exists()),
        module_folder=box.module_folder,
    )
    program = folder / "launch"
    atomic_write(program, script(launch, box, paths).encode(), mode=0o700)
    (folder / "console.log").write_bytes(b"")
    if not box.delegated:
        cgroups.make(box, paths, record.name, record.memory)
    unit = tag if box.delegated else None
    await local.run(starter(launch, program, unit=unit, memory=record.memory), timeout=30)
    await wait_ready(paths, record)


async def wait_ready(paths: LabPaths, record: MachineRecord, deadline: float = BOOT_DEADLINE) -> None:
    """Wait until the machine's SSH server says its name. Raises MachineError with the end of the console."""
    loop = asyncio.get_running_loop()
    seen = loop.time()
    end = seen + deadline
    while not await _ssh_answers(record.address):
        if processes.tagged(paths.tag(record.name)):
            seen = loop.time()
        gone = loop.time() - seen > GONE
        if gone or loop.time() > end:
            what = "ended while it booted" if gone else f"did not answer on SSH within {deadline:g} s"
            console = paths.machine(record.name) / "console.log"
            last = "; ".join(_tail(console, 3).splitlines())
            raise MachineError(
                f"the lab machine {record.name} {what}" + (f": {last}" if last else ""),
                remedy=f"look at {console}, then run `raijin lab up` again",
                detail=_tail(console),
            )
        await asyncio.sleep(POLL)


async def _ssh_answers(address: str) -> bool:
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(address, 22)
            try:
                return (await reader.readline()).startswith(b"SSH-")
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError):
        return False


def _tail(path: Path, lines: int = 40) -> str:
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


async def stop(paths: LabPaths, name: str, box: Box, *, pull_plug: bool = False, deadline: float = 40.0) -> None:
    """End the machine: in order, or at once with `pull_plug`; what does not obey within the deadline is killed."""
    tag = paths.tag(name)
    if pull_plug:
        await _unplug(tag)  # a kernel that has lost its power answers nobody; here it is there a while longer
    if pull_plug or not await processes.shut_down(tag, deadline):
        await processes.kill(tag)
    await _sweep(paths, name, box)
    _sweep_shared()


async def _sweep(paths: LabPaths, name: str, box: Box) -> None:
    """Remove what a killed machine leaves: half-dead processes, its cgroups, nspawn's folders in /run."""
    tag = paths.tag(name)
    if processes.tagged(tag):
        await processes.kill(tag)
    await _unplug(tag)
    if box.delegated:
        await local.run(["systemctl", "stop", f"{tag}.service"], check=False, timeout=60)
        await local.run(["systemctl", "reset-failed", f"{tag}.service"], check=False, timeout=60)
    else:
        await cgroups.clear([cgroups.subtree(hierarchy, paths, name) for hierarchy in box.hierarchies])
    _sweep_nspawn(tag)


async def _unplug(tag: str) -> None:
    """Delete the box's end of its link: it goes by itself only when the last namespace of a killed machine has ended.

    nspawn gives it this name, by which it also goes when it is too long to be its first one.
    """
    await local.run(["ip", "link", "delete", "dev", f"vb-{tag}"], check=False)


def _sweep_nspawn(tag: str) -> None:
    """A killed nspawn leaves its lock file and an empty folder or two; what nobody holds is removed.

    Before a start too, and so nothing that nspawns have in common: another machine's may be about to use it.
    """
    for lock in NSPAWN.glob("locks/inode-*"):
        with contextlib.suppress(OSError), lock.open("r+b") as stream:
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock.unlink()
    _rmdir(f"propagate/{tag}", f"unix-export/{tag}")


def _sweep_shared() -> None:
    """The folders of all nspawns, when the last one has ended: the next one makes them again."""
    if not processes.tags(PREFIX):
        _rmdir("propagate", "unix-export", "locks", "")


def _rmdir(*places: str) -> None:
    for place in places:
        with contextlib.suppress(OSError):
            (NSPAWN / place).rmdir()


def remove_disk(paths: LabPaths, name: str) -> None:
    """Delete the machine's files. Blocking. Raises MachineError while something is mounted below them."""
    folder = paths.machine(name)
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    if inside := [place for place in mounted if Path(place).is_relative_to(folder)]:
        raise MachineError(f"{inside[0]} is still mounted", remedy=f"umount {inside[0]}, then run `raijin lab down`")
    for place in (folder, folder.with_name(f".{name}.partial")):
        if place.exists():
            shutil.rmtree(place)
