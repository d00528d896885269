"""What pods leave on a host, whatever the distribution that ran them."""

from __future__ import annotations

from raijin.operations.command import Command

END_SLICE = Command(
    "end the slice of the pods",
    ("systemctl", "stop", "kubepods.slice"),
    unless=("test", "!", "-d", "/run/systemd/system"),
    only_if=("systemctl", "is-active", "--quiet", "kubepods.slice"),
)
"""The slices of all pods hang below this one; ending the last containers brings it up again, so it goes late."""
