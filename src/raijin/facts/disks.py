"""Disks, what is mounted from them, and the room that is left."""

from __future__ import annotations

from dataclasses import dataclass

SNIPPET = r"""
stat -f -c 'free %n %S %b %a %c %d' / /var /var/lib /tmp
"""
FILES = (
    "/sys/block/*/size",
    "/sys/block/*/queue/rotational",
    "/sys/block/*/device/model",
    "/sys/block/*/removable",
    "/proc/self/mounts",
)

_VIRTUAL = ("loop", "ram", "zram", "dm-", "md", "nbd", "sr", "fd", "zd")


@dataclass(frozen=True, slots=True)
class Disk:
    """size: bytes. mounts: (device, path) of the file systems on it and its partitions."""

    name: str
    size: int
    rotational: bool
    removable: bool
    model: str
    mounts: tuple[tuple[str, str], ...]

    @property
    def kind(self) -> str:
        return "nvme" if self.name.startswith("nvme") else "hdd" if self.rotational else "ssd"


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes and inodes of the file system that holds a path; `free` is what root's programs may still use."""

    path: str
    size: int
    free: int
    inodes: int
    inodes_free: int


@dataclass(frozen=True, slots=True)
class Disks:
    """read_only: where file systems of disks are mounted that take no writes."""

    disks: tuple[Disk, ...]
    space: tuple[Space, ...]
    read_only: tuple[str, ...] = ()

    def place(self, path: str) -> str:
        """Where the file system is mounted that holds a path; empty when it is on no disk that is known."""
        places = [place for disk in self.disks for _, place in disk.mounts]
        holding = [place for place in places if f"{path}/".startswith(f"{place.rstrip('/')}/")]
        return max(holding, key=len, default="")

    def holder(self, path: str) -> Disk | None:
        """The disk that holds a path; None when that is not known."""
        place = self.place(path)
        return next((disk for disk in self.disks if place and place in {at for _, at in disk.mounts}), None)


def parse(text: str) -> Disks:
    fields: dict[str, dict[str, str]] = {}
    mounts: list[tuple[str, str]] = []
    space: list[Space] = []
    read_only: list[str] = []
    for line in text.splitlines():
        path, _, value = line.partition(":")
        if line.startswith("/sys/block/"):
            parts = path.split("/")
            fields.setdefault(parts[3], {})[parts[-1]] = value.strip()
        elif path == FILES[-1] and value.startswith("/dev/"):
            device, place, _, options = value.split()[:4]
            mounts.append((device, _unescaped(place)))
            if {"ro", "emergency_ro"} & {*options.split(",")}:
                read_only.append(_unescaped(place))
        elif line.startswith("free "):
            path, *numbers = line.split()[1:]
            block, size, free, inodes, inodes_free = map(int, numbers)
            space.append(Space(path, block * size, block * free, inodes, inodes_free))
    real = sorted((name, values) for name, values in fields.items() if not name.startswith(_VIRTUAL))
    return Disks(tuple(_disk(name, values, mounts) for name, values in real), tuple(space), tuple(read_only))


def _disk(name: str, values: dict[str, str], mounts: list[tuple[str, str]]) -> Disk:
    size = int(values.get("size", "0")) * 512
    here = tuple((device, path) for device, path in mounts if _on(device.removeprefix("/dev/"), name))
    rotational, removable = values.get("rotational") == "1", values.get("removable") == "1"
    return Disk(name, size, rotational, removable, values.get("model", ""), here)


def _on(device: str, disk: str) -> bool:
    """Is the device the disk or a partition of it? (sda1 is of sda, nvme0n1p2 of nvme0n1)"""
    rest = device.removeprefix(disk)
    return device == disk or (device.startswith(disk) and rest.removeprefix("p").isdigit())


def _unescaped(path: str) -> str:
    return path.encode().decode("unicode_escape") if "\\" in path else path
