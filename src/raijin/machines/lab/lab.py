"""The lab as a whole: up, status, down, and the power switch of single machines."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from raijin.errors import MachineError, NotFound
from raijin.machines.base import Machine, Progress
from raijin.machines.lab import cgroups, guest, image, keys, machine, network, prerequisites, processes
from raijin.machines.lab.box import Box, survey
from raijin.machines.lab.spec import LabSpec, LabUser, check_users, choose_subnet, free_addresses, wanted_names
from raijin.machines.lab.state import PREFIX, LabPaths, LabRecord, MachineRecord, exclusive, load, save

PROVIDER = "LAB"


@dataclass(frozen=True, slots=True)
class LabStatus:
    """What there is of the lab. network_up: the bridge exists. subnet is empty when there is no lab."""

    folder: Path
    subnet: str
    bridge: str
    network_up: bool
    ssh_key: Path
    known_hosts: Path
    ssh_config: Path
    machines: tuple[Machine, ...]


def default_home() -> Path:
    return Path(os.environ.get("RAIJIN_HOME") or "~/.raijin").expanduser()


def default_cache() -> Path:
    return Path(os.environ.get("RAIJIN_LAB_CACHE") or "~/.cache/raijin-lab").expanduser()


def silent(subject: str, what: str) -> None:
    """Progress for nobody."""


async def up(
    spec: LabSpec, progress: Progress | None = None, *, home: Path | None = None, cache: Path | None = None
) -> list[Machine]:
    """Make what is missing of the wanted lab, start what is stopped; return the wanted machines, SSH answering.

    Raises MachineError, Locked while another command works on this lab.
    """
    report = progress or silent
    paths = LabPaths(home or default_home())
    names = wanted_names(spec)
    check_users(spec.users)
    await prerequisites.require(report, install=spec.install_missing)
    with exclusive(paths.root, f"the lab in {paths.root}"):
        prerequisites.require_disk(paths.root)
        box = await survey()
        if not box.nameservers:
            raise MachineError(
                "this box has no name server that machines could use",
                remedy="put a nameserver other than 127.0.0.x into /etc/resolv.conf",
            )
        recipe = await image.recipe()
        base = await image.ensure(cache or default_cache(), recipe, report)
        record = _extended(load(paths), spec, names, box, recipe.key)
        save(paths, record)
        await network.ensure(paths, record, box)
        for name in names:
            if not paths.machine(name).is_dir():
                report(name, "making the disk")
                await _make_disk(paths, record, name, base, await _files(paths, record, name, box, spec.users))
        keys.write_trust(paths, record.machines.values())
        await _start(paths, [record.machines[name] for name in names], base.parent, box, report)
        return [_machine(paths, record.machines[name]) for name in names]


def _extended(record: LabRecord | None, spec: LabSpec, names: Sequence[str], box: Box, base: str) -> LabRecord:
    """The record with the wanted machines in it; machines that exist keep everything."""
    if record is None:
        record = LabRecord(subnet=str(choose_subnet(spec.subnet, box.networks)))
    elif spec.subnet is not None and spec.subnet != record.subnet:
        raise MachineError(
            f"the lab already lives in {record.subnet}",
            remedy="leave --subnet out, or run `raijin lab down` before you choose another",
        )
    new = [name for name in names if name not in record.machines]
    taken = [existing.address for existing in record.machines.values()]
    for name, address in zip(new, free_addresses(record.network, taken, len(new)), strict=True):
        record.machines[name] = MachineRecord(name=name, address=address, base=base, memory=spec.memory)
    return record


async def _files(
    paths: LabPaths, record: LabRecord, name: str, box: Box, users: Sequence[LabUser]
) -> dict[str, guest.GuestFile]:
    """The files of a new machine, with a fresh identity whose host key is remembered before the disk exists."""
    pair = await keys.new_pair()
    identity = guest.Identity(
        name=name,
        address=record.machines[name].address,
        machine_id=machine.new_machine_id(),
        host_key=pair.private,
        host_key_public=pair.public,
        authorized_key=await keys.client_key(paths),
    )
    record.machines[name].host_key = pair.public
    return guest.guest_files(identity, record.network, box, users)


async def _make_disk(
    paths: LabPaths, record: LabRecord, name: str, base: Path, files: dict[str, guest.GuestFile]
) -> None:
    record.machines[name].base = base.name
    save(paths, record)
    await asyncio.to_thread(machine.make_disk, paths, name, base, files)


async def _start(paths: LabPaths, records: Sequence[MachineRecord], bases: Path, box: Box, report: Progress) -> None:
    """Start the stopped ones side by side and wait for all; the first failure is raised after the others are done."""
    turns = asyncio.Semaphore(max(2, os.cpu_count() or 2))

    async def one(entry: MachineRecord) -> None:
        base = bases / entry.base
        if not base.is_dir():
            raise MachineError(
                f"the base image {base} of {entry.name} is gone", remedy="run `raijin lab down`, then `raijin lab up`"
            )
        async with turns:
            if machine.state(paths, entry.name) == "running":
                await machine.wait_ready(paths, entry)
            else:
                report(entry.name, "starting")
                await machine.start(paths, entry, base, box)
                report(entry.name, f"ready at {entry.address}")

    results = await asyncio.gather(*(one(entry) for entry in records), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def status(*, home: Path | None = None) -> LabStatus:
    """What there is, looked up now. Needs neither root nor a lab."""
    paths = LabPaths(home or default_home())
    record = load(paths)
    return LabStatus(
        folder=paths.root,
        subnet=record.subnet if record else "",
        bridge=paths.label,
        network_up=network.is_up(paths),
        ssh_key=paths.key,
        known_hosts=paths.known_hosts,
        ssh_config=paths.ssh_config,
        machines=tuple(_machine(paths, entry) for entry in record.machines.values()) if record else (),
    )


async def down(
    names: Iterable[str] | None = None,
    progress: Progress | None = None,
    *,
    purge: bool = False,
    home: Path | None = None,
    cache: Path | None = None,
) -> list[str]:
    """Destroy machines with their disks; with the last one also the network. Returns the names of the destroyed.

    names: None for all. purge: also the SSH key and the cached base images. Works after a reboot of the box, after a
    killed `up` and with a damaged record, because everything of the lab bears the lab's label.
    """
    report = progress or silent
    paths = LabPaths(home or default_home())
    if not paths.root.is_dir():
        return []
    await prerequisites.require(report, install=False)
    with exclusive(paths.root, f"the lab in {paths.root}"):
        box = await survey()
        record: LabRecord | None = None
        with contextlib.suppress(MachineError):  # a damaged record must not keep the lab alive
            record = load(paths)
        existing = _existing(paths, record)
        doomed = existing if names is None else [name for name in existing if name in set(names)]
        await asyncio.gather(*(_destroy(paths, name, box, report) for name in doomed))
        left = [name for name in existing if name not in doomed]
        if left and record is not None:
            record.machines = {name: entry for name, entry in record.machines.items() if name in left}
            save(paths, record)
            keys.write_trust(paths, record.machines.values())
            return doomed
        report(PROVIDER, "removing the network")
        await network.remove(paths, record)
        if not box.delegated:
            await cgroups.clear([cgroups.lab_folder(hierarchy, paths) for hierarchy in box.hierarchies])
        _forget(paths, cache or default_cache(), purge=purge)
        return doomed


def _existing(paths: LabPaths, record: LabRecord | None) -> list[str]:
    """Every machine of which there is a record, a disk or a process."""
    found = dict.fromkeys(record.machines if record else ())
    if paths.machines.is_dir():
        found |= dict.fromkeys(path.name.strip(".").removesuffix(".partial") for path in paths.machines.iterdir())
    prefix = paths.tag("")
    found |= dict.fromkeys(tag.removeprefix(prefix) for tag in sorted(processes.tags(prefix)))
    return list(found)


async def _destroy(paths: LabPaths, name: str, box: Box, report: Progress) -> None:
    report(name, "destroying")
    await machine.stop(paths, name, box, pull_plug=True)
    await asyncio.to_thread(machine.remove_disk, paths, name)


def _forget(paths: LabPaths, cache: Path, *, purge: bool) -> None:
    for path in (paths.record, paths.known_hosts, paths.ssh_config):
        path.unlink(missing_ok=True)
    if paths.machines.is_dir():
        shutil.rmtree(paths.machines)
    if purge:
        shutil.rmtree(paths.root)
        if not processes.tags(PREFIX):  # another lab on this box runs on the same images
            shutil.rmtree(cache / "base", ignore_errors=True)


async def power_off(
    name: str, progress: Progress | None = None, *, pull_plug: bool = False, home: Path | None = None
) -> None:
    """Stop one machine and keep its disk, in order or as a power failure would. `up` starts it again."""
    paths = LabPaths(home or default_home())
    _with(paths, name)
    (progress or silent)(name, "pulling the plug" if pull_plug else "shutting down")
    await machine.stop(paths, name, await survey(), pull_plug=pull_plug)


async def power_on(
    name: str, progress: Progress | None = None, *, home: Path | None = None, cache: Path | None = None
) -> None:
    """Start one stopped machine and wait for SSH."""
    paths = LabPaths(home or default_home())
    record = _with(paths, name)
    box = await survey()
    await network.ensure(paths, record, box)
    await _start(paths, [record.machines[name]], (cache or default_cache()) / "base", box, progress or silent)


def _with(paths: LabPaths, name: str) -> LabRecord:
    """The record, which has this machine. Raises NotFound."""
    record = load(paths)
    if record is None or name not in record.machines:
        raise NotFound(f"there is no lab machine {name}", remedy="`raijin lab status` lists the machines")
    return record


def _machine(paths: LabPaths, entry: MachineRecord) -> Machine:
    return Machine(
        name=entry.name,
        address=entry.address,
        state=machine.state(paths, entry.name),
        provider=PROVIDER,
        ssh_key=paths.key,
        host_key=entry.host_key,
    )
