"""Taking a host out: what `k3s-killall.sh`, `k3s-uninstall.sh` and RKE2's scripts of that kind do, as operations.

Sources: k3s-io/k3s install.sh (create_killall, create_uninstall), rancher/rke2 bundle/bin (2026-08).
"""

from __future__ import annotations

from raijin.operations.absent import Absent, unmarked
from raijin.operations.base import Operation
from raijin.operations.containers import ContainersAbsent
from raijin.operations.forget import Forget
from raijin.operations.program import Program
from raijin.operations.restore import Restore
from raijin.operations.unit import Unit
from raijin.platforms import remains
from raijin.platforms.base import Context
from raijin.platforms.pods import END_SLICE
from raijin.platforms.rancher.layout import NODE_FOLDER, SOCKET, Distribution

# Folders that the program, its containerd and the container network fill while they run, and that nothing else uses.
_FILLED = ("/var/lib/kubelet", "/run/k3s", *remains.FOLDERS, "/var/log/pods", "/var/log/containers")
_LINKS = ("flannel.4096", "flannel-v6.4096", "nodelocaldns")


def leave(context: Context, distribution: Distribution) -> Program:
    """The whole way back, for a host whose node object is already gone (or whose cluster is destroyed)."""
    own = (distribution.config_folder, NODE_FOLDER, distribution.data, *_FILLED)
    operations: tuple[Operation, ...] = (
        # What was started here is no more. Said first: an apply after an interrupted way back must start it anew.
        *unmarked(*distribution.markers),
        *(Unit(unit, running=False, enabled=False) for unit in (distribution.server_unit, distribution.agent_unit)),
        ContainersAbsent(SOCKET),
        *remains.networks_gone(context.cluster.network.pod_networks, links=_LINKS),
        *(Absent(path, recursive=True, unmount=True) for path in own),
        Restore(),
        END_SLICE,
        Forget(),
    )
    return Program("leave the cluster", context.cluster.name, operations)
