"""Node labels from the hardware, for schedulers and people."""

from __future__ import annotations

import re
from functools import lru_cache

from raijin.facts.base import Unknown, known
from raijin.facts.gather import HostFacts

PREFIX = "raijin.dev/"
GIB = 1024**3


def labels_from(facts: HostFacts) -> dict[str, str]:
    """Labels of what is known; what is unknown gets none. Every value is a valid label value of Kubernetes.

    cpu (threads), cpu-model, memory-gib (whole, rounded), disk (nvme, ssd, hdd: the fastest), network-mbit (of the
    default interface), gpu and gpu-count and gpu-model, board, virtual (of virtual machines and containers only).
    """
    found: dict[str, str] = {}
    if not isinstance(facts.cpu, Unknown):
        found |= {"cpu": str(facts.cpu.threads), "cpu-model": facts.cpu.model}
    if not isinstance(facts.memory, Unknown):
        # Firmware keeps a little for itself: 31.3 GiB is a machine with 32.
        found["memory-gib"] = str(max(1, round(facts.memory.total / GIB)))
    if not isinstance(facts.disks, Unknown):
        kinds = {disk.kind for disk in facts.disks.disks if not disk.removable}
        found["disk"] = next((kind for kind in ("nvme", "ssd", "hdd") if kind in kinds), "")
    if not isinstance(facts.network, Unknown):
        out = facts.network.default_interface
        speeds = (nic.speed for nic in facts.network.interfaces if nic.name == out and nic.speed)
        found["network-mbit"] = str(next(speeds, ""))
    gpus = [gpu for gpu in known(facts.gpus, ()) if gpu.accelerator]
    if gpus:
        found |= {"gpu": gpus[0].vendor, "gpu-count": str(len(gpus)), "gpu-model": gpus[0].model}
    if not isinstance(facts.hardware, Unknown):
        found["board"] = facts.hardware.board
        found["virtual"] = facts.hardware.virtual if facts.hardware.virtual != "none" else ""
    return {PREFIX + name: text for name, value in found.items() if (text := label_value(value))}


@lru_cache(maxsize=1024)
def label_value(text: str) -> str:
    """The text with what a label value cannot hold made hyphens: at most 63 letters, digits, `-`, `_` and `.`."""
    plain = re.sub(r"\((R|TM|r|tm)\)", "", text)
    return re.sub(r"[^A-Za-z0-9._]+", "-", plain)[:63].strip("-._")
