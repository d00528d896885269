"""Part of host-health: what boards suffer from, which are weak power supplies, heat, and cards that wear out."""

from __future__ import annotations

from collections.abc import Iterable

from raijin.facts.board import CAPPED, SINCE_START, SOFT_LIMIT, THROTTLED, UNDER_VOLTAGE, Board
from raijin.facts.disks import Disks
from raijin.platforms.view import HostView
from raijin.validation.finding import Grade

WARM, HOT = 70.0, 85.0
"""°C: from where people should look (the kernel of a Raspberry Pi begins to slow down at 80), and where it must."""
DATA = "/var/lib"

Judgement = tuple[Grade, str, str]
"""What, in words, and the remedy."""


def boards(view: HostView, *, control_plane: bool) -> Iterable[Judgement]:
    """What is to be said about a host, if it is such a machine; and about a file system that took no more writes."""
    disks, board = view.facts.disks, view.facts.board
    if isinstance(disks, Disks):
        yield from _read_only(disks)
    if isinstance(board, Board):
        yield from _power(board)
        if isinstance(disks, Disks) and control_plane:
            yield from _card(disks, board)


def _read_only(disks: Disks) -> Iterable[Judgement]:
    place = disks.place(DATA)
    if place in disks.read_only:
        text = f"the file system {place} takes no more writes: it was mounted read-only, as after an error"
        yield Grade.FAILED, text, "see `dmesg`; check the disk or the card, and replace it"


def _power(board: Board) -> Iterable[Judgement]:
    heat, word = board.temperature, board.throttled or 0
    if heat is not None and heat >= WARM:
        yield Grade.FAILED if heat >= HOT else Grade.WARNING, f"it is {heat:.0f} °C hot", "cool it better"
    if word & UNDER_VOLTAGE:
        yield Grade.WARNING, "its voltage is too low now", "a stronger power supply or cable"
    elif word >> SINCE_START & UNDER_VOLTAGE:
        yield Grade.WARNING, "its voltage was too low since its start", "a stronger power supply or cable"
    if word & (CAPPED | THROTTLED | SOFT_LIMIT):
        yield Grade.WARNING, "it is slowed down now, because of heat or voltage", "cool it, and see to its power supply"


def _card(disks: Disks, board: Board) -> Iterable[Judgement]:
    """docs.k3s.io: "etcd is write intensive; SD cards and eMMC cannot handle the IO load"; SQLite writes as well."""
    holder = disks.holder(DATA)
    if holder is not None and holder.name in board.cards:
        text = f"the data of its control plane is on an SD card ({holder.name}), which writing wears out"
        yield Grade.WARNING, text, "put it on an SSD, and make backups"
