"""Swap devices and files."""

from __future__ import annotations

from dataclasses import dataclass

SNIPPET = r"""
while read -r w_name w_type w_size w_used _; do
  [ "$w_name" != Filename ] || continue
  w_here=; [ ! -e "$w_name" ] || w_here=here
  printf '%s %s %s %s %s\n' "$w_name" "$w_type" "$w_size" "$w_used" "$w_here"
done </proc/swaps
"""


@dataclass(frozen=True, slots=True)
class SwapDevice:
    """Bytes. ours: the device is of this machine; a container sees the swap of the machine below it."""

    name: str
    type: str
    size: int
    used: int
    ours: bool


def parse(text: str) -> tuple[SwapDevice, ...]:
    found = (line.split(" ") for line in text.splitlines())
    return tuple(
        SwapDevice(n, t, int(size) * 1024, int(used) * 1024, here == "here") for n, t, size, used, here in found
    )
