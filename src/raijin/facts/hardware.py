"""Who made the machine, and whether it is one."""

from __future__ import annotations

from dataclasses import dataclass

SNIPPET = r"""
if [ -r /proc/device-tree/model ]; then printf 'model:%s\n' "$(tr -d '\000' </proc/device-tree/model)"; fi
if [ -r /proc/device-tree/serial-number ]; then
  printf 'product_serial:%s\n' "$(tr -d '\000' </proc/device-tree/serial-number)"
fi
h_virt=
if [ -r /run/systemd/container ]; then read -r h_virt </run/systemd/container
elif [ -d /run/systemd/system ]; then
  # No container, then. A processor that hides no hypervisor, in a machine of a maker of real ones: no need to ask.
  h_vendor=; [ ! -r /sys/class/dmi/id/sys_vendor ] || read -r h_vendor </sys/class/dmi/id/sys_vendor
  case " $(grep -m 1 '^flags' /proc/cpuinfo) " in
    '  '|*' hypervisor '*) ;;
    *) case $h_vendor in
        ''|QEMU*|VMware*|innotek*|Oracle*|Microsoft*|Xen*|Amazon*|Google*|OpenStack*|Parallels*|Apple*|BHYVE*|Bochs*) ;;
        *) h_virt=none;;
      esac;;
  esac
fi
case $h_virt in none|systemd-nspawn|lxc|lxc-libvirt|docker|podman|openvz|rkt|proot) h_sure=1;; *) h_sure=;; esac
if [ -z "$h_sure" ] && command -v systemd-detect-virt >/dev/null 2>&1; then h_virt=$(systemd-detect-virt); fi
if [ -n "$h_virt" ]; then printf 'virtual:%s\n' "$h_virt"
elif [ -e /.dockerenv ]; then echo virtual:docker
elif [ -e /run/.containerenv ]; then echo virtual:podman
elif grep -qw hypervisor /proc/cpuinfo; then echo hypervisor:yes; fi
"""
FILES = tuple(
    f"/sys/class/dmi/id/{name}"
    for name in ("sys_vendor", "product_name", "product_serial", "board_vendor", "board_name", "bios_version")
)

_HYPERVISORS = {
    "QEMU": "kvm",
    "VMware": "vmware",
    "innotek": "oracle",
    "Microsoft": "microsoft",
    "Xen": "xen",
    "Amazon": "amazon",
    "Google": "google",
}
_CONTAINERS = frozenset(
    {"systemd-nspawn", "lxc", "lxc-libvirt", "docker", "podman", "openvz", "rkt", "wsl", "proot", "container-other"}
)


@dataclass(frozen=True, slots=True)
class Hardware:
    """serial: only its last four characters are kept, for telling machines apart.

    board: the model of a single-board computer. virtual: `none` on metal, else what it runs on (kvm, vmware, lxc, ...).
    """

    vendor: str
    product: str
    serial: str
    board: str
    bios: str
    virtual: str

    @property
    def container(self) -> bool:
        return self.virtual in _CONTAINERS


def parse(text: str) -> Hardware:
    values: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        values.setdefault(name.rpartition("/")[2], value.strip())
    vendor = values.get("sys_vendor") or values.get("board_vendor", "")
    guessed = next((kind for word, kind in _HYPERVISORS.items() if word in vendor), "")
    virtual = values.get("virtual") or guessed or ("vm-other" if "hypervisor" in values else "none")
    serial = values.get("product_serial", "")
    return Hardware(
        vendor=vendor,
        product=values.get("product_name", ""),
        serial=f"…{serial[-4:]}" if len(serial) > 4 else serial,
        board=values.get("model", ""),
        bios=values.get("bios_version", ""),
        virtual=virtual,
    )
