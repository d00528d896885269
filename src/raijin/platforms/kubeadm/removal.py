"""Taking a host out of a kubeadm cluster: everything that Kubernetes left, then every change that Raijin made."""

from __future__ import annotations

from raijin.operations.absent import Absent, unmarked
from raijin.operations.base import Operation
from raijin.operations.command import Command
from raijin.operations.containers import ContainersAbsent
from raijin.operations.forget import Forget
from raijin.operations.program import Program
from raijin.operations.restore import Restore
from raijin.operations.unit import Unit
from raijin.platforms import remains
from raijin.platforms.addresses import released
from raijin.platforms.base import Context
from raijin.platforms.kubeadm.paths import (
    ADMIN_CONF,
    BOOTSTRAP_CONF,
    CRI_SOCKET,
    FOLDER,
    INIT_MARKER,
    JOIN_MARKER,
    KUBELET_CONF,
)
from raijin.platforms.pods import END_SLICE

# Folders that Kubernetes, containerd and the CNI fill while they run, and that nothing else uses.
_FILLED = (
    "/etc/kubernetes",
    "/var/lib/kubelet",
    "/var/lib/etcd",
    "/var/lib/containerd",
    *remains.FOLDERS,
    "/opt/containerd",
    "/run/containerd",
    "/var/log/pods",
    "/var/log/containers",
)


def leave(context: Context) -> Program:
    """The whole way back, for a host whose node object is already gone (or whose cluster is destroyed)."""
    operations: tuple[Operation, ...] = (
        # What was started here is no more. Said first: an apply after an interrupted way back must start it anew.
        *unmarked(INIT_MARKER, JOIN_MARKER),
        Command(
            "stop Kubernetes and its containers",
            ("kubeadm", "reset", "--force", "--skip-phases=remove-etcd-member", "--cri-socket", CRI_SOCKET),
            only_if=("test", "-e", "/usr/local/bin/kubeadm"),
            # It empties folders and leaves them; what it takes away for certain is the way to the API.
            unless=("test", "!", "-e", KUBELET_CONF, "-a", "!", "-e", ADMIN_CONF, "-a", "!", "-e", BOOTSTRAP_CONF),
            timeout=600,
        ),
        Unit("kubelet", running=False, enabled=False),
        ContainersAbsent(CRI_SOCKET),
        *released(context),
        Unit("containerd", running=False, enabled=False),
        Absent(FOLDER, recursive=True),
        *(Absent(path, recursive=True, unmount=True) for path in _FILLED),
        *remains.networks_gone(context.cluster.network.pod_networks),
        Restore(),
        END_SLICE,
        Forget(),
    )
    return Program("leave the cluster", context.cluster.name, operations)
