"""Where a host packs a backup of the cluster, and how it is cleaned up."""

from __future__ import annotations

from collections.abc import Sequence

from raijin.facts.raijin import STATE_FOLDER
from raijin.operations.absent import Absent
from raijin.operations.base import Operation
from raijin.operations.command import Command
from raijin.operations.directory import Directory
from raijin.operations.program import Program
from raijin.platforms.base import Context

FOLDER = f"{STATE_FOLDER}/backup"
"""Readable by root alone, and there only while a backup is made."""
SNAPSHOT = f"{FOLDER}/etcd.db"
PACKED = f"{FOLDER}/backup.tar"
SNAPSHOT_SECONDS = 1800


def pack(context: Context, snapshot: Operation, files: Sequence[str]) -> Program:
    """`snapshot` makes the file SNAPSHOT; files are paths from `/`.

    It always begins anew: what an interrupted backup left is from another time.
    """
    part = f"{PACKED}.part"
    whole = ("tar", "-cf", part, "-C", FOLDER, "etcd.db", "-C", "/", *(path.lstrip("/") for path in files))
    operations: tuple[Operation, ...] = (
        Absent(FOLDER, recursive=True),
        Directory(FOLDER, mode="700"),
        snapshot,
        Command("pack what belongs to it", whole, creates=part, timeout=SNAPSHOT_SECONDS),
        Command("close the pack", ("mv", part, PACKED), creates=PACKED),
    )
    return Program("take a snapshot", context.cluster.name, operations)


def clean(context: Context) -> Program:
    """Nothing of the backup stays on the host."""
    return Program("clean up", context.cluster.name, (Absent(FOLDER, recursive=True),))
