"""Snapshots of a simulated cluster: a text that stands for one, and what the cluster was when it was taken."""

from __future__ import annotations

import copy
import hashlib
from typing import TYPE_CHECKING

from raijin.twin.host import Host
from raijin.twin.run import Failed

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite

SECONDS = 3.0
PUSHED = "sha256 "
"""How the content of a file begins that was sent to a host: its sum stands for it (files.py)."""


def taken(site: TwinSite, host: Host) -> str:
    """What stands for the cluster as it is now. Raises Failed."""
    if site.cluster is None or not site.platform.member_runs(host) or not site.has_quorum():
        raise Failed("it ended with status 1", "Error: context deadline exceeded")
    text = f"a rehearsed snapshot, number {len(site.snapshots) + 1} of {site.cluster.name}\n"
    site.snapshots[hashlib.sha256(text.encode()).hexdigest()] = copy.deepcopy(site.cluster)
    return text


def take(site: TwinSite, host: Host, path: str) -> float:
    """Write a snapshot to a path of the host; the seconds that it takes. Raises Failed."""
    host.write(path, taken(site, host), mode="600")
    return SECONDS


def restore(site: TwinSite, host: Host, content: str) -> None:
    """Make the cluster what it was, with this host as its only member. Raises Failed for what is no snapshot."""
    sum_ = content.removeprefix(PUSHED) if content.startswith(PUSHED) else hashlib.sha256(content.encode()).hexdigest()
    kept = site.snapshots.get(sum_)
    if kept is None:
        raise Failed("it ended with status 1", "Error: it is no snapshot of this rehearsal")
    site.cluster = copy.deepcopy(kept)
    site.cluster.members.clear()
    site.cluster.join_etcd(host)
