"""Starting a cluster and joining it: programs that run `kubeadm`, each safe to run again after it was interrupted.

kubeadm's phases take up what an interrupted run left (certificates, manifests, the etcd data of the only member), once
its preflight is told that these files are no surprise. Nothing is reset: a second start never makes a second cluster.
"""

from __future__ import annotations

from raijin.operations.absent import Absent
from raijin.operations.base import Operation, SecretRef
from raijin.operations.command import Command
from raijin.operations.directory import Directory
from raijin.operations.file import File
from raijin.operations.program import Program
from raijin.platforms.base import Context, Node
from raijin.platforms.kubeadm.config import init_documents, to_yaml

FOLDER = "/etc/kubernetes/raijin"
INIT_FILE = f"{FOLDER}/init.yaml"
JOIN_FILE = f"{FOLDER}/join.yaml"
ADMIN_CONF = "/etc/kubernetes/admin.conf"
KUBELET_CONF = "/etc/kubernetes/kubelet.conf"

# What an interrupted `kubeadm init` or `join` leaves behind (kubeadm preflight check names).
_LEFT_BY_INIT = (
    "DirAvailable--etc-kubernetes-manifests",
    "DirAvailable--var-lib-etcd",
    "FileAvailable--etc-kubernetes-manifests-kube-apiserver.yaml",
    "FileAvailable--etc-kubernetes-manifests-kube-controller-manager.yaml",
    "FileAvailable--etc-kubernetes-manifests-kube-scheduler.yaml",
    "FileAvailable--etc-kubernetes-manifests-etcd.yaml",
    "Port-6443",
    "Port-10250",
    "Port-10257",
    "Port-10259",
    "Port-2379",
    "Port-2380",
)
_LEFT_BY_JOIN = (
    "FileAvailable--etc-kubernetes-kubelet.conf",
    "FileAvailable--etc-kubernetes-bootstrap-kubelet.conf",
    "FileAvailable--etc-kubernetes-pki-ca.crt",
    "DirAvailable--etc-kubernetes-manifests",
    "Port-10250",
)
INIT_SECONDS = 900
JOIN_SECONDS = 600


def start_cluster(context: Context, *, interrupted: bool) -> Program:
    """`kubeadm init` on the first control plane host; `interrupted` when an earlier one was begun and not ended."""
    ignored = ",".join(_LEFT_BY_INIT) if interrupted else ""
    command = ["kubeadm", "init", "--config", INIT_FILE, "--skip-token-print"]
    if ignored:
        command.append(f"--ignore-preflight-errors={ignored}")
    operations: tuple[Operation, ...] = (
        Directory(FOLDER, mode="700"),
        File(INIT_FILE, to_yaml(init_documents(context)), mode="600"),
        Command("start the cluster", tuple(command), marker="kubeadm-init", timeout=INIT_SECONDS),
    )
    return Program("start the cluster", context.cluster.name, operations)


def join_worker(context: Context, node: Node, *, interrupted: bool) -> Program:
    """`kubeadm join` of a worker. The join document holds a token: it exists on the host only while it is used."""
    command = ["kubeadm", "join", "--config", JOIN_FILE]
    if interrupted:
        command.append(f"--ignore-preflight-errors={','.join(_LEFT_BY_JOIN)}")
    operations: tuple[Operation, ...] = (
        Directory(FOLDER, mode="700"),
        File(JOIN_FILE, SecretRef(join_secret(context.cluster.name, node.name)), mode="600"),
        Command("join the cluster", tuple(command), creates=KUBELET_CONF, timeout=JOIN_SECONDS),
        Absent(JOIN_FILE),
    )
    return Program("join the cluster", context.cluster.name, operations)


def join_secret(cluster: str, host: str) -> str:
    """The name under which a host's join document is kept until it has joined."""
    return f"cluster/{cluster}/join/{host}"


def kubeconfig_secret(cluster: str) -> str:
    return f"cluster/{cluster}/kubeconfig"
