"""Ports in use."""

from __future__ import annotations

import ipaddress
import re
import struct
from dataclasses import dataclass

SNIPPET = r"""
if command -v ss >/dev/null 2>&1; then ss -Hltnup
else
  for o_table in tcp tcp6 udp udp6; do
    [ ! -r /proc/net/$o_table ] || awk -v table=$o_table \
      'NR > 1 && $4 == (table ~ /tcp/ ? "0A" : "07") { print table, $2 }' /proc/net/$o_table
  done
fi
"""


@dataclass(frozen=True, slots=True)
class Port:
    """process: the name of a program that listens, empty when the host does not tell."""

    protocol: str
    port: int
    address: str
    process: str


def parse(text: str) -> tuple[Port, ...]:
    found = {_by_ss(line) if len(line.split()) > 2 else _by_table(line) for line in text.splitlines() if line.strip()}
    return tuple(sorted(found, key=lambda item: (item.protocol, item.port, item.address)))


def _by_ss(line: str) -> Port:
    """`tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=1,fd=3))`"""
    protocol, _, _, _, local, *rest = line.split()
    address, _, port = local.rpartition(":")
    process = re.search(r'\(\("([^"]*)"', " ".join(rest))
    return Port(protocol, int(port), address.strip("[]").partition("%")[0], process[1] if process else "")


def _by_table(line: str) -> Port:
    """`tcp6 00000000000000000000000001000000:0016`: words of memory, in the order of the processor (little)."""
    table, local = line.split()
    digits, _, port = local.partition(":")
    words = [int(digits[at : at + 8], 16) for at in range(0, len(digits), 8)]
    address = ipaddress.ip_address(struct.pack(f"<{len(words)}L", *words))
    return Port(table[:3], int(port, 16), str(address), "")
