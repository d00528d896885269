"""Container images in containerd."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Payload, Resolve, digest, matching
from raijin.operations.staged import STAGED
from raijin.transport.quoting import word

LIBRARY = r"""
images_fetch() { # `ctr namespace`...: one list per containerd and namespace
  IMAGES=$NL
  for i_item in "$@"; do
    i_ctr=${i_item%% *} i_space=${i_item#* }
    [ -x "$i_ctr" ] || have "$i_ctr" || continue
    for i_ref in $("$i_ctr" --connect-timeout 5s -n "$i_space" images ls -q 2>/dev/null); do
      IMAGES="$IMAGES$i_space $i_ref$NL"
    done
  done
}
image_check() { # ref sha256 name namespace ctr
  need images
  case $IMAGES in *"$NL$4 $1$NL"*) return 0;; esac
  differs state absent "$3"
  return 1
}
image_change() {
  [ -x "$5" ] || have "$5" || { REASON="$5 is not on this host: images need containerd"; return 1; }
  staged "$2" "$3" || return 1
  "$5" -n "$4" images import "$STAGED" || { REASON="containerd cannot import $3 (is it running?)"; return 1; }
  FETCHED=' '; need images
  case $IMAGES in *"$NL$4 $1$NL"*) return 0;; esac
  REASON="$3 was imported, but it does not hold the image $1"; return 1
}
"""

_REF = re.compile(r"[a-z0-9][A-Za-z0-9._:/@-]*")
_PROGRAM = re.compile(r"/[A-Za-z0-9._/-]+")
_NAMESPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Image(Operation):
    """An image that containerd must hold under the name `ref`, imported from a pushed archive when it does not.

    Images have no receipt: they go with the data directory of containerd.
    """

    ref: str
    sha256: str
    name: str
    namespace: str = "k8s.io"
    ctr: str = "/usr/local/bin/ctr"
    kind: Literal["image"] = "image"

    library: ClassVar[str] = LIBRARY
    requires: ClassVar[tuple[str, ...]] = (STAGED,)

    def __post_init__(self) -> None:
        matching(_REF, self.ref, "the full name of an image, as in registry.k8s.io/pause:3.10")
        matching(_NAMESPACE, self.namespace, "a namespace of containerd")
        matching(_PROGRAM, self.ctr, "the whole path of ctr")
        digest(self.sha256)

    @property
    def title(self) -> str:
        return f"image {self.ref}"

    def manual(self) -> tuple[str, ...]:
        return (
            f"# copy {self.name} here (sha256 {self.sha256})",
            f"ctr -n {self.namespace} images import {word(self.name)}",
        )

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return (self.ref, self.sha256, self.name, self.namespace, self.ctr)

    def wants(self) -> tuple[tuple[str, str], ...]:
        return (("images", f"{self.ctr} {self.namespace}"),)

    def payloads(self) -> tuple[Payload, ...]:
        return (Payload(self.sha256, self.name),)
