"""Whose host this is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve, one_line

LIBRARY = r"""
claim_check() { # cluster
  c_owner=; [ ! -r "$BASE/owner" ] || read -r c_owner <"$BASE/owner"
  case $c_owner in
    "$1") return 0;;
    '') differs owner '' "$1"; return 1;;
  esac
  refuse "this host belongs to the cluster $c_owner; destroy that cluster first, or remove $BASE/owner when it is gone"
  return 2
}
claim_change() { put "$BASE/owner" 644 root root "$1$NL"; }
"""


@dataclass(frozen=True, slots=True)
class Claim(Operation):
    """The host belongs to this cluster and to no other: the first operation of its first program."""

    cluster: str
    kind: Literal["claim"] = "claim"

    library: ClassVar[str] = LIBRARY

    def __post_init__(self) -> None:
        one_line(self.cluster)

    @property
    def title(self) -> str:
        return f"host of cluster {self.cluster}"

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return (self.cluster,)
