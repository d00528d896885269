"""Swap, which a kubelet wants off unless it is told otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve

FSTAB = r"""
SWAP_OFF='# off for Kubernetes (raijin): '
fstab_type() { case ${1-} in '#'*) W_TYPE=;; *) W_TYPE=${3-};; esac; }
swap_lines() { # sets W_ON, the swap lines of fstab, and W_OFF, those that we switched off
  W_ON= W_OFF=
  [ -r /etc/fstab ] || return 0
  set -f
  while IFS= read -r w_line || [ -n "$w_line" ]; do
    case $w_line in "$SWAP_OFF"*) W_OFF="$W_OFF$w_line$NL"; continue;; esac
    fstab_type $w_line
    [ "$W_TYPE" != swap ] || W_ON="$W_ON$w_line$NL"
  done </etc/fstab
  set +f
}
swap_edit() { # off|on: rewrites the swap lines of fstab, byte for byte the inverse of each other
  [ -e /etc/fstab ] || return 0
  w_text=
  while IFS= read -r w_line || [ -n "$w_line" ]; do
    if [ "$1" = off ]; then
      case $NL$W_ON in *"$NL$w_line$NL"*) w_line=$SWAP_OFF$w_line;; esac
    else w_line=${w_line#"$SWAP_OFF"}; fi
    w_text=$w_text$w_line$NL
  done </etc/fstab
  [ -z "$(tail -c 1 /etc/fstab)" ] || w_text=${w_text%"$NL"}
  look /etc/fstab
  put /etc/fstab "$P_MODE" "$P_OWNER" "$P_GROUP" "$w_text"
}
"""

LIBRARY = r"""
swap_devices() { # sets W_DEVICES (`device priority` lines), refuses one that is not ours
  W_DEVICES=
  while read -r w_device _ _ _ w_priority; do
    [ "$w_device" != Filename ] || continue
    [ -e "$w_device" ] || {
      refuse "swap is on ($w_device), but on no device of this machine: switch it off on the machine below"
      return 2
    }
    W_DEVICES="$W_DEVICES$w_device $w_priority$NL"
  done </proc/swaps
}
swap_starters() { # sets W_STARTERS, the services that would switch it on at the next boot
  W_STARTERS=
  for w_name in zramswap dphys-swapfile zram-config armbian-zram-config; do
    [ ! -e "/etc/systemd/system/multi-user.target.wants/$w_name.service" ] || W_STARTERS="$W_STARTERS $w_name.service"
  done
}
swap_check() { # enabled
  swap_lines
  if [ -n "$1" ]; then
    [ -n "$W_OFF" ] || return 0
    differs 'swap in /etc/fstab' off on; return 1
  fi
  swap_devices || return 2
  swap_starters
  [ -n "$W_DEVICES$W_ON$W_STARTERS" ] || return 0
  [ -z "$W_DEVICES" ] || differs 'swap in use' "${W_DEVICES%"$NL"}" off
  [ -z "$W_ON" ] || differs 'swap in /etc/fstab' "${W_ON%"$NL"}" 'commented out'
  [ -z "$W_STARTERS" ] || differs 'swap at boot' "$W_STARTERS" masked
  return 1
}
swap_change() {
  if [ -n "$1" ]; then swap_edit on && swapon -a; return; fi
  w_units=$W_STARTERS
  if [ -d /run/systemd/system ] && [ -n "$W_DEVICES$W_ON" ]; then
    w_units="$w_units $(systemctl list-units --type=swap --all --plain --no-legend |
      while read -r w_name w_load _; do [ "$w_load" = masked ] || printf '%s ' "$w_name"; done)"
  fi
  w_copy=; [ ! -e /etc/fstab ] || w_copy=/etc/fstab
  remember swap swap "$w_units$NL$W_DEVICES" "$w_copy" || return 1
  printf '%s' "$W_DEVICES" | while read -r w_device _; do swapoff "$w_device" || exit 1; done ||
    { REASON='swap cannot be switched off (is there enough free memory?)'; return 1; }
  [ -z "$W_ON" ] || swap_edit off || return 1
  reload_later
  [ -z "${w_units# }" ] || systemctl --no-reload mask -- $w_units
}
"""

UNDO = r"""
swap_undo() { # key receipt
  IFS= read -r w_units <"$2/text"
  [ -z "${w_units# }" ] || systemctl --no-reload unmask -- $w_units || return 1
  swap_lines
  if [ -n "$W_OFF" ]; then swap_edit on || return 1; look /etc/fstab; fi
  if [ -e "$2/original" ]; then
    # The text is as it was: so are its times.
    file_sum "$2/original"; w_sum=$SUM; file_sum /etc/fstab
    [ "$w_sum" != "$SUM" ] || put_back "$2" /etc/fstab || return 1
  fi
  reload_later
  w_first=1
  while read -r w_device w_priority; do
    if [ -n "$w_first" ]; then w_first=; continue; fi
    [ -e "$w_device" ] || continue
    case $(cat /proc/swaps) in *"$NL$w_device "*|*"$NL$w_device	"*) continue;; esac
    if [ "$w_priority" -ge 0 ]; then swapon -p "$w_priority" "$w_device"; else swapon "$w_device"; fi || return 1
  done <"$2/text"
}
"""


@dataclass(frozen=True, slots=True)
class Swap(Operation):
    """Swap off: now, in /etc/fstab (the lines are commented out), and in what would switch it on at the next boot.

    enabled=True switches on again what Raijin commented out, and asks nothing of a host that has no such line.
    A container sees the swap of the machine below it and cannot switch it off: that is refused.
    """

    enabled: bool = False
    kind: Literal["swap"] = "swap"

    library: ClassVar[str] = LIBRARY
    requires: ClassVar[tuple[str, ...]] = (FSTAB,)
    undo_library: ClassVar[str] = UNDO

    @property
    def title(self) -> str:
        return f"swap {'on' if self.enabled else 'off'}"

    def manual(self) -> tuple[str, ...]:
        return ("swapon -a",) if self.enabled else ("swapoff -a", "sed -i '/\\sswap\\s/s/^/# /' /etc/fstab")

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return (self.enabled,)
