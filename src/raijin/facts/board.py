"""What single-board computers are asked beside all others: how they boot, how hot they are, what their cards are."""

from __future__ import annotations

from dataclasses import dataclass

from raijin.facts.base import pairs

# A kernel without control groups of memory runs no kubelet. Those of Raspberry Pi have them switched off by the device
# tree; the file of the command line is where their firmware looks for it (docs.k3s.io, "Requirements", Raspberry Pi).
SNIPPET = r"""
o_all=
if [ -r /sys/fs/cgroup/cgroup.controllers ]; then read -r o_all </sys/fs/cgroup/cgroup.controllers
elif [ -r /proc/cgroups ]; then
  while read -r o_name _ _ o_on; do [ "$o_name:$o_on" != memory:1 ] || o_all=memory; done </proc/cgroups
fi
case " $o_all " in *' memory '*) echo memory=yes;; *) echo memory=no;; esac
read -r o_line </proc/cmdline
case " $o_line " in *' cgroup_enable=memory '*) echo told=yes;; esac
if [ -r /proc/device-tree/model ]; then
  for o_path in /boot/firmware/cmdline.txt /boot/cmdline.txt; do
    [ ! -f "$o_path" ] || { echo "cmdline=$o_path"; break; }
  done
  for o_path in /sys/class/thermal/thermal_zone*/temp; do
    [ ! -r "$o_path" ] || { read -r o_heat <"$o_path" && echo "heat=$o_heat"; }
  done
  for o_path in /sys/block/mmcblk*/device/type; do
    [ ! -r "$o_path" ] || { read -r o_kind <"$o_path"; o_path=${o_path#/sys/block/}; echo "$o_kind=${o_path%%/*}"; }
  done
  o_path=/sys/devices/platform/soc/soc:firmware/get_throttled
  if [ -r "$o_path" ]; then read -r o_word <"$o_path" && echo "throttled=$o_word"
  elif command -v vcgencmd >/dev/null 2>&1; then vcgencmd get_throttled; fi
fi
"""

UNDER_VOLTAGE, CAPPED, THROTTLED, SOFT_LIMIT = 1 << 0, 1 << 1, 1 << 2, 1 << 3
SINCE_START = 16
"""So many bits higher the same words say that it was so at some time since the start (`vcgencmd get_throttled`)."""


@dataclass(frozen=True, slots=True)
class Board:
    """memory: the kernel accounts memory to control groups. told: its command line asks for that.

    cmdline: the file that holds the command line, on boards whose firmware reads one; else empty. temperature: of the
    hottest part, in °C; None when it is not told. throttled: the bits of Raspberry Pi's firmware, None elsewhere.
    cards: the names of disks that are SD cards.
    """

    memory: bool
    told: bool
    cmdline: str
    temperature: float | None
    throttled: int | None
    cards: tuple[str, ...]


def parse(text: str) -> Board:
    found: dict[str, str] = {}
    heats, cards = list[float](), list[str]()
    for name, value in pairs(text, "="):
        if name == "heat":
            heats.append(int(value) / 1000)
        elif name == "SD":
            cards.append(value)
        else:
            found.setdefault(name, value)
    # The file has the number without its 0x, the program with it.
    throttled = int(found["throttled"], 16) if "throttled" in found else None
    return Board(
        memory=found["memory"] == "yes",
        told="told" in found,
        cmdline=found.get("cmdline", ""),
        temperature=max(heats, default=None),
        throttled=throttled,
        cards=tuple(cards),
    )
