"""Paths that must not exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.errors import UsageError
from raijin.operations.base import Argument, Operation, Resolve, absolute
from raijin.operations.mount import MOUNTS, escaped
from raijin.operations.stamps import command_marker
from raijin.transport.quoting import word

LIBRARY = r"""
# mounts_below PATH: sets BELOW to the mount points below it (deepest first), SELF when it is one itself.
mounts_below() {
  BELOW= SELF=
  need mounts
  case $MOUNTS in *" $1/"*|*" $1 "*) ;; *) return 0;; esac
  n_rest=$MOUNTS
  while :; do
    case $n_rest in *"$NL"?*) n_rest=${n_rest#*"$NL"};; *) return 0;; esac
    n_point=${n_rest#* }; n_point=${n_point%% *}
    case $n_point in "$1") SELF=1;; "$1"/*) BELOW=$n_point$NL$BELOW;; esac
  done
}
# A mount point itself belongs to the host: it is emptied, and stays (with the folder that ext file systems begin with).
emptied() {
  for n_entry in "$1"/* "$1"/.*; do
    case ${n_entry##*/} in '*'|.|..|'.*'|lost+found) ;; *) return 1;; esac
  done
}
absent_check() { # path kernel-path recursive unmount
  [ -e "$1" ] || [ -L "$1" ] || return 0
  if [ -d "$1" ] && [ ! -L "$1" ]; then
    mounts_below "$2"
    [ -z "$SELF" ] || ! emptied "$1" || return 0
    if [ -z "$3" ] && ! emptied "$1"; then refuse "$1 is a directory with content"; return 2; fi
    if [ -n "$BELOW" ] && [ -z "$4" ]; then refuse "${BELOW%%"$NL"*} is mounted below $1"; return 2; fi
  fi
  differs state present absent
  return 1
}
absent_change() {
  if [ -L "$1" ] || [ ! -d "$1" ]; then rm -f -- "$1"; return; fi
  # Nothing is deleted through a mount: what cannot be unmounted stops it. A lazy unmount (a server that is gone, say)
  # takes the mount out of the tree at once.
  printf '%s' "$BELOW" | while IFS= read -r n_point; do
    n_path=$(printf '%b' "$(printf '%s' "$n_point" | sed 's/\\\([0-7][0-7][0-7]\)/\\0\1/g')")
    bounded 20 umount -- "$n_path" || umount -l -- "$n_path"
  done
  FETCHED=' '; mounts_below "$2"
  [ -z "$BELOW" ] || { REASON="${BELOW%%"$NL"*} is still mounted"; return 1; }
  if [ -n "$SELF" ]; then
    for n_entry in "$1"/* "$1"/.*; do
      case ${n_entry##*/} in .|..|lost+found) ;; *) rm -rf -- "$n_entry" || return 1;; esac
    done
  elif [ -n "$3" ]; then rm -rf -- "$1"
  else rmdir -- "$1"; fi
}
"""

_ROOTS = frozenset({"boot", "etc", "home", "media", "mnt", "opt", "root", "run", "srv", "tmp", "usr", "var"})
_SYSTEM = {
    "boot": ("efi", "grub"),
    "etc": (
        "apt",
        "default",
        "init.d",
        "network",
        "netplan",
        "pam.d",
        "security",
        "ssh",
        "ssl",
        "sudoers.d",
        "systemd",
    ),
    "run": ("dbus", "lock", "systemd", "user"),
    "usr": ("bin", "include", "lib", "lib32", "lib64", "libexec", "local", "sbin", "share", "src"),
    "var": ("cache", "lib", "local", "lock", "log", "mail", "opt", "run", "spool", "tmp"),
}
_DEEP = frozenset(
    {"/usr/local/bin", "/usr/local/lib", "/usr/local/sbin", "/usr/local/share", "/var/lib/dpkg", "/var/lib/rpm",
     "/var/lib/apt", "/var/lib/systemd", "/etc/systemd/system", "/var/cache/apt"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Absent(Operation):
    """A path that must not exist. It keeps no receipt: it is for what Raijin (or the cluster) made itself.

    recursive: a directory goes with its content. unmount: what is mounted below is unmounted first, as kubelets leave
    it; nothing is ever deleted through a mount. A mount point is emptied and stays. The folders of the system are
    refused.
    """

    path: str
    recursive: bool = False
    unmount: bool = False
    kind: Literal["absent"] = "absent"

    library: ClassVar[str] = LIBRARY
    requires: ClassVar[tuple[str, ...]] = (MOUNTS,)

    def __post_init__(self) -> None:
        first, *rest = parts = absolute(self.path).rstrip("/")[1:].split("/")
        odd = any(part in {"", ".", ".."} for part in parts)
        system = bool(rest) and len(rest) == 1 and rest[0] in _SYSTEM.get(first, ())
        if odd or not rest or system or self.path.rstrip("/") in _DEEP or first not in _ROOTS:
            raise UsageError(f"{self.path!r} must not be removed", remedy="name a path of the product, two levels deep")

    @property
    def title(self) -> str:
        return f"no {self.path}"

    def manual(self) -> tuple[str, ...]:
        return (f"rm -{'rf' if self.recursive else 'f'} {word(self.path)}",)

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        path = self.path.rstrip("/")
        return (path, escaped(path), self.recursive, self.unmount)

    def wants(self) -> tuple[tuple[str, str], ...]:
        return (("mounts", "all"),)


def unmarked(*markers: str) -> tuple[Absent, ...]:
    """Commands that have left these markers are as if they had never been run."""
    return tuple(Absent(command_marker(marker)) for marker in markers)
