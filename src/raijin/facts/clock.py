"""The clock and the time zone."""

from __future__ import annotations

from dataclasses import dataclass

from raijin.facts.base import pairs

SNIPPET = r"""
printf 'epoch:%s\n' "$(date +%s.%N)"
if [ -r /etc/timezone ]; then read -r c_zone </etc/timezone; else c_zone=$(readlink /etc/localtime); fi
printf 'zone:%s\n' "$c_zone"
if [ -e /run/systemd/timesync/synchronized ]; then echo synchronised:yes
elif command -v chronyc >/dev/null 2>&1; then
  case $(chronyc -n tracking 2>/dev/null) in
    *'Leap status     : Normal'*) echo synchronised:yes;;
    *'Leap status'*) echo synchronised:no;;
  esac
elif [ -d /run/systemd/timesync ]; then echo synchronised:no; fi
"""


@dataclass(frozen=True, slots=True)
class Clock:
    """epoch: seconds when it was read (the caller knows when it asked, and so the skew).

    synchronised: None when the host does not tell.
    """

    epoch: float
    timezone: str
    synchronised: bool | None


def parse(text: str) -> Clock:
    values = dict(pairs(text))
    whole, _, fraction = values["epoch"].partition(".")
    # busybox knows no %N.
    epoch = float(f"{whole}.{fraction}") if fraction.isdigit() else float(whole)
    zone = values.get("zone", "").rpartition("zoneinfo/")[2] or "UTC"
    told = values.get("synchronised")
    return Clock(epoch, zone, None if told is None else told == "yes")
