"""What Raijin runs on simulated hosts of K3s and RKE2 beside their units: snapshots, their way back, certificates."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from raijin.platforms.rancher.backup import ASIDE, SAVE_ETCD, SAVE_SQLITE, SEED_ETCD, SEED_SQLITE
from raijin.platforms.rancher.certificates import ROTATE
from raijin.platforms.rancher.layout import Distribution
from raijin.transport.base import Completed
from raijin.twin import saves
from raijin.twin.host import Host

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite

_READ = re.compile(r"\[ ! -s (?P<path>.*) \] \|\| cat -- (?P=path)\n")


def read(host: Host, script: str) -> Completed | None:
    """The content of a file, or nothing; None for a script that asks for something else."""
    found = _READ.fullmatch(script)
    return Completed(0, host.text(shlex.split(found["path"])[0]), "", 0.1) if found else None


def perform(site: TwinSite, host: Host, own: Distribution, argv: tuple[str, ...]) -> float | None:
    """See `PlatformTwin.perform`."""
    if argv[:2] != ("sh", "-c"):
        return None
    text, words = argv[2], argv[3:]
    if text in {SAVE_ETCD, SAVE_SQLITE}:
        return saves.take(site, host, words[-1])
    if text == ASIDE:
        return _put_aside(host, own, *words)
    if text in {SEED_ETCD, SEED_SQLITE}:
        return _seed(site, host, own, words[1], etcd=text == SEED_ETCD)
    if text == ROTATE:
        return _rotate(site, host, words[0])
    return None


def _put_aside(host: Host, own: Distribution, data: str, target: str) -> float:
    kept = {path: host.text(path) for path in host.below(f"{own.server_data}/manifests")}
    host.move(data, target)
    host.write(data, kind="directory", mode="700")
    for path, content in kept.items():
        host.write(path, content, mode="600")
    return 0.5


def _seed(site: TwinSite, host: Host, own: Distribution, snapshot: str, *, etcd: bool) -> float:
    host.remove(f"{own.server_data}/db")
    host.write(own.etcd_member if etcd else own.sqlite, kind="directory" if etcd else "file", mode="700")
    saves.restore(site, host, host.text(snapshot))
    return 20.0


def _rotate(site: TwinSite, host: Host, unit: str) -> float:
    """Stopped, its certificates made anew, and started."""
    host.stop_unit(f"{unit}.service")
    host.renewals += 1
    host.start_unit(f"{unit}.service")
    site.unit_changed(host, f"{unit}.service")
    return 20.0
