"""What the lab remembers and how it finds its own."""

from __future__ import annotations

import asyncio
import stat
import subprocess
import time
from pathlib import Path

import pytest

from raijin.errors import Locked, MachineError, NotFound
from raijin.machines import PROVIDERS, provider
from raijin.machines.lab import LabSpec, machine, processes, settings, status
from raijin.machines.lab.box import Box
from raijin.machines.lab.guest import GuestFile
from raijin.machines.lab.lab import _existing, _extended
from raijin.machines.lab.provider import in_turn
from raijin.machines.lab.state import LabPaths, LabRecord, MachineRecord, exclusive, load, save
from raijin.model.machines import MachineSource

EMPTY_BOX = Box((), False, True, 1500, (), (), "6.1.0", None, frozenset())


def test_the_record_comes_back_as_it_was(tmp_path: Path) -> None:
    paths = LabPaths(tmp_path)
    assert load(paths) is None
    record = LabRecord("198.51.100.0/24", "boot", True, {"a": MachineRecord("a", "198.51.100.11", "b", "key", 512)})
    save(paths, record)
    assert load(paths) == record
    assert stat.S_IMODE(paths.record.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"subnet": "x", "machines": {"a": {"nonsense": 1}}}'])
def test_a_damaged_record_says_the_way_out(tmp_path: Path, text: str) -> None:
    paths = LabPaths(tmp_path)
    paths.root.mkdir()
    paths.record.write_text(text)
    with pytest.raises(MachineError) as caught:
        load(paths)
    assert "raijin lab down" in str(caught.value.remedy)


def test_one_command_at_a_time(tmp_path: Path) -> None:
    with exclusive(tmp_path, "x"), pytest.raises(Locked), exclusive(tmp_path, "x"):
        pass
    with exclusive(tmp_path, "x"):
        pass


def test_machines_are_added_and_never_moved() -> None:
    first = _extended(None, LabSpec(), ("node1", "node2"), EMPTY_BOX, "base1")
    assert first.subnet == "198.51.100.0/24"
    more = _extended(first, LabSpec(memory=512), ("node1", "node3"), EMPTY_BOX, "base2")
    assert {name: (m.address, m.base, m.memory) for name, m in more.machines.items()} == {
        "node1": ("198.51.100.11", "base1", None),
        "node2": ("198.51.100.12", "base1", None),
        "node3": ("198.51.100.13", "base2", 512),
    }


def test_a_lab_does_not_change_its_subnet() -> None:
    with pytest.raises(MachineError, match="already lives in"):
        _extended(LabRecord("198.51.100.0/24"), LabSpec(subnet="198.18.0.0/24"), ("a",), EMPTY_BOX, "base")


def test_what_a_killed_up_left_is_found_without_a_record(tmp_path: Path) -> None:
    paths = LabPaths(tmp_path)
    (paths.machines / "node1").mkdir(parents=True)
    (paths.machines / ".node2.partial").mkdir()
    assert sorted(_existing(paths, None)) == ["node1", "node2"]


def test_a_disk_is_complete_or_not_there(tmp_path: Path) -> None:
    paths, base = LabPaths(tmp_path / "home"), tmp_path / "base"
    for place in ("var/lib", "etc", "root"):
        (base / place).mkdir(parents=True)
    (base / "root").chmod(0o700)
    (base / "var/lib/file").write_text("x")
    (base / "var/link").symlink_to("lib/file")
    (paths.machines / ".node1.partial").mkdir(parents=True)
    machine.make_disk(paths, "node1", base, {"root/.ssh/authorized_keys": GuestFile("key\n", 0o600)})
    folder = paths.machine("node1")
    assert (folder / "var/lib/file").read_text() == "x"
    assert (folder / "var/link").is_symlink()
    modes = {place: stat.S_IMODE((folder / "upper" / place).stat().st_mode) for place in ("root", "root/.ssh", "etc")}
    assert modes == {"root": 0o700, "root/.ssh": 0o700, "etc": 0o755}
    assert [path.name for path in paths.machines.iterdir()] == ["node1"]
    machine.remove_disk(paths, "node1")
    assert not folder.exists()


def test_settings_are_raised_once_and_put_back(tmp_path: Path) -> None:
    low, high, kept = tmp_path / "low", tmp_path / "high", tmp_path / "kept"
    low.write_text("0\n")
    high.write_text("99\n")
    least = {str(low): 1, str(high): 8}
    settings.raise_settings(least, kept)
    settings.raise_settings(least, kept)
    assert (low.read_text(), high.read_text()) == ("1", "99\n")
    settings.restore_settings(kept)
    assert (low.read_text(), high.read_text(), kept.exists()) == ("0", "99\n", False)
    settings.restore_settings(kept)


def test_a_process_that_becomes_another_program_has_not_ended(tmp_path: Path) -> None:
    """On its way from setsid to nspawn a machine that started was taken for one that had ended while it booted."""
    program = tmp_path / "again"
    program.write_text('[ "$1" = 0 ] || exec sh "$0" $(($1 - 1)) "$2"\nread x\n')
    child = subprocess.Popen(["/bin/sh", str(program), "300", "--machine=raijin-test-e"], stdin=subprocess.PIPE)
    try:
        begun = time.monotonic()
        while time.monotonic() < begun + 0.5:
            assert child.pid in processes.tagged("raijin-test-e")
    finally:
        child.kill()
        child.communicate()


async def test_processes_are_found_by_their_whole_tag() -> None:
    child = await asyncio.create_subprocess_exec("sh", "-c", "read x", "--machine=raijin-test-a1", stdin=-1)
    try:
        assert child.pid in processes.tagged("raijin-test-a1")
        assert processes.tagged("raijin-test-a") == {}
        assert processes.tags("raijin-test-") == {"raijin-test-a1"}
        killed = asyncio.create_task(processes.kill("raijin-test-a1"))
        await child.wait()
        assert await killed
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def test_no_lab_is_a_status_too(tmp_path: Path) -> None:
    found = await status(home=tmp_path)
    assert (found.machines, found.subnet, found.network_up) == ((), "", False)
    assert await provider("LAB", tmp_path).machines() == []


def test_an_unknown_provider_is_named_with_the_known(tmp_path: Path) -> None:
    assert list(PROVIDERS) == [source.value for source in MachineSource] == ["LAB"]
    with pytest.raises(NotFound) as caught:
        provider("cloud", tmp_path)
    assert "LAB" in str(caught.value.remedy)


async def test_who_finds_the_lab_at_work_waits_for_his_turn(tmp_path: Path) -> None:
    seen = []

    async def work(name: str) -> str:
        with exclusive(tmp_path, "the lab"):
            seen.append(name)
            await asyncio.sleep(0.05)
            seen.append(name)
        return name

    found = await asyncio.gather(*(in_turn(lambda name=name: work(name)) for name in "abc"))
    assert found == ["a", "b", "c"]
    assert [seen[at] == seen[at + 1] for at in (0, 2, 4)] == [True, True, True]
