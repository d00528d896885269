"""A simulated host: what is on it, what was there before Raijin, and how much of its own time it has spent.

All that an operation can change is a `thing`: a kind and a key (`path /etc/hosts`, `unit kubelet.service`), with a
value. What Raijin changes is noted in a receipt first, as on a real host; so putting everything back, and asking
whether anything is left, is the same for every kind of thing.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from raijin.errors import OperationFailed
from raijin.facts.raijin import STATE_FOLDER

Thing = tuple[str, str]
STAMPS = f"{STATE_FOLDER}/stamps"
OWNER = f"{STATE_FOLDER}/owner"
STAGE = f"{STATE_FOLDER}/stage"
RECEIPTS = f"{STATE_FOLDER}/receipts"
KERNEL = "6.12.0-rehearsal"
BOOT_SECONDS = 45.0

_FOLDERS = (
    "/", "/etc", "/etc/apt", "/etc/apt/keyrings", "/etc/apt/sources.list.d", "/etc/default", "/etc/modules-load.d",
    "/etc/sysctl.d", "/etc/systemd", "/etc/systemd/system", "/home", "/opt", "/root", "/run", "/srv", "/usr",
    "/usr/local", "/usr/local/bin", "/usr/local/lib", "/usr/local/sbin", "/usr/local/share", "/var", "/var/lib",
    "/var/log",
)  # fmt: skip
_RHEL_FOLDERS = ("/etc/NetworkManager", "/etc/NetworkManager/conf.d", "/etc/pki/rpm-gpg", "/etc/yum.repos.d")
_UNITS = ("/etc/systemd/system", "/usr/local/lib/systemd/system")
_PACKAGES = ("apt", "bash", "coreutils", "curl", "iproute2", "openssh-server", "systemd", "tar", "util-linux")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is at a path. at: when it was written, by the host's own count of changes."""

    type: str = "file"
    content: str = ""
    mode: str = "644"
    owner: str = "root"
    group: str = "root"
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of systemd. sums: the watched files as they were at its start by us; None when something else started it.

    text: of its own file, as systemd read it last.
    """

    running: bool = False
    enabled: bool = False
    masked: bool = False
    sums: tuple[tuple[str, str], ...] | None = field(default=None, compare=False)
    text: str = field(default="", compare=False)
    started: int = field(default=0, compare=False)


@dataclass
class Host:
    """number: of the host in its site, from 1. family: of its Linux, `debian` or `rhel`. up: it answers. off: it
    was switched off, by Raijin or for it.

    seconds: of its own time, spent so far. cut: the seconds of its own time at which a lost link comes back. slow: by
    how much its disk is slower than others. renewals: how often its certificates were made anew. release: the
    version of a system that is one with the distribution.
    """

    name: str
    address: str
    arch: str
    number: int
    family: str = "debian"
    up: bool = True
    off: bool = False
    cut: float = 0.0
    slow: float = 1.0
    boot: int = 1
    seconds: float = 0.0
    ticks: int = 0
    things: dict[Thing, object] = field(default_factory=dict)
    receipts: dict[str, dict[Thing, object]] = field(default_factory=dict)
    staged: dict[str, int] = field(default_factory=dict)
    stops: set[str] = field(default_factory=set)
    renewals: int = 0
    release: str = ""

    def __post_init__(self) -> None:
        self.things |= self.pristine()

    def pristine(self) -> dict[Thing, object]:
        """As its system was installed."""
        made: dict[Thing, object] = {("path", path): Entry("directory", mode="755") for path in _FOLDERS}
        made["path", "/etc/fstab"] = Entry(content="UUID=rehearsal / ext4 defaults 0 1\n/swapfile none swap sw 0 0\n")
        made["path", "/etc/hostname"] = Entry(content=f"{self.name}\n")
        made |= {("package", name): True for name in _PACKAGES}
        made["unit", "ssh.service"] = Unit(running=True, enabled=True)
        made["swap", ""] = True
        if self.family == "rhel":
            made |= {("path", path): Entry("directory", mode="755") for path in _RHEL_FOLDERS}
            made["unit", "NetworkManager.service"] = Unit(running=True, enabled=True)
        return made

    def of_kind(self, kind: str) -> list[tuple[str, str]]:
        return [thing for thing in self.things if thing[0] == kind]

    def leftovers(self) -> list[str]:
        """What is not as it was before Raijin, for people; empty when nothing is left."""
        before = self.pristine()
        found = [f"{kind} {key}".strip() for kind, key in self.things if (kind, key) not in before]
        found += [f"{k} {n} is gone" for k, n in before if (k, n) not in self.things]
        found += [f"{k} {n} differs" for (k, n), value in before.items() if self.things.get((k, n), value) != value]
        return sorted(found)

    @property
    def mac(self) -> str:
        high, low = divmod(self.number, 256)
        return f"02:00:5e:{high >> 8:02x}:{high & 255:02x}:{low:02x}"

    def tick(self) -> int:
        self.ticks += 1
        return self.ticks

    def entry(self, path: str) -> Entry | None:
        found = self.things.get(("path", path))
        return found if isinstance(found, Entry) else None

    def text(self, path: str) -> str:
        """The content of a file; empty when there is none."""
        found = self.entry(path)
        return found.content if found else ""

    def below(self, path: str) -> Iterator[str]:
        """Every path below a folder."""
        start = f"{path.rstrip('/')}/"
        return (key for kind, key in list(self.things) if kind == "path" and key.startswith(start))

    def exists(self, path: str) -> bool:
        return ("path", path) in self.things or any(True for _ in self.below(path))

    def is_folder(self, path: str) -> bool:
        entry = self.entry(path)
        return (entry is not None and entry.type == "directory") or (entry is None and self.exists(path))

    def write(self, path: str, content: str = "", *, mode: str = "644", kind: str = "file") -> None:
        """Something other than an operation (kubeadm, a kubelet) writes a file: without a receipt."""
        self.things["path", path] = Entry(kind, content, mode, at=self.tick())

    def remove(self, path: str) -> None:
        """A path, with everything below it."""
        for key in (path, *self.below(path)):
            self.things.pop(("path", key), None)

    def move(self, source: str, target: str) -> None:
        """A path, with everything below it."""
        for path in (source, *self.below(source)):
            entry = self.things.pop(("path", path), None)
            if entry is not None:
                self.things["path", target + path[len(source) :]] = entry

    def unit(self, name: str) -> Unit | None:
        """The unit, if there is one: it is known, or its file exists."""
        found = self.things.get(("unit", name))
        if isinstance(found, Unit):
            return found
        return Unit() if any(self.entry(f"{folder}/{name}") is not None for folder in _UNITS) else None

    def runs(self, name: str) -> bool:
        unit = self.unit(f"{name}.service")
        return unit is not None and unit.running

    def start_unit(self, name: str) -> None:
        """Something other than a Unit operation starts it (kubeadm starts the kubelet)."""
        unit = self.unit(name) or Unit()
        text = self.text(f"/etc/systemd/system/{name}")
        now = self.tick()
        self.things["unit", name] = Unit(True, unit.enabled, unit.masked, None, text, now)

    def stop_unit(self, name: str) -> None:
        unit = self.unit(name)
        if unit is not None:
            self.things["unit", name] = Unit(False, unit.enabled, unit.masked, unit.sums, unit.text, unit.started)

    def content(self, path: str) -> bytes:
        if path == "/proc/sys/kernel/random/boot_id":
            return f"{self.name}-{self.boot}\n".encode()
        entry = self.entry(path)
        if entry is None or entry.type != "file":
            raise OperationFailed(f"{path} cannot be read: there is no such file", host=self.name)
        return entry.content.encode("latin-1", "surrogateescape") if path.endswith(".tar") else entry.content.encode()

    def sum(self, path: str) -> str:
        """What tells two contents of a path apart."""
        entry = self.entry(path)
        return "absent" if entry is None else entry.content

    @property
    def epoch(self) -> float:
        """What its clock shows: the same as ours, in seconds since the epoch."""
        return time.time()

    @property
    def machine_id(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()[:32]

    def wipe(self) -> None:
        """As its system was installed; what a system that is one with the distribution is, it stays."""
        self.things = self.pristine()

    def reboot(self) -> None:
        """Down, and up again: what is enabled runs."""
        self.boot += 1
        self.seconds += BOOT_SECONDS
        self.things.pop(("path", "/run/reboot-required"), None)
        for thing, value in list(self.things.items()):
            if isinstance(value, Unit):
                now = self.tick()
                self.things[thing] = Unit(value.enabled, value.enabled, value.masked, value.sums, value.text, now)
