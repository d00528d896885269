"""The base image: a plain Debian server, made once by debootstrap and shared read-only below every machine."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from raijin.errors import MachineError, ProcessError
from raijin.machines.base import Progress
from raijin.machines.lab import apt
from raijin.machines.lab.state import exclusive
from raijin.transport import local

SUITE = "bookworm"

PACKAGES = (
    *("systemd", "systemd-sysv", "libpam-systemd", "dbus", "openssh-server", "sudo"),
    *("iproute2", "ifupdown", "iptables", "nftables", "iputils-ping", "ethtool", "netbase"),
    *("kmod", "procps", "ca-certificates", "curl", "python3-minimal", "e2fsprogs", "less"),
)
"""What a fresh server has. The container runtime, conntrack, socat and the like are for Raijin to bring."""

STAGES = ("retrieving", "extracting", "unpacking", "configuring")
"""What debootstrap does, in its words."""

ROOM = 1536 * 1024 * 1024
"""Bytes that must be free to make the image."""

CONTAINED = ("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child")
"""Mounts and processes of what follows vanish with this process, however it ends."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the image is made from; the same recipe is the same image."""

    suite: str
    architecture: str
    packages: tuple[str, ...]
    access: apt.AptAccess

    @property
    def key(self) -> str:
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{self.suite}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


async def recipe() -> Recipe:
    return Recipe(SUITE, platform.machine(), PACKAGES, await apt.access())


def folder(cache: Path, key: str) -> Path:
    return cache / "base" / key


async def ensure(cache: Path, recipe: Recipe, progress: Progress) -> Path:
    """The image's tree, made if it is not in the cache. Raises MachineError, Locked while another process makes it."""
    target = folder(cache, recipe.key)
    if target.is_dir():
        return target
    with exclusive(target.parent, f"the base image in {target.parent}"):
        if target.is_dir():
            return target
        for stale in target.parent.glob(".partial-*"):
            shutil.rmtree(stale)
        if shutil.disk_usage(target.parent).free < ROOM:
            raise MachineError(
                f"{target.parent} has less than {ROOM >> 20} MiB free",
                remedy="free space, or set RAIJIN_LAB_CACHE to a folder on a larger disk",
            )
        partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=target.parent))
        try:
            await _bootstrap(partial, recipe, progress)
            await _finish(partial, recipe)
            partial.chmod(0o755)
            partial.rename(target)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    return target


async def _bootstrap(tree: Path, recipe: Recipe, progress: Progress) -> None:
    seen: set[str] = set()

    def report(line: str) -> None:
        verb = line.removeprefix("I: ").split(" ", 1)[0].lower()
        if line.startswith("I: ") and verb in STAGES and verb not in seen:
            seen.add(verb)
            progress("base image", f"{verb} packages")

    progress("base image", f"debootstrap of Debian {recipe.suite} from {recipe.access.mirror}")
    argv = [
        *CONTAINED,
        "debootstrap",
        "--variant=minbase",
        f"--keyring={apt.KEYRING}",
        f"--include={','.join(recipe.packages)}",
        recipe.suite,
        str(tree),
        recipe.access.mirror,
    ]
    try:
        await local.run(argv, env=recipe.access.proxy, on_line=report, timeout=3600)
    except ProcessError as error:
        raise MachineError(
            f"debootstrap of Debian {recipe.suite} from {recipe.access.mirror} failed: {error.message}",
            remedy="check that the mirror is reachable from this box (proxy in /etc/apt/apt.conf.d), then run again",
            detail=error.detail,
        ) from error


async def _finish(tree: Path, recipe: Recipe) -> None:
    """Take out what must differ between machines and what only fills the disk; put in how to reach a mirror."""
    for pattern in ("etc/ssh/ssh_host_*", "etc/machine-id", "var/lib/dbus/machine-id", "etc/apt/sources.list"):
        for path in tree.glob(pattern):
            path.unlink()
    for pattern in ("var/lib/apt/lists/*", "var/cache/apt/*", "var/log/*.log", "var/log/apt/*"):
        for path in tree.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    (tree / "etc/hostname").unlink(missing_ok=True)
    (tree / "etc/apt/sources.list.d/debian.sources").write_text(apt.sources(recipe.access, recipe.suite))
    if recipe.access.options:
        (tree / "etc/apt/apt.conf.d/90-lab").write_text("\n".join(recipe.access.options) + "\n")
    own = tree / "usr/local/share/ca-certificates"
    own.mkdir(parents=True, exist_ok=True)
    for name, text in recipe.access.certificates.items():
        (own / name).write_text(text)
    if recipe.access.certificates:
        await local.run([*CONTAINED, "chroot", str(tree), "update-ca-certificates"], timeout=300)
