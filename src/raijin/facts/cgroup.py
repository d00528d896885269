"""Control groups."""

from __future__ import annotations

SNIPPET = r"""
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo 2
elif [ -d /sys/fs/cgroup/unified ]; then echo hybrid
elif [ -d /sys/fs/cgroup/memory ] || [ -d /sys/fs/cgroup/cpu ]; then echo 1; fi
"""


def parse(text: str) -> str:
    """`2`, `1`, or `hybrid`: version 1 with the empty tree of version 2 beside it."""
    version = text.strip()
    if version not in {"1", "2", "hybrid"}:
        raise ValueError("no control groups below /sys/fs/cgroup")
    return version
