"""What Raijin installed on a simulated host, by the stamps that it left: names, sums and versions."""

from __future__ import annotations

import re

from raijin.operations.stamps import stamp_path
from raijin.twin.host import STAMPS, Host
from raijin.twin.run import Failed

_VERSION = re.compile(r"-(v[0-9]+\.[^\s]*?)(-linux-\w+)?(\.tar\.gz|\.tgz)?\Z")


def stamp_of(host: Host, path: str) -> tuple[str, str]:
    """The name under which a file was installed, and its sum if it came as one file; empty when Raijin did not."""
    text = host.text(stamp_path("file", path))
    if text:
        first, second = text.splitlines()[:2]
        return first.removeprefix("= "), second.partition(" ")[0]
    stamps = (host.entry(stamp) for stamp in host.below(STAMPS) if stamp.startswith(f"{STAMPS}/archive:"))
    held = [entry for entry in stamps if entry is not None and path in entry.content.splitlines()[1:]]
    if not held:
        return "", ""
    newest = max(
        held, key=lambda entry: entry.at
    )  # the stamps of older archives stay, and say nothing of what is there
    return newest.content.splitlines()[0].removeprefix("= "), ""


def version_of(host: Host, path: str) -> str:
    """Of a program that is installed, by the name under which it was (`kubelet-v1.34.2`). Raises Failed without it."""
    found = _VERSION.search(stamp_of(host, path)[0])
    if found is None or host.entry(path) is None:
        raise Failed("it cannot be run (status 127)", f"{path.rpartition('/')[2]}: not found")
    return found[1]
