"""Kernel modules, now and at every boot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.errors import UsageError
from raijin.operations.base import Argument, Operation, Resolve, absolute, matching
from raijin.operations.file import LIBRARY as FILE
from raijin.operations.file import file_arguments
from raijin.transport.quoting import word

LIBRARY = r"""
# A module that is built into the kernel often shows in no list at all: then what it provides is looked for.
module_witness() { # name: sets WITNESS, a path that exists when the kernel has it
  case $1 in
    br_netfilter) WITNESS=/proc/sys/net/bridge;;
    nf_conntrack) WITNESS=/proc/sys/net/netfilter/nf_conntrack_max;;
    ip_tables) WITNESS=/proc/net/ip_tables_names;;
    ip6_tables) WITNESS=/proc/net/ip6_tables_names;;
    ip_vs) WITNESS=/proc/net/ip_vs;;
    tun) WITNESS=/sys/class/misc/tun;;
    fuse) WITNESS=/sys/class/misc/fuse;;
    kvm) WITNESS=/sys/class/misc/kvm;;
    dm_mod) WITNESS=/sys/class/misc/device-mapper;;
    nbd) WITNESS=/sys/class/block/nbd0;;
    rbd) WITNESS=/sys/bus/rbd;;
    *) WITNESS=;;
  esac
}
kernel_release() { read -r _ _ KERNEL _ </proc/version; }
module_there() { # name with underscores
  [ ! -d "/sys/module/$1" ] || return 0
  module_witness "$1"
  [ -z "$WITNESS" ] || [ ! -e "$WITNESS" ] || return 0
  while read -r m_first m_second; do
    [ "${m_second:-$m_first}" != "$1" ] || return 0
  done </proc/filesystems
  kernel_release; m_list=/lib/modules/$KERNEL/modules.builtin
  [ -r "$m_list" ] && grep -q "/$(printf '%s' "$1" | sed 's/_/[-_]/g')\.ko" "$m_list"
}
kernelmodule_check() { # 7 words of the file, then names...
  file_check "$1" "$2" "$3" "$4" "$5" "$6" "$7"; m_rc=$?
  [ "$m_rc" != 2 ] || return 2
  shift 7
  for m_name in "$@"; do
    module_there "$m_name" && continue
    kernel_release
    [ -d "/lib/modules/$KERNEL" ] || {
      refuse "kernel $KERNEL has no $m_name built in, and there are no modules for it in /lib/modules"; return 2; }
    differs "$m_name" absent loaded; m_rc=1
  done
  return $m_rc
}
kernelmodule_change() {
  file_check "$1" "$2" "$3" "$4" "$5" "$6" "$7" || file_change "$1" "$2" "$3" "$4" "$5" "$6" "$7" || return 1
  shift 7
  for m_name in "$@"; do
    module_there "$m_name" && continue
    remember kernelmodule "$m_name" loaded && modprobe -- "$m_name" ||
      { REASON="the kernel module $m_name cannot be loaded into kernel $KERNEL"; return 1; }
  done
}
"""

UNDO = r"""
# A module that something else uses by now stays until the next boot.
kernelmodule_undo() { modprobe -r -- "$1" 2>/dev/null || :; }
"""

_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class KernelModule(Operation):
    """Kernel modules: in a file for the next boot, and in the running kernel, loaded or built in."""

    names: tuple[str, ...]
    path: str = "/etc/modules-load.d/raijin.conf"
    kind: Literal["kernelmodule"] = "kernelmodule"

    library: ClassVar[str] = LIBRARY
    requires: ClassVar[tuple[str, ...]] = (FILE,)
    undo_library: ClassVar[str] = UNDO

    def __post_init__(self) -> None:
        absolute(self.path)
        if not self.names:
            raise UsageError("a kernel module operation names no module", remedy="name at least one")
        for name in self.names:
            matching(_NAME, name, "the name of a kernel module")

    @property
    def title(self) -> str:
        return f"kernel module{'s' if len(self.names) > 1 else ''} {', '.join(self.names)}"

    def manual(self) -> tuple[str, ...]:
        names = "\n".join(self.names)
        return (f"cat > {word(self.path)} <<'RAIJIN'\n{names}\nRAIJIN", f"modprobe -a {' '.join(self.names)}")

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        # The kernel writes underscores, whatever the file of a module is called.
        return (*file_arguments(self.path, self.content), *(name.replace("-", "_") for name in self.names))

    def probes(self) -> tuple[str, ...]:
        return (self.path,)

    def wants(self) -> tuple[tuple[str, str], ...]:
        return (("sums", self.path),)

    @property
    def content(self) -> str:
        return "".join(f"{name}\n" for name in self.names)

    def desired(self, field: str) -> str | None:
        return self.content if field == "content" else None
