"""Package repositories: deb822 for apt, .repo for dnf and zypper."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve, matching, one_line
from raijin.operations.file import LIBRARY as FILE
from raijin.operations.file import UNDO, file_arguments
from raijin.operations.managers import CHOICE

LIBRARY = r"""
# Two files, the key first: a source without its key would break every later use of the manager.
repository_files() { # check|change, then 7 words per file: a key and a source for each of apt, dnf, zypper
  r_do=$1 r_result=0; shift
  case $PM in
    apt) ;;
    dnf) shift 14;;
    zypper) shift 28;;
    *) refuse 'a repository of apk is a line of /etc/apk/repositories: use Line'; return 2;;
  esac
  for r_file in key source; do
    file_check "$1" "$2" "$3" "$4" "$5" "$6" "$7"; r_rc=$?
    [ "$r_rc" != 2 ] || return 2
    [ "$r_rc" = 0 ] || r_result=1
    if [ "$r_do" = change ] && [ "$r_rc" = 1 ]; then
      made "${1%/*}" && file_change "$1" "$2" "$3" "$4" "$5" "$6" "$7" || return 1
    fi
    shift 7
  done
  [ "$r_do" = change ] || return $r_result
}
repository_check() { package_manager && repository_files check "$@"; }
repository_change() { repository_files change "$@"; }
"""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Repository(Operation):
    """A signed package repository. The lists are fetched by the next Package that is missing.

    key: the public key that signs it, armoured. suite and components: for apt only; for a flat repository the suite is
    a path that ends in `/` and there are no components. uri: for dnf and zypper the base URL.
    """

    name: str
    uri: str
    key: str
    suite: str = ""
    components: tuple[str, ...] = ()
    kind: Literal["repository"] = "repository"

    library: ClassVar[str] = LIBRARY
    requires: ClassVar[tuple[str, ...]] = (CHOICE, FILE)
    undo_library: ClassVar[str] = UNDO

    def __post_init__(self) -> None:
        matching(_NAME, self.name, "the name of a repository, in lower case")
        for text in (self.uri, self.suite, *self.components):
            one_line(text)

    @property
    def title(self) -> str:
        return f"repository {self.name}"

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return tuple(word for path, content in self.files() for word in file_arguments(path, content))

    def probes(self) -> tuple[str, ...]:
        return tuple(path for path, _ in self.files())

    def wants(self) -> tuple[tuple[str, str], ...]:
        return tuple(("sums", path) for path, _ in self.files())

    def files(self) -> tuple[tuple[str, str], ...]:
        """(path, content): the key and the source for apt, dnf and zypper."""
        keyring, pki = f"/etc/apt/keyrings/{self.name}.asc", f"/etc/pki/rpm-gpg/RPM-GPG-KEY-{self.name}"
        key = self.key.strip() + "\n"
        return (
            (keyring, key),
            (f"/etc/apt/sources.list.d/{self.name}.sources", self._deb822(keyring)),
            (pki, key),
            (f"/etc/yum.repos.d/{self.name}.repo", self._ini(pki)),
            (pki, key),
            (f"/etc/zypp/repos.d/{self.name}.repo", self._ini(pki) + "type=rpm-md\nautorefresh=1\n"),
        )

    def _deb822(self, keyring: str) -> str:
        fields = {"Types": "deb", "URIs": self.uri, "Suites": self.suite, "Components": " ".join(self.components)}
        lines = [f"{name}: {value}" for name, value in fields.items() if value]
        return "\n".join([*lines, f"Signed-By: {keyring}", ""])

    def _ini(self, key: str) -> str:
        head = f"[{self.name}]\nname={self.name}\nbaseurl={self.uri}\nenabled=1\n"
        return head + f"gpgcheck=1\nrepo_gpgcheck=0\ngpgkey=file://{key}\n"
