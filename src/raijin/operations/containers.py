"""Containers of Kubernetes that must not run: asked of the runtime first, then ended with their shims.

A shim outlives its containerd (KillMode=process), and `kubeadm reset` can miss a pod that was just ending when its node
object was deleted: both were seen to leave processes behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve

LIBRARY = r"""
SHIM='[c]ontainerd-shim-runc'
# shims: the process ids of the shims of Kubernetes' containers.
shims() {
  SHIMS=
  for o_file in $(grep -slaE "$SHIM" /proc/[0-9]*/cmdline); do
    o_pid=${o_file#/proc/}; o_pid=${o_pid%/cmdline}
    ! grep -qsa 'k8s\.io' "$o_file" || SHIMS="$SHIMS $o_pid"
  done
}
containersabsent_check() { # socket
  shims
  [ -n "$SHIMS" ] || return 0
  set -- $SHIMS
  differs containers "$# shims run" none
  return 1
}
containersabsent_change() {
  if have crictl && [ -S "${1#unix://}" ]; then
    bounded 60 crictl --runtime-endpoint "$1" --timeout 20s rmp --all --force || echo 'the runtime kept some pods'
  fi
  shims
  [ -n "$SHIMS" ] || return 0
  # A shim's containers are its children, and theirs; they go before it, so that nothing is handed to process 1.
  o_all=$(ps -A -o pid= -o ppid= | awk -v roots="$SHIMS" '
    { parent[$1] = $2 }
    END {
      count = split(roots, root, " ")
      for (i = 1; i <= count; i++) wanted[root[i]] = 1
      do {
        more = 0
        for (pid in parent) if (!(pid in wanted) && (parent[pid] in wanted)) { wanted[pid] = 1; more = 1 }
      } while (more)
      for (pid in wanted) print pid
    }')
  kill -9 $o_all 2>/dev/null
  o_left=50
  while shims; [ -n "$SHIMS" ] && [ "$o_left" -gt 0 ]; do o_left=$((o_left - 1)); sleep 0.1; done
  [ -z "$SHIMS" ] || { REASON="these shims cannot be ended:$SHIMS"; return 1; }
}
"""


@dataclass(frozen=True, slots=True)
class ContainersAbsent(Operation):
    """No container of Kubernetes runs. socket: of the runtime, as kubeadm names it (`unix:///run/...`).

    It keeps no receipt: it is for what the cluster started itself.
    """

    socket: str
    kind: Literal["containersabsent"] = "containersabsent"

    library: ClassVar[str] = LIBRARY

    @property
    def title(self) -> str:
        return "no containers of Kubernetes"

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return (self.socket,)
