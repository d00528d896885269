"""The processes of a machine, found by the tag in their arguments, so that no pid file can be wrong."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

POLL = 0.05
EXEC_LOOKS, EXEC_PAUSE = 50, 0.001
"""How often, and after how many seconds, a process without arguments is looked at."""
PROGRAMS = {"systemd-run", "setsid", "unshare", "sh", "systemd-nspawn"}
"""What a start of a machine runs on the box; another program with the same argument is somebody looking."""


def tagged(tag: str) -> dict[int, str]:
    """pid -> program of each process of the machine that runs on the box itself (nspawn and what starts it)."""
    wanted = f"--machine={tag}".encode()
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                arguments = _arguments(entry)
                program = Path(os.fsdecode(arguments[0])).name
                if wanted in arguments and program in PROGRAMS:
                    found[int(entry.name)] = program
    return found


def tags(prefix: str) -> set[str]:
    """Every machine tag with this prefix that has a process."""
    start = f"--machine={prefix}".encode()
    found: set[str] = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                for argument in _arguments(entry):
                    if argument.startswith(start):
                        found.add(os.fsdecode(argument.removeprefix(b"--machine=")))
    return found


def _arguments(entry: Path) -> list[bytes]:
    """The arguments of a process. Raises OSError when it is gone.

    They are empty for a moment while it becomes another program (execve), in which it would look as if it had ended.
    """
    for _ in range(EXEC_LOOKS):
        found = (entry / "cmdline").read_bytes()
        if found:
            return found.split(b"\0")
        (entry / "exe").readlink()  # the kernel's own processes have none, and those that have ended
        time.sleep(EXEC_PAUSE)
    return [b""]


async def shut_down(tag: str, deadline: float) -> bool:
    """Ask nspawn to shut the machine down in order; False when it still runs after `deadline` seconds."""
    asked: set[int] = set()
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline
    while running := tagged(tag):
        for pid, program in running.items():
            if program == "systemd-nspawn" and pid not in asked:
                asked.add(pid)
                _signal(pid, signal.SIGTERM)
        if loop.time() > end:
            return False
        await asyncio.sleep(POLL)
    return True


async def kill(tag: str, deadline: float = 10.0) -> bool:
    """Pull the plug: SIGKILL to nspawn (its machine dies with it) and to what started it."""
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline
    while running := tagged(tag):
        for pid in running:
            _signal(pid, signal.SIGKILL)
        if loop.time() > end:
            return False
        await asyncio.sleep(POLL)
    return True


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
