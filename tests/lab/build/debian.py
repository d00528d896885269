"""Debian packages: the compilers this machine needs, and the programs that go into images."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from common import BuildError, run, say

MERGED_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64")
PROGRAM_FOLDERS = ("usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "etc/xtables.conf", "etc/protocols", "etc/services")
LEFT_OUT = ("gconv", "audit", "tmpfiles.d", "systemd", "sysusers.d")
HARMLESS_TO_SKIP = frozenset({"adduser", "base-files", "debconf", "dpkg", "install-info", "passwd", "sysuser-helper"})


def ensure_installed(packages: Iterable[str]) -> None:
    """Install what is missing, when this user may; otherwise say what to install."""
    missing = [package for package in packages if not _installed(package)]
    if not missing:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if os.geteuid() != 0:
        message = f"missing packages: {' '.join(missing)}. Install them first: sudo {' '.join(command)}"
        raise BuildError(message)
    say(f"installing {' '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        run(command, env=environment)
    except BuildError:  # the package lists are old or absent
        run(["apt-get", "update"], env=environment)
        run(command, env=environment)


def unpack_closure(packages: Sequence[str], folder: Path) -> Path:
    """Download packages with everything they depend on and return a root directory with their programs."""
    downloads, root = folder / "debs", folder / "root"
    downloads.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    wanted, known = set(packages), set[str]()
    while wanted:
        _download(sorted(wanted), downloads)
        known |= wanted
        wanted = {needed for name in wanted for needed in _dependencies(_deb(name, downloads))} - known
    unpacked = folder / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    for name in sorted(known):
        run(["dpkg-deb", "-x", str(_deb(name, downloads)), str(unpacked)])
    _copy_programs(unpacked, root)
    shutil.rmtree(unpacked)
    return root


def package_version(name: str, folder: Path) -> str:
    """The upstream part of a downloaded package's version: 1:1.35.0-4+b1 is 1.35.0."""
    full = run(["dpkg-deb", "-f", str(_deb(name, folder / "debs")), "Version"]).strip()
    return full.split(":", 1)[-1].rsplit("-", 1)[0].split("+", 1)[0]


def _installed(package: str) -> bool:
    query = ["dpkg-query", "-W", "-f", "${db:Status-Status}", package]
    try:
        state = subprocess.run(query, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        message = "this builder needs Debian or Ubuntu (dpkg and apt-get): packages give compilers and image contents"
        raise BuildError(message) from error
    return state.stdout == "installed"


def _download(packages: Sequence[str], folder: Path) -> None:
    command = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *packages]
    try:
        run(command, cwd=folder)
    except BuildError:  # the lists may name a version that the mirror no longer has
        if os.geteuid() != 0:
            raise
        run(["apt-get", "update"])
        run(command, cwd=folder)


def _deb(name: str, folder: Path) -> Path:
    found = sorted(folder.glob(f"{name}_*.deb"), key=lambda path: path.stat().st_mtime)
    if not found:
        message = f"apt-get downloaded no package {name}"
        raise BuildError(message)
    return found[-1]


def _dependencies(deb: Path) -> set[str]:
    names = set[str]()
    for field in ("Depends", "Pre-Depends"):
        for clause in run(["dpkg-deb", "-f", str(deb), field]).strip().split(","):
            name = clause.split("|")[0].split("(")[0].split(":")[0].strip()
            if name and name not in HARMLESS_TO_SKIP:
                names.add(name)
    return names


def _copy_programs(unpacked: Path, root: Path) -> None:
    """Keep programs and libraries, on the merged /usr layout; leave documentation and the rest."""
    for source in sorted(unpacked.rglob("*")):
        if source.is_dir() and not source.is_symlink():
            continue
        path = source.relative_to(unpacked)
        if path.parts[0] in MERGED_FOLDERS:
            path = Path("usr", *path.parts)
        kept = any(str(path) == folder or str(path).startswith(folder + "/") for folder in PROGRAM_FOLDERS)
        if not kept or any(part in LEFT_OUT for part in path.parts):
            continue
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)
