"""Boards in host-health: heat, voltage, SD cards, file systems that take no writes. Law: servers are left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.plans.conftest import UNKNOWN

from raijin.facts.board import Board
from raijin.facts.disks import Disk, Disks
from raijin.platforms.view import HostView
from raijin.validation.finding import Finding, Grade
from raijin.validation.hosts import host_health
from raijin.validation.seen import Seen
from raijin.validation.subject import Place, Subject

PI = Board(True, True, "/boot/firmware/cmdline.txt", 48.0, 0, ("mmcblk0",))
SERVER = Board(True, False, "", None, None, ())
CARD = Disk("mmcblk0", 32 << 30, False, False, "", (("/dev/mmcblk0p1", "/boot/firmware"), ("/dev/mmcblk0p2", "/")))
NO_DISKS = Disks((), ())
SSD = Disk("sda", 1 << 40, False, False, "", (("/dev/sda1", "/var/lib"),))


def judged(board: Board, disks: Disks = NO_DISKS, *, control_plane: bool = False) -> list[Finding]:
    subject = Subject("home", "K3S", "v1.34.10+k3s1", (Place("pi1", control_plane),), 6443, "/etc/rancher/k3s/k3s.yaml")
    facts = replace(UNKNOWN, board=board, disks=disks)
    return list(host_health(Seen(subject, 0.0, hosts={"pi1": HostView(facts)})))


@pytest.mark.parametrize(
    ("board", "grade", "text"),
    [
        (PI, Grade.OK, "it answers"),
        (SERVER, Grade.OK, "it answers"),
        (replace(PI, temperature=69.9), Grade.OK, "it answers"),
        (replace(PI, temperature=70.0), Grade.WARNING, "70 °C"),
        (replace(PI, temperature=85.2), Grade.FAILED, "85 °C"),
        (replace(PI, throttled=0x1), Grade.WARNING, "too low now"),
        (replace(PI, throttled=0x10000), Grade.WARNING, "too low since its start"),
        (replace(PI, throttled=0x4), Grade.WARNING, "slowed down now"),
        (replace(PI, throttled=0x8), Grade.WARNING, "slowed down now"),
        (replace(PI, throttled=0x40000), Grade.OK, "it answers"),
    ],
)
def test_heat_and_voltage(board: Board, grade: Grade, text: str) -> None:
    (finding,) = judged(board)
    assert finding.grade is grade
    assert text in finding.text


def test_several_faults_are_told_apart() -> None:
    found = judged(replace(PI, temperature=81, throttled=0x50005))
    assert [finding.grade for finding in found] == [Grade.WARNING] * 3


@pytest.mark.parametrize(
    ("disks", "control_plane", "told"),
    [
        ((CARD,), True, True),
        ((CARD,), False, False),
        ((CARD, SSD), True, False),
        ((), True, False),
    ],
)
def test_a_control_plane_on_an_sd_card(disks: tuple[Disk, ...], control_plane: bool, told: bool) -> None:
    (finding,) = judged(PI, Disks(disks, ()), control_plane=control_plane)
    assert (finding.grade is Grade.WARNING) is told
    assert ("SD card (mmcblk0)" in finding.text) is told


@pytest.mark.parametrize(("disks", "read_only", "bad"), [((CARD,), ("/",), True), ((CARD, SSD), ("/",), False),
                                                        ((CARD,), ("/boot/firmware",), False)])  # fmt: skip
@pytest.mark.parametrize("board", [PI, SERVER])
def test_a_file_system_that_takes_no_more_writes(
    board: Board, disks: tuple[Disk, ...], read_only: tuple[str, ...], bad: bool
) -> None:
    found = judged(board, Disks(disks, (), read_only))
    assert any(finding.grade is Grade.FAILED and "no more writes" in finding.text for finding in found) is bad
