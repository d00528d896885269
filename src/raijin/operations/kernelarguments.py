"""Words on the kernel's command line, where firmware reads it from a file of one line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.errors import UsageError
from raijin.operations.base import Argument, Operation, Resolve, absolute, matching

# The firmware reads the first line; what stands below it is kept.
READ = r"""
kernelarguments_read() { # path: sets K_LINE, the first line, and K_REST, all after it
  K_LINE=$(cat -- "$1"; printf x); K_LINE=${K_LINE%x} K_REST=
  case $K_LINE in *"$NL"*) K_REST=$NL${K_LINE#*"$NL"}; K_LINE=${K_LINE%%"$NL"*};; esac
}
"""

LIBRARY = r"""
kernelarguments_missing() { # words...: sets K_MISSING
  K_MISSING=
  for k_word in "$@"; do
    case " $K_LINE " in *" $k_word "*) ;; *) K_MISSING="$K_MISSING${K_MISSING:+ }$k_word";; esac
  done
  [ -n "$K_MISSING" ]
}
kernelarguments_check() { # path words...
  probe "$1"
  case $P_TYPE in
    'regular file') ;;
    '') refuse "there is no $1"; return 2;;
    *) refuse "$1 is a $P_TYPE, not a file with a command line"; return 2;;
  esac
  kernelarguments_read "$1"
  case $K_LINE in *[!\ ]*) ;; *) refuse "the first line of $1 is empty"; return 2;; esac
  shift
  kernelarguments_missing "$@" || return 0
  differs arguments '' "$K_MISSING"
  return 1
}
kernelarguments_change() {
  k_path=$1; shift
  kernelarguments_read "$k_path"
  kernelarguments_missing "$@" || return 0
  while :; do case $K_LINE in *' ') K_LINE=${K_LINE% };; *) break;; esac; done
  k_new="$K_LINE $K_MISSING$K_REST"
  k_sum=$(printf '%s' "$k_new" | sha256sum)
  look "$k_path"
  remember kernelarguments "$k_path" "${k_sum%% *}$NL$K_MISSING$NL" "$k_path" || return 1
  put "$k_path" "$P_MODE" "$P_OWNER" "$P_GROUP" "$k_new"
}
"""

UNDO = r"""
kernelarguments_undo() { # path receipt
  [ -e "$1" ] || return 0
  { IFS= read -r k_sum; IFS= read -r k_words; } <"$2/text"
  file_sum "$1"
  if [ "$SUM" = "$k_sum" ]; then put_back "$2" "$1"; return; fi
  # Somebody changed the line since then: only our words go.
  kernelarguments_read "$1"
  k_new=
  set -f
  for k_word in $K_LINE; do
    case " $k_words " in *" $k_word "*) ;; *) k_new="$k_new${k_new:+ }$k_word";; esac
  done
  set +f
  [ -n "$k_new" ] && [ "$k_new" != "$K_LINE" ] || return 0
  look "$1"
  put "$1" "$P_MODE" "$P_OWNER" "$P_GROUP" "$k_new$K_REST"
}
"""

_WORD = re.compile(r"[A-Za-z0-9_.:,=/+-]+")


@dataclass(frozen=True, slots=True)
class KernelArguments(Operation):
    """Words that the first line of a file holds, among others that stay as they are. The file must be there.

    They count from the next start of the host on.
    """

    path: str
    words: tuple[str, ...]
    kind: Literal["kernelarguments"] = "kernelarguments"

    library: ClassVar[str] = LIBRARY
    requires: ClassVar[tuple[str, ...]] = (READ,)
    undo_library: ClassVar[str] = UNDO

    def __post_init__(self) -> None:
        absolute(self.path)
        if not self.words:
            raise UsageError(f"no word is asked for in {self.path}", remedy="name at least one")
        for one in self.words:
            matching(_WORD, one, "a word of a command line")

    @property
    def title(self) -> str:
        return f"kernel arguments in {self.path}"

    def manual(self) -> tuple[str, ...]:
        return (f"sed -i '1s|$| {' '.join(self.words)}|' {self.path}",)

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        del resolve
        return (self.path, *self.words)

    def probes(self) -> tuple[str, ...]:
        return (self.path,)
