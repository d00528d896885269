"""Graphics and compute accelerators on the PCI bus."""

from __future__ import annotations

from dataclasses import dataclass

SNIPPET = r"""
for g_class in /sys/bus/pci/devices/*/class; do
  [ -r "$g_class" ] && read -r g_kind <"$g_class" || continue
  case $g_kind in 0x03*|0x12*) ;; *) continue;; esac
  g_dir=${g_class%/class}
  read -r g_vendor <"$g_dir/vendor"; read -r g_device <"$g_dir/device"
  g_model=
  if command -v lspci >/dev/null 2>&1; then g_model=$(lspci -mm -s "${g_dir##*/}" 2>/dev/null); fi
  printf '%s %s %s %s\n' "${g_dir##*/}" "$g_vendor" "$g_device" "$g_model"
done
"""

_VENDORS = {"0x10de": "nvidia", "0x1002": "amd", "0x8086": "intel"}


@dataclass(frozen=True, slots=True)
class Gpu:
    """vendor: nvidia, amd, intel, or the number of another one. model: as lspci names it, or the device number."""

    slot: str
    vendor: str
    model: str

    @property
    def accelerator(self) -> bool:
        """Something to compute with; servers have a VGA chip of another maker on their board."""
        return self.vendor in {"nvidia", "amd", "intel"}


def parse(text: str) -> tuple[Gpu, ...]:
    found = []
    for line in text.splitlines():
        slot, vendor, device, described = line.split(" ", 3)
        # lspci -mm: slot "class" "vendor" "device" ...
        quoted = described.split('"')[1::2]
        found.append(Gpu(slot, _VENDORS.get(vendor, vendor), quoted[2] if len(quoted) > 2 else device))
    return tuple(found)
