"""Kernel settings of the box that a lab needs, raised for the first lab and put back after the last.

The values before are kept in /run for all labs of the box together: the lab that goes first must not take forwarding
away from another, and a reboot makes them void.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from raijin.machines.lab.state import boot_id
from raijin.transport.delivery import atomic_write

FOLDER = Path("/run/raijin-lab")

LEAST = {
    "/proc/sys/net/ipv4/ip_forward": 1,
    "/proc/sys/fs/inotify/max_user_instances": 8192,
    "/proc/sys/fs/inotify/max_user_watches": 524288,
}
"""Least value of each setting; the inotify limits count for all machines together."""


def raise_settings(least: Mapping[str, int] = LEAST, folder: Path = FOLDER) -> None:
    """Raise what is too low; what was there before is on disk first."""
    with _turn(folder):
        low = {path: Path(path).read_text().strip() for path in least}
        low = {path: value for path, value in low.items() if int(value) < least[path]}
        if low:
            before = low | _remembered(folder)  # the values from before the first lab stay
            text = json.dumps({"boot_id": boot_id(), "before": before})
            atomic_write(folder / "settings.json", text.encode())
        for path in low:
            Path(path).write_text(str(least[path]))


def restore_settings(folder: Path = FOLDER) -> None:
    """Put back what was there before the first lab; to be called by the last."""
    if not folder.is_dir():
        return
    with _turn(folder):
        for path, value in _remembered(folder).items():
            Path(path).write_text(value)
        shutil.rmtree(folder)


def _remembered(folder: Path) -> dict[str, str]:
    try:
        kept = json.loads((folder / "settings.json").read_text())
        return dict(kept["before"]) if kept["boot_id"] == boot_id() else {}
    except (FileNotFoundError, ValueError, KeyError):
        return {}


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """One lab at a time; held for milliseconds, so waiting is right."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o755)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
