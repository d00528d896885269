"""One line of a file that others own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve, absolute, one_line
from raijin.transport.quoting import word

LIBRARY = r"""
# line_plan PATH LINE MATCH PRESENT: sets L_NEW, the wanted text, and L_WAS, the first line that goes; 1: nothing to do.
line_plan() {
  L_NEW= L_WAS= l_hits=' ' l_rest= l_end=$NL
  if [ ! -e "$1" ]; then :
  elif [ "$L_SIZE" -le 2048 ]; then read_text "$1"; l_rest=$TEXT
  else l_rest=$(cat -- "$1"; printf x); l_rest=${l_rest%x}; fi
  case $l_rest in ''|*"$NL") ;; *) l_end=;; esac
  case $NL$l_rest$NL in *"$NL$2$NL"*) l_have=1;; *) l_have=;; esac
  if [ -z "$3" ]; then
    [ -z "$4" ] && [ -z "$l_have" ] && return 1
    [ -n "$4" ] && [ -n "$l_have" ] && return 1
  elif [ -n "$l_rest" ]; then
    for l_hit in $(grep -nE -e "$3" -- "$1" | while IFS=: read -r l_number _; do printf '%s ' "$l_number"; done); do
      l_hits="$l_hits$l_hit "
    done
  fi
  l_done= l_count=0 l_changed=
  while [ -n "$l_rest" ]; do
    case $l_rest in *"$NL"*) l_line=${l_rest%%"$NL"*}; l_rest=${l_rest#*"$NL"};; *) l_line=$l_rest; l_rest=;; esac
    l_count=$((l_count + 1))
    line_step "$@"
  done
  if [ -n "$4" ] && [ -z "$l_done" ]; then L_NEW=$L_NEW$2$NL l_changed=1
  elif [ -z "$l_end" ]; then L_NEW=${L_NEW%"$NL"}; fi
  [ -n "$l_changed" ]
}
line_step() { # of l_line: keep it, replace it by the wanted line, or drop it
  case $l_hits in *" $l_count "*) l_hit=1;; *) l_hit=;; esac
  if [ "$l_line" = "$2" ] && { [ -z "$3" ] || [ -n "$4" ]; }; then l_hit=1; fi
  if [ -z "$l_hit" ]; then L_NEW=$L_NEW$l_line$NL; return; fi
  if [ -n "$4" ] && [ -z "$l_done" ]; then
    L_NEW=$L_NEW$2$NL l_done=1
    [ "$l_line" != "$2" ] || return 0
  fi
  [ -n "$l_changed" ] || L_WAS=$l_line
  l_changed=1
}
line_check() { # path line match present
  probe "$1"
  case $P_TYPE in
    '') [ -n "$4" ] || return 0;;
    'regular file'|'regular empty file') ;;
    *) refuse "$1 is a $P_TYPE, not a file"; return 2;;
  esac
  L_SIZE=${P_ID#*.}; L_SIZE=${L_SIZE%%.*}; L_SIZE=${L_SIZE:-0}
  [ "$L_SIZE" -le 262144 ] || { refuse "$1 is larger than 256 KiB"; return 2; }
  line_plan "$@" || return 0
  if [ -n "$4" ]; then differs line "$L_WAS" "$2"; else differs line "$L_WAS" ''; fi
  return 1
}
line_change() {
  line_plan "$@" || return 0
  l_sum=$(printf '%s' "$L_NEW" | sha256sum); l_key="$1 $4 $3 $2"
  look "$1"
  if [ -n "$P_TYPE" ]; then
    remember line "$l_key" "${l_sum%% *}$NL$4$NL$1$NL$2$NL${L_WAS}" "$1" || return 1
    put "$1" "$P_MODE" "$P_OWNER" "$P_GROUP" "$L_NEW"
  else
    remember line "$l_key" "${l_sum%% *}$NL$4$NL$1$NL$2$NL" && put "$1" 644 root root "$L_NEW"
  fi
}
"""

UNDO = r"""
line_undo() { # key receipt
  {
    IFS= read -r l_sum; IFS= read -r l_present; IFS= read -r l_path; IFS= read -r l_line; IFS= read -r l_was
  } <"$2/text"
  [ -e "$l_path" ] || return 0
  file_sum "$l_path"
  if [ "$SUM" = "$l_sum" ]; then
    if [ -e "$2/original" ]; then put_back "$2" "$l_path"; else rm -f -- "$l_path"; fi
    return
  fi
  l_sum=$SUM; file_sum "$2/original"
  [ "$SUM" != "$l_sum" ] || return 0
  # Somebody changed the file since then: only our line is turned back.
  L_NEW= l_rest=$(cat -- "$l_path"; printf x); l_rest=${l_rest%x}; l_old=$l_rest
  if [ -z "$l_present" ]; then
    case $NL$l_rest in *"$NL$l_was$NL"*) return 0;; esac
    L_NEW=$l_rest$l_was$NL l_rest=
  fi
  while [ -n "$l_rest" ]; do
    case $l_rest in *"$NL"*) l_now=${l_rest%%"$NL"*}$NL; l_rest=${l_rest#*"$NL"};; *) l_now=$l_rest; l_rest=;; esac
    if [ "${l_now%"$NL"}" = "$l_line" ]; then l_now=${l_was:+$l_was$NL}; L_NEW=$L_NEW$l_now$l_rest l_rest=
    else L_NEW=$L_NEW$l_now; fi
  done
  [ "$L_NEW" != "$l_old" ] || return 0
  look "$l_path"
  put "$l_path" "$P_MODE" "$P_OWNER" "$P_GROUP" "$L_NEW"
}
"""


@dataclass(frozen=True, slots=True)
class Line(Operation):
    """A line that a file must (or must not) hold; the rest of the file, its mode and owner stay as they are.

    match: a POSIX extended regular expression. The first line that it matches becomes `line`, others that it matches
    go; without such a line, `line` is added at the end. Without `match` the whole `line` is looked for.
    present=False: the lines that `match` (or else `line` itself) finds go. A missing file is made with mode 644.
    """

    path: str
    line: str
    match: str | None = None
    present: bool = True
    kind: Literal["line"] = "line"

    library: ClassVar[str] = LIBRARY
    undo_library: ClassVar[str] = UNDO

    def __post_init__(self) -> None:
        absolute(self.path)
        one_line(self.line)
        one_line(self.match or "")

    @property
    def title(self) -> str:
        return f"line of {self.path}"

    def manual(self) -> tuple[str, ...]:
        return (f"echo {word(self.line)} >> {word(self.path)}",) if self.present else ()

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return (self.path, self.line, self.match or "", self.present)

    def probes(self) -> tuple[str, ...]:
        return (self.path,)
