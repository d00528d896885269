"""The lab itself, for real: machines that a plain ssh client reaches, and a box that is left as it was."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from raijin.errors import ProcessError
from raijin.machines import lab
from raijin.machines.base import Machine
from raijin.machines.lab import LabSpec, LabUser, processes
from raijin.machines.lab.state import LabPaths
from raijin.transport import local

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(os.geteuid() != 0, reason="the lab needs root"),
]

SPEC = LabSpec(hosts=2, users=(LabUser("ann", "password", "lab-password"), LabUser("bob", "nopasswd")))


async def traces(home: Path) -> dict[str, object]:
    """Everything on the box that this lab could leave behind; mounts of others come and go, those below it do not."""
    places = (str(home), str(lab.default_cache() / "base"), "raijin-", "overlay")
    rules = await local.run(["nft", "list", "ruleset"], check=False)
    mine = ("ip_forward", "max_user_instances", "max_user_watches")
    values = [*Path("/proc/sys/net/ipv4").glob("ip_forward"), *Path("/proc/sys/fs/inotify").iterdir()]
    run = [
        path for folder in ("/run/netns", "/run/systemd/nspawn", "/run/raijin-lab") for path in Path(folder).rglob("*")
    ]
    tables = Path("/proc/net/ip_tables_names")
    return {
        "mounts": [
            line for line in Path("/proc/mounts").read_text().splitlines() if any(part in line for part in places)
        ],
        "links": sorted(path.name for path in Path("/sys/class/net").iterdir()),
        "rules": rules.stdout,
        "tables": tables.read_text() if tables.exists() else "",
        "settings": {path.name: path.read_text() for path in values if path.name in mine},
        "cgroups": sorted(str(path) for path in Path("/sys/fs/cgroup").glob("**/raijin-*")),
        "run": sorted(str(path) for path in run),
        "machines": sorted(processes.tags("raijin-")),
    }


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Path]:
    """A RAIJIN_HOME of its own; whatever happens, its lab is taken down and must have left no trace."""
    await lab.install_prerequisites(lambda _subject, _what: None)
    before = await traces(tmp_path)
    try:
        yield tmp_path
    finally:
        await lab.down(home=tmp_path)
    assert await traces(tmp_path) == before


async def ssh(home: Path, name: str, command: str, *, user: str = "root", stdin: bytes | None = None) -> str:
    argv = ["ssh", "-F", str(LabPaths(home).ssh_config), "-o", "BatchMode=yes", f"{user}@{name}", command]
    return (await local.run(argv, stdin=stdin, timeout=120)).stdout.strip()


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.005)


async def exists(path: Path) -> bool:
    return path.exists()


async def identity_of(home: Path, machines: list[Machine]) -> list[str]:
    return [
        await ssh(home, machine.name, "cat /etc/machine-id /proc/sys/kernel/random/boot_id") for machine in machines
    ]


async def test_two_machines_from_nothing_to_nothing(home: Path) -> None:
    machines = await lab.up(SPEC, home=home)
    assert [(machine.name, machine.state) for machine in machines] == [("node1", "running"), ("node2", "running")]

    # They are servers: booted without a fault, named, reachable from each other and from inside to outside.
    for machine_, other in zip(machines, reversed(machines), strict=True):
        assert await ssh(home, machine_.name, "systemctl is-system-running --wait") == "running"
        assert await ssh(home, machine_.name, "hostname") == machine_.name
        await ssh(home, machine_.name, f"ping -c 1 -W 2 {other.address}")
        await ssh(home, machine_.name, "findmnt -no PROPAGATION / | grep -x shared")
    assert len(set(await identity_of(home, machines))) == 2

    # A kubelet could work there, and its settings stay in the machine.
    before = Path("/proc/sys/kernel/panic").read_text()
    await ssh(home, "node1", "sysctl -w kernel.panic=77 vm.overcommit_memory=1 net.ipv4.ip_forward=1")
    assert Path("/proc/sys/kernel/panic").read_text() == before
    writable = "cd /sys/fs/cgroup && cd memory 2>/dev/null; mkdir kubepods-test && rmdir kubepods-test"
    await ssh(home, "node1", f"{writable} && test -c /dev/kmsg && modprobe overlay")
    assert await ssh(home, "node1", "command -v containerd runc kubelet || echo plain") == "plain"

    # Both kinds of sudo.
    assert await ssh(home, "node2", "sudo -n id -u", user="bob") == "0"
    assert await ssh(home, "node2", "sudo -S -p '' id -u", user="ann", stdin=b"lab-password\n") == "0"
    assert await ssh(home, "node2", "sudo -n id -u 2>/dev/null || echo refused", user="ann") == "refused"

    # The second `up` changes nothing and is quick; more hosts add only what is missing.
    first = await identity_of(home, machines)
    started = time.monotonic()
    assert await lab.up(SPEC, home=home) == machines
    assert time.monotonic() - started < 5
    assert len(await lab.up(LabSpec(hosts=3), home=home)) == 3
    assert await identity_of(home, machines) == first

    # Single machines go, the rest stays.
    assert await lab.down(["node3"], home=home) == ["node3"]
    assert [found.name for found in (await lab.status(home=home)).machines] == ["node1", "node2"]
    assert await lab.down(home=home) == ["node1", "node2"]
    assert await lab.down(home=home) == []


async def test_apt_works_inside(home: Path) -> None:
    await lab.up(LabSpec(hosts=1), home=home)
    await ssh(
        home, "node1", "apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install socat conntrack"
    )
    assert "conntrack" in await ssh(home, "node1", "command -v conntrack socat")


async def test_power(home: Path) -> None:
    """A reboot from inside, an orderly power-off, a power failure: the disk and the host key stay."""
    machines = await lab.up(LabSpec(hosts=1), home=home)
    (before,) = await identity_of(home, machines)
    await ssh(home, "node1", "echo kept > /root/note; sync")
    with contextlib.suppress(ProcessError):  # the machine closes the connection under the command
        await ssh(home, "node1", "systemctl reboot")

    async def booted_again() -> bool:
        try:
            return await identity_of(home, machines) != [before]
        except ProcessError:
            return False

    await until(booted_again)
    for pull_plug in (False, True):
        await lab.power_off("node1", pull_plug=pull_plug, home=home)
        assert [found.state for found in (await lab.status(home=home)).machines] == ["stopped"]
        await lab.power_on("node1", home=home)
        assert await ssh(home, "node1", "cat /root/note") == "kept"


async def test_a_machine_starts_again_while_its_last_network_is_still_there(home: Path) -> None:
    """The namespaces of a killed machine end when the kernel has the time: nspawn found its link there, and gave up."""
    await lab.up(LabSpec(hosts=1), home=home)
    running = processes.tagged(LabPaths(home).tag("node1")).items()
    nspawn = next(pid for pid, program in running if program == "systemd-nspawn")
    first = Path(f"/proc/{nspawn}/task/{nspawn}/children").read_text().split()[0]
    held = await asyncio.create_subprocess_exec("nsenter", "-t", first, "-n", "sleep", "120")
    try:
        await asyncio.sleep(0.5)  # until it has entered
        await lab.power_off("node1", pull_plug=True, home=home)
        await lab.power_on("node1", home=home)
        assert await ssh(home, "node1", "hostname") == "node1"
    finally:
        held.kill()
        await held.wait()


async def test_up_repairs_what_was_killed(home: Path) -> None:
    """kill -9 of a machine's nspawn, and of `up` itself while it works: the same command again makes it whole."""
    await lab.up(LabSpec(hosts=1), home=home)
    for pid, program in processes.tagged(LabPaths(home).tag("node1")).items():
        if program == "systemd-nspawn":
            os.kill(pid, signal.SIGKILL)
    await lab.up(LabSpec(hosts=1), home=home)
    assert await ssh(home, "node1", "hostname") == "node1"

    program = "import asyncio; from raijin.machines import lab; asyncio.run(lab.up(lab.LabSpec(hosts=3)))"
    for moment in (".node2.partial", "node3/console.log"):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, env=os.environ | {"RAIJIN_HOME": str(home)}
        )
        reached = partial(exists, LabPaths(home).machines / moment)
        await until(reached)
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
    machines = await lab.up(LabSpec(hosts=3), home=home)
    assert [await ssh(home, found.name, "hostname") for found in machines] == ["node1", "node2", "node3"]


async def test_memory_is_limited(home: Path) -> None:
    await lab.up(LabSpec(hosts=1, memory=lab.parse_size("256M")), home=home)
    paths, groups = LabPaths(home), Path("/sys/fs/cgroup")
    places = (f"memory/{paths.label}/node1/memory.limit_in_bytes", f"**/{paths.tag('node1')}.service/memory.max")
    assert [found.read_text().strip() for place in places for found in groups.glob(place)] == ["268435456"]
