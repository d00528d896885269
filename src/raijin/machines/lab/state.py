"""What the lab remembers: one JSON file, written before a thing is made, so that a killed command can be repaired.

What runs is never remembered but looked up (processes, links, tables): a reboot of the box makes nothing here a lie.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Network
from pathlib import Path

from raijin.errors import Locked, MachineError
from raijin.transport.delivery import atomic_write

PREFIX = "raijin-"
"""How the name of everything begins that any lab puts on a box."""
LABEL = re.compile(PREFIX + "[0-9a-f]{6}")
"""A lab's own label."""


@dataclass(frozen=True, slots=True)
class LabPaths:
    """Where one lab keeps its things, and the names on the box that belong to it alone (two homes, two labs)."""

    home: Path

    @property
    def root(self) -> Path:
        return self.home.absolute() / "lab"

    @property
    def record(self) -> Path:
        return self.root / "lab.json"

    @property
    def key(self) -> Path:
        return self.root / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        return self.root / "known_hosts"

    @property
    def ssh_config(self) -> Path:
        return self.root / "ssh_config"

    @property
    def machines(self) -> Path:
        return self.root / "machines"

    def machine(self, name: str) -> Path:
        return self.machines / name

    @property
    def identity(self) -> str:
        return hashlib.sha256(str(self.root).encode()).hexdigest()[:6]

    @property
    def label(self) -> str:
        """Name of the bridge, the nftables table and the cgroup folder; 13 characters, a link may have 15."""
        return f"{PREFIX}{self.identity}"

    def tag(self, name: str) -> str:
        """The nspawn machine name, which makes every process of a machine findable."""
        return f"{self.label}-{name}"


@dataclass(slots=True)
class MachineRecord:
    """One machine as it was made. base: key of the image below its overlay."""

    name: str
    address: str
    base: str
    host_key: str = ""
    memory: int | None = None


@dataclass(slots=True)
class LabRecord:
    """The lab as it was made.

    forwarded: accept rules were added to a FORWARD chain that drops, in the boot of the box with this boot_id.
    """

    subnet: str
    boot_id: str = ""
    forwarded: bool = False
    machines: dict[str, MachineRecord] = field(default_factory=dict)

    @property
    def network(self) -> IPv4Network:
        return IPv4Network(self.subnet)


def load(paths: LabPaths) -> LabRecord | None:
    """The record, None when there is no lab. Raises MachineError when the file is damaged."""
    try:
        raw = json.loads(paths.record.read_text())
        machines = {name: MachineRecord(**machine) for name, machine in raw.pop("machines").items()}
        return LabRecord(**raw, machines=machines)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise MachineError(
            f"the lab's record {paths.record} cannot be read: {error}",
            remedy="run `raijin lab down` to remove the lab, then `raijin lab up`",
        ) from error


def save(paths: LabPaths, record: LabRecord) -> None:
    atomic_write(paths.record, json.dumps(asdict(record), indent=2).encode() + b"\n", mode=0o600)


@contextmanager
def exclusive(folder: Path, what: str) -> Iterator[None]:
    """Hold the lock of a folder until the block ends (or this process dies). Raises Locked at once when it is taken."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Locked(f"another raijin command is at work on {what}", remedy="wait until it has ended") from error
    else:
        yield
    finally:
        os.close(handle)


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
