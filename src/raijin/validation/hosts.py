"""host-health: the machines themselves."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from raijin.platforms.view import HostView
from raijin.validation.boards import boards
from raijin.validation.finding import Finding, Grade
from raijin.validation.seen import Seen

NAME = "host-health"
FULL = 0.10
"""The share of a file system below which the kubelet begins to evict pods (its default `nodefs.available`)."""
FULL_BYTES = 3 * 1024**3
"""So much room is enough, however large the disk is."""
SKEW_SECONDS = 30.0


def host_health(seen: Seen) -> Iterable[Finding]:
    """Who answers, who has room, whose clock is right."""
    skews = [view.skew for view in seen.hosts.values() if isinstance(view, HostView)]
    middle = statistics.median(skews) if skews else 0.0
    for place in seen.subject.places:
        if place.left_out:
            text = f"in quarantine: {place.left_out}"
            yield Finding(NAME, place.name, Grade.FAILED, text, f"mend it, then `raijin apply --release {place.name}`")
            continue
        view = seen.hosts.get(place.name, "it was not asked")
        if isinstance(view, str):
            yield Finding(NAME, place.name, Grade.FAILED, f"it cannot be reached: {view}", "look at the machine")
            continue
        board = [Finding(NAME, place.name, *said) for said in boards(view, control_plane=place.control_plane)]
        problems = [*_room(place.name, view), *_clock(place.name, view.skew - middle), *board]
        yield from problems
        if not problems:
            yield Finding(NAME, place.name, Grade.OK, "it answers, with room on its disks")


def _room(host: str, view: HostView) -> Iterable[Finding]:
    for space in getattr(view.facts.disks, "space", ()):
        if space.size and space.free < min(FULL_BYTES, FULL * space.size):
            text = f"{space.path} has {space.free >> 20} MiB of {space.size >> 20} left"
            yield Finding(NAME, host, Grade.WARNING, text, "free some, before the kubelet evicts pods")
            return


def _clock(host: str, skew: float) -> Iterable[Finding]:
    if abs(skew) > SKEW_SECONDS:
        text = f"its clock is {skew:+.0f} s off the others'"
        yield Finding(NAME, host, Grade.FAILED, text, "set up NTP: certificates and leases fail otherwise")
