"""What the box must have before it can carry a lab, and how it gets it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from raijin.errors import MachineError, ProcessError
from raijin.machines.base import Progress
from raijin.machines.lab import apt, box
from raijin.transport import local


def _program(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name) is not None


NEEDED: tuple[tuple[str, Callable[[], bool]], ...] = (
    ("systemd-container", _program("systemd-nspawn")),
    ("debootstrap", _program("debootstrap")),
    ("debian-archive-keyring", apt.KEYRING.is_file),
    ("iproute2", _program("ip")),
    ("nftables", _program("nft")),
    ("iptables", _program("iptables")),
    ("openssh-client", _program("ssh-keygen")),
    ("util-linux", _program("setpriv")),
)
"""(Debian or Ubuntu package, whether what the lab needs of it is there)."""


def missing_packages() -> list[str]:
    return [package for package, present in NEEDED if not present()]


async def install_prerequisites(progress: Progress) -> None:
    """Install the missing packages with apt-get. Raises MachineError when that is not possible."""
    packages = missing_packages()
    if not packages:
        return
    if not box.is_root() or shutil.which("apt-get") is None:
        raise MachineError(
            f"the lab needs packages that this box lacks: {', '.join(packages)}",
            remedy=f"as root on Debian or Ubuntu: apt-get install {' '.join(packages)}",
        )
    progress("box", f"installing {', '.join(packages)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        await local.run(["apt-get", "-q", "update"], env=quiet, timeout=600)
        await local.run(
            ["apt-get", "-q", "-y", "install", "--no-install-recommends", *packages], env=quiet, timeout=1800
        )
    except ProcessError as error:
        raise MachineError(
            f"apt-get could not install {', '.join(packages)}: {error.message}",
            remedy="repair apt on this box (apt-get update), then run again",
            detail=error.detail,
        ) from error


def filesystem(path: Path, mounts: str) -> str:
    """The type of the filesystem that holds `path`, by the lines of /proc/mounts."""
    best, kind = Path("/"), ""
    for line in mounts.splitlines():
        _, place, found, *_ = line.split()
        if path.is_relative_to(place) and Path(place).is_relative_to(best):
            best, kind = Path(place), found
    return kind


def require_disk(folder: Path) -> None:
    """Machines are overlays, and the kernel refuses an overlay on an overlay. Raises MachineError."""
    if filesystem(folder.resolve(), Path("/proc/mounts").read_text()) == "overlay":
        raise MachineError(
            f"{folder} lies on an overlay filesystem, where no machine can be made",
            remedy="set RAIJIN_HOME to a folder on a plain disk (in a container: on a volume)",
        )


async def require(progress: Progress, *, install: bool) -> None:
    """Make sure that the lab can work here. Raises MachineError with everything to install."""
    if not box.is_root():
        raise MachineError("the lab makes machines and networks, which only root may", remedy="run it with sudo")
    if install:
        await install_prerequisites(progress)
    if packages := missing_packages():
        raise MachineError(
            f"the lab needs packages that this box lacks: {', '.join(packages)}",
            remedy=f"apt-get install {' '.join(packages)}",
        )
    if "overlay" not in Path("/proc/filesystems").read_text().split():
        await local.run(["modprobe", "overlay"], check=False)
        if "overlay" not in Path("/proc/filesystems").read_text().split():
            raise MachineError("the kernel of this box has no overlayfs", remedy="use a kernel with overlay support")
