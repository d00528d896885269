"""Static pods that run with what their files hold now."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve, absolute, matching, one_line

# A container keeps what it read at its start. Its start is compared with the times of the files, so that a killed run
# is finished by the next one, and a restart by hand is not repeated.
LIBRARY = r"""
# By itself crictl gives up after two seconds; a busy host takes longer to stop a pod.
staticpod_cri() { "$p_crictl" --timeout 60s --runtime-endpoint "$p_socket" "$@" 2>/dev/null; }
staticpod_started() { # sets STARTED to the seconds since the epoch at which the container was started
  STARTED=
  p_id=$(staticpod_cri ps --name "^$p_name\$" --state Running -q | head -n 1)
  [ -n "$p_id" ] || return 0
  p_at=$(staticpod_cri inspect "$p_id" | sed -n 's/.*"startedAt": *"\([^".]*\)[".].*/\1/p' | head -n 1)
  p_at=${p_at%Z}
  STARTED=$(TZ=UTC0 date -d "${p_at%T*} ${p_at#*T}" +%s)
}
staticpod_check() { # name socket seconds crictl files...
  p_name=$1 p_socket=$2 p_crictl=$4; shift 4
  staticpod_started
  [ -n "$STARTED" ] || { differs state absent running; return 1; }
  for p_path in "$@"; do
    if [ "$MODE" = check ]; then
      case $TOUCHED in *"$NL$p_path$NL"*) differs configuration changing restarted; return 1;; esac
    fi
    p_time=$(stat -c %Y -- "$p_path" 2>/dev/null) || continue
    [ "$p_time" -le "$STARTED" ] || { differs configuration "$p_path changed since its start" restarted; return 1; }
  done
}
staticpod_change() {
  p_name=$1 p_socket=$2 p_wait=$3
  now; p_end=$((NOW + p_wait * 100)) p_before=$STARTED
  if [ -n "$STARTED" ]; then
    p_id=$(staticpod_cri inspect "$p_id")
    p_pod=$(printf '%s' "$p_id" | sed -n 's/.*"io.kubernetes.cri.sandbox-id": *"\([^"]*\)".*/\1/p' | head -n 1)
    [ -n "$p_pod" ] || { REASON="the runtime does not tell the pod of $p_name"; return 1; }
    # The pod, not the container: the kubelet starts a stopped pod at once, and a stopped container after a back-off.
    "$p_crictl" --timeout 60s --runtime-endpoint "$p_socket" stopp "$p_pod" || return 1
  fi
  while :; do
    staticpod_started
    [ -z "$STARTED" ] || [ "$STARTED" = "$p_before" ] || return 0
    now; [ "$NOW" -lt "$p_end" ] || { REASON="$p_name was not started again within $p_wait s"; return 1; }
    pause
  done
}
"""

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class StaticPod(Operation):
    """A static pod whose container was started after the last change of the files that it reads.

    name: of its container. socket: of the container runtime. watches: the files. timeout: seconds until it runs again.
    crictl: the program that speaks to the runtime, or its path.
    """

    name: str
    socket: str
    watches: tuple[str, ...]
    timeout: int = 180
    crictl: str = "crictl"
    kind: Literal["staticpod"] = "staticpod"

    library: ClassVar[str] = LIBRARY

    def __post_init__(self) -> None:
        matching(_NAME, self.name, "the name of a container")
        for path in self.watches:
            absolute(path)
        one_line(self.crictl)

    @property
    def title(self) -> str:
        return f"static pod {self.name}"

    def manual(self) -> tuple[str, ...]:
        return (f"{self.crictl} stopp $({self.crictl} pods --label component={self.name} -q)",)

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        del resolve
        return (self.name, self.socket, self.timeout, self.crictl, *self.watches)
