"""Processors."""

from __future__ import annotations

from dataclasses import dataclass

from raijin.facts.base import lines_of, pairs

SNIPPET = r"""
# The name is in the first lines of what the kernel says of the first processor; on some boards at the very end.
p_name= p_left=12
while [ "$p_left" != 0 ] && IFS=:$TAB read -r p_field p_value; do
  p_left=$((p_left - 1))
  case $p_field in 'model name'|Model|'cpu model'|uarch|cpu) p_name=$p_value; break;; esac
done </proc/cpuinfo
if [ -z "$p_name" ]; then
  p_name=$(grep -m 1 -E '^(model name|Model|cpu model|uarch|cpu)[[:space:]]*:' /proc/cpuinfo); p_name=${p_name#*:}
fi
printf 'name:%s\n' "$p_name"
"""
FILES = (
    "/sys/devices/system/cpu/cpu[0-9]*/topology/core_id",
    "/sys/devices/system/cpu/cpu[0-9]*/topology/physical_package_id",
)


@dataclass(frozen=True, slots=True)
class Cpu:
    model: str
    sockets: int
    cores: int
    threads: int


def parse(text: str) -> Cpu:
    places: dict[str, dict[str, str]] = {}
    for path, (value, *_) in lines_of(text).items():
        processor, _, field = path.removeprefix("/sys/devices/system/cpu/").partition("/topology/")
        places.setdefault(processor, {})[field] = value
    model = " ".join(dict(pairs(text)).get("name", "").split())
    cores = {(place.get("physical_package_id"), place.get("core_id")) for place in places.values()}
    if not places:
        raise ValueError("no processor in /sys/devices/system/cpu")
    return Cpu(model, len({socket for socket, _ in cores}), len(cores), len(places))
