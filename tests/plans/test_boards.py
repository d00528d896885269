"""K3s on Raspberry Pi. Law: a board is started again once, before it is a node, and never while it is one."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from tests.plans.conftest import World, filled

from raijin.artifacts.catalogue import kind_of
from raijin.artifacts.needs import ArtifactNeed
from raijin.definition.load import load
from raijin.facts.board import Board
from raijin.facts.hardware import Hardware
from raijin.facts.os import OperatingSystem
from raijin.lifecycle.preflight import preflight
from raijin.operations.kernelarguments import KernelArguments
from raijin.operations.package import Package
from raijin.operations.reboot import Reboot
from raijin.platforms import platform_of
from raijin.platforms.boards import MODULES_PACKAGE

FRESH = Board(False, False, "/boot/firmware/cmdline.txt", 48.0, 0, ("mmcblk0",))
RUNNING = replace(FRESH, memory=True, told=True)
MODERN = replace(FRESH, memory=True)
SERVER = Board(True, False, "", None, None, ())


def world_of(examples, board: Board, system: str = "debian 12", example: str = "k3s") -> World:
    name, version = system.split()
    told = {
        "board": board,
        "os": OperatingSystem(name, version, name, "debian"),
        "hardware": filled(Hardware, board="Raspberry Pi 5 Model B Rev 1.0"),
    }
    return World(load((examples / f"{example}.yaml",), {}), told=told)


def prepared(world: World) -> list[object]:
    context = world.context()
    program = platform_of(context.cluster).prepare(context, context.first)
    return [o for o in program.operations if isinstance(o, KernelArguments | Package | Reboot)]


@pytest.mark.parametrize(
    ("board", "kinds"),
    [
        (FRESH, [KernelArguments, Reboot]),
        (RUNNING, [KernelArguments, Reboot]),
        (MODERN, []),
        (SERVER, []),
    ],
)
@pytest.mark.parametrize("example", ["k3s", "rke2-ha"])
def test_what_a_board_is_given(examples, example: str, board: Board, kinds: list[type]) -> None:
    world = world_of(examples, board, example=example)
    assert preflight(world.context()) == []
    assert [type(o) for o in prepared(world)] == kinds


def test_the_words_are_those_of_k3s_and_a_running_node_is_not_started_again(examples) -> None:
    """The words that docs.k3s.io names. Where the kernel accounts memory, the reboot has no reason."""
    words, reboot = prepared(world_of(examples, RUNNING))
    assert isinstance(words, KernelArguments)
    assert isinstance(reboot, Reboot)
    assert (words.path, words.words) == (FRESH.cmdline, ("cgroup_memory=1", "cgroup_enable=memory"))
    assert reboot.flag == ""
    assert "cgroup.controllers" in reboot.when[2]


@pytest.mark.parametrize(
    ("board", "reason"),
    [
        (replace(FRESH, told=True), "although it is told to"),
        (replace(FRESH, cmdline=""), "start it with `cgroup_memory=1 cgroup_enable=memory`"),
    ],
)
def test_what_nothing_can_mend_is_refused_before_anything_is_changed(examples, board: Board, reason: str) -> None:
    found = preflight(world_of(examples, board).context())
    assert found
    assert all(reason in one for one in found)


@pytest.mark.parametrize(
    ("system", "wanted"),
    [("ubuntu 22.04", True), ("ubuntu 21.10", True), ("ubuntu 23.10", True), ("ubuntu 24.04", False),
     ("ubuntu 20.04", False), ("debian 12", False)],
)  # fmt: skip
def test_the_package_with_vxlan(examples, system: str, wanted: bool) -> None:
    packages = [o for o in prepared(world_of(examples, RUNNING, system)) if isinstance(o, Package)]
    assert packages == ([Package((MODULES_PACKAGE,))] if wanted else [])
    other = world_of(examples, RUNNING, system, "k3s-ha")
    assert not [o for o in prepared(other) if isinstance(o, Package)], "that network does not need it"


def test_without_the_fact_nothing_is_done(examples, world) -> None:
    context = world("k3s").context()
    program = platform_of(context.cluster).prepare(context, context.first)
    assert not any(isinstance(o, KernelArguments | Reboot) for o in program.operations)


@pytest.mark.parametrize(
    ("written", "arch", "file"), [("armhf", "arm", "k3s-armhf"), ("aarch64", "arm64", "k3s-arm64")]
)
def test_the_program_of_the_architecture(examples, written: str, arch: str, file: str) -> None:
    text = (examples / "k3s.yaml").read_text().replace("arch: arm64", f"arch: {written}")
    definition = load(io.StringIO(text), {})
    cluster = definition.cluster()
    assert str(definition.site().hosts[0].arch) == arch
    needs = platform_of(cluster).needs(cluster, str(cluster.version), [arch], None)
    (program,) = (need for need in needs if isinstance(need, ArtifactNeed) and need.name == "k3s")
    assert kind_of("k3s").url(program.version, program.arch).endswith(f"/{file}")
