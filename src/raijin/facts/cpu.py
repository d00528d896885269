"""Processors."""

from __future__ import annotations

from dataclasses import dataclass

SNIPPET = r"""
grep -m 1 -E '^(model name|Model|cpu model|uarch|cpu)[[:space:]]*:' /proc/cpuinfo
grep -sH '' /sys/devices/system/cpu/cpu[0-9]*/topology/core_id \
  /sys/devices/system/cpu/cpu[0-9]*/topology/physical_package_id
"""


@dataclass(frozen=True, slots=True)
class Cpu:
    model: str
    sockets: int
    cores: int
    threads: int


def parse(text: str) -> Cpu:
    model, places = "", dict[str, dict[str, str]]()
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.startswith("/sys/"):
            processor, _, field = name.removeprefix("/sys/devices/system/cpu/").partition("/topology/")
            places.setdefault(processor, {})[field] = value
        else:
            model = model or " ".join(value.split())
    cores = {(place.get("physical_package_id"), place.get("core_id")) for place in places.values()}
    if not places:
        raise ValueError("no processor in /sys/devices/system/cpu")
    return Cpu(model, len({socket for socket, _ in cores}), len(cores), len(places))
