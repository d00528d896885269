"""Memory and swap."""

from __future__ import annotations

from dataclasses import dataclass

from raijin.facts.base import pairs

SNIPPET = r"""
while read -r m_name m_value _; do
  case $m_name in
    MemTotal:) printf 'total: %s\n' "$m_value";;
    MemAvailable:) printf 'available: %s\n' "$m_value"; break;;
  esac
done </proc/meminfo
"""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes."""

    total: int
    available: int


def parse(text: str) -> Memory:
    values = dict(pairs(text))
    return Memory(int(values["total"]) * 1024, int(values["available"]) * 1024)
