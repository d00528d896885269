"""Which machine it is, since when, and who we are on it."""

from __future__ import annotations

from dataclasses import dataclass

from raijin.facts.base import pairs

SNIPPET = r"""
if [ -r /etc/machine-id ]; then read -r i_id </etc/machine-id; printf 'machine:%s\n' "$i_id"; fi
read -r i_boot </proc/sys/kernel/random/boot_id; printf 'boot:%s\n' "$i_boot"
read -r i_name </proc/sys/kernel/hostname; printf 'hostname:%s\n' "$i_name"
while read -r i_key i_uid _; do
  [ "$i_key" != Uid: ] || { printf 'uid:%s\n' "$i_uid"; break; }
done </proc/self/status
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """machine_id: from /etc/machine-id, empty when there is none. uid: 0 when becoming root worked."""

    machine_id: str
    boot_id: str
    hostname: str
    uid: int


def parse(text: str) -> Identity:
    values = dict(pairs(text))
    return Identity(values.get("machine", ""), values["boot"], values["hostname"], int(values["uid"]))
