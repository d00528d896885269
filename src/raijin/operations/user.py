"""Users of the host's own accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.accounts import ACCOUNTS
from raijin.operations.base import Argument, Operation, Resolve, absolute, matching
from raijin.operations.group import NAME

LIBRARY = r"""
user_check() { # name uid group home shell system groups...
  if ! account /etc/passwd "$1"; then differs state absent user; return 1; fi
  u_rc=0 U_NAME=$1
  [ -z "$2" ] || [ "$2" = "$A_ID" ] || { refuse "user $1 has id $A_ID, not $2: files may belong to it"; return 2; }
  u_home=$A_HOME u_shell=$A_SHELL
  group_name "$A_GROUP"; u_primary=$GROUP_NAME
  [ -z "$3" ] || [ "$3" = "$u_primary" ] || { differs group "$u_primary" "$3"; u_rc=1; }
  [ -z "$4" ] || [ "$4" = "$u_home" ] || { differs home "$u_home" "$4"; u_rc=1; }
  [ "$5" = "$u_shell" ] || { differs shell "$u_shell" "$5"; u_rc=1; }
  shift 6
  for u_group in "$@"; do
    in_group "$U_NAME" "$u_group" || { differs "member of $u_group" no yes; u_rc=1; }
  done
  return $u_rc
}
in_group() { # user group
  account /etc/group "$2" || return 1
  case ,$A_MEMBERS, in *",$1,"*) return 0;; esac
  return 1
}
user_change() {
  u_name=$1 u_uid=$2 u_group=$3 u_want_home=$4 u_want_shell=$5 u_system=$6; shift 6
  if account /etc/passwd "$u_name"; then
    remember user "$u_name" "present $u_primary $u_home $u_shell" && have usermod || return 1
    usermod ${u_group:+-g "$u_group"} ${u_want_home:+-d "$u_want_home"} -s "$u_want_shell" -- "$u_name" || return 1
  else
    remember user "$u_name" absent && user_new || return 1
    FETCHED=' '
  fi
  for u_group in "$@"; do
    in_group "$u_name" "$u_group" && continue
    remember member "$u_name $u_group" absent || return 1
    if have usermod; then usermod -aG "$u_group" -- "$u_name"; else addgroup "$u_name" "$u_group"; fi || return 1
  done
}
user_new() {
  if have useradd; then
    set -- -s "$u_want_shell"
    if [ -n "$u_system" ]; then set -- "$@" -r -M; else set -- "$@" -m; fi
    if [ -n "$u_group" ]; then set -- "$@" -g "$u_group"; else set -- "$@" -U; fi
    useradd "$@" ${u_uid:+-u "$u_uid"} ${u_want_home:+-d "$u_want_home"} -- "$u_name"
  else
    set -- -D -s "$u_want_shell"
    [ -z "$u_system" ] || set -- "$@" -S -H
    adduser "$@" ${u_group:+-G "$u_group"} ${u_uid:+-u "$u_uid"} ${u_want_home:+-h "$u_want_home"} "$u_name"
  fi
}
"""

UNDO = r"""
user_undo() { # name receipt
  FETCHED=' '
  account /etc/passwd "$1" || return 0
  read_text "$2/text"
  case $TEXT in
    absent) if have userdel; then userdel -- "$1"; else deluser "$1"; fi;;
    *) IFS=' ' read -r _ u_group u_home u_shell <"$2/text"; usermod -g "$u_group" -d "$u_home" -s "$u_shell" -- "$1";;
  esac
}
member_undo() { # `user group` receipt
  FETCHED=' '
  account /etc/passwd "${1% *}" && account /etc/group "${1#* }" || return 0
  if have gpasswd; then gpasswd -d "${1% *}" "${1#* }"; else deluser "${1% *}" "${1#* }"; fi
}
"""


@dataclass(frozen=True, slots=True)
class User(Operation):
    """A user in /etc/passwd, without a password.

    group: the primary group (empty: one of its own name). groups: others that it must be in; more are left alone.
    home: empty means the system's choice. A home directory is made for a user that is not a system user, and stays when
    the user goes: it may hold somebody's work.
    """

    name: str
    uid: int | None = None
    group: str = ""
    groups: tuple[str, ...] = ()
    home: str = ""
    shell: str = "/usr/sbin/nologin"
    system: bool = True
    kind: Literal["user"] = "user"

    library: ClassVar[str] = LIBRARY
    requires: ClassVar[tuple[str, ...]] = (ACCOUNTS,)
    undo_library: ClassVar[str] = UNDO

    def __post_init__(self) -> None:
        for name in (self.name, *filter(None, (self.group, *self.groups))):
            matching(NAME, name, "the name of a user or group")
        absolute(self.shell)
        absolute(self.home or "/")

    @property
    def title(self) -> str:
        return f"user {self.name}"

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        uid = "" if self.uid is None else self.uid
        return (self.name, uid, self.group, self.home, self.shell, self.system, *self.groups)
