"""Starting a cluster and joining it: programs that run `kubeadm`, each safe to run again after it was interrupted.

kubeadm's phases take up what an interrupted run left (certificates, manifests, the etcd member), once its preflight is
told that these files are no surprise. Whether something was left is asked on the host, when the program runs. Nothing
is reset: a second start never makes a second cluster, and a second join never a second etcd member.
"""

from __future__ import annotations

from raijin.model.virtual_ip import VipProvider
from raijin.operations.absent import Absent
from raijin.operations.base import Operation, SecretRef
from raijin.operations.command import Command
from raijin.operations.directory import Directory
from raijin.operations.file import File
from raijin.operations.program import Program
from raijin.platforms.base import Context, Node
from raijin.platforms.decided import fixed
from raijin.platforms.kubeadm import apiserver, external
from raijin.platforms.kubeadm.config import init_documents, to_yaml
from raijin.platforms.kubeadm.lastwords import LAST_WORDS
from raijin.platforms.kubeadm.paths import (
    ADMIN_CONF,
    API_MANIFEST,
    BOOTSTRAP_CONF,
    ETCD_DATA,
    FOLDER,
    INIT_FILE,
    INIT_MARKER,
    JOIN_FILE,
    JOIN_MARKER,
    KUBELET_CONF,
    PKI,
)
from raijin.platforms.kubeadm.settings import noted

# kubeadm's names of the preflight checks that complain of what an interrupted `init` or `join` left.
_MANIFESTS = (
    "DirAvailable--etc-kubernetes-manifests",
    "FileAvailable--etc-kubernetes-manifests-kube-apiserver.yaml",
    "FileAvailable--etc-kubernetes-manifests-kube-controller-manager.yaml",
    "FileAvailable--etc-kubernetes-manifests-kube-scheduler.yaml",
    "FileAvailable--etc-kubernetes-manifests-etcd.yaml",
    "DirAvailable--var-lib-etcd",
    "Port-6443",
    "Port-10257",
    "Port-10259",
    "Port-2379",
    "Port-2380",
)
_KUBELET = (
    "FileAvailable--etc-kubernetes-kubelet.conf",
    "FileAvailable--etc-kubernetes-bootstrap-kubelet.conf",
    "FileAvailable--etc-kubernetes-pki-ca.crt",
    "DirAvailable--etc-kubernetes-manifests",
    "Port-10250",
)
INIT_SECONDS = 900
JOIN_SECONDS = 600


def start_cluster(context: Context) -> Program:
    """`kubeadm init` on the first control plane host."""
    init = ["kubeadm", "init", "--config", INIT_FILE, "--skip-token-print"]
    vip = context.cluster.network.virtual_ip
    if vip is not None and vip.provider is VipProvider.KUBE_VIP:
        # Its static pod is there before kubeadm is: the virtual address must be carried while the cluster starts.
        fresh = (*init, _ignoring("DirAvailable--etc-kubernetes-manifests"))
    else:
        fresh = tuple(init)
    begun = ("test", "-e", API_MANIFEST, "-o", "-d", f"{ETCD_DATA}/member", "-o", "-e", KUBELET_CONF)
    operations: tuple[Operation, ...] = (
        Directory(FOLDER, mode="700"),
        *apiserver.files(context),
        *external.empty(context.cluster),
        File(INIT_FILE, to_yaml(init_documents(context)), mode="600"),
        Command(
            "go on with the start of the cluster",
            (*init, _ignoring(*_MANIFESTS, *_KUBELET)),
            only_if=begun,
            marker=INIT_MARKER,
            timeout=INIT_SECONDS,
            post_mortem=LAST_WORDS,
        ),
        Command("start the cluster", fresh, marker=INIT_MARKER, timeout=INIT_SECONDS, post_mortem=LAST_WORDS),
        *fixed(context),
        *noted(context, context.first),
    )
    return Program("start the cluster", context.cluster.name, operations)


def join_worker(context: Context, node: Node) -> Program:
    """`kubeadm join` of a worker. The join document holds a token: it exists on the host only while it is used."""
    join = ("kubeadm", "join", "--config", JOIN_FILE)
    begun = ("test", "-e", BOOTSTRAP_CONF, "-o", "-e", f"{PKI}/ca.crt")
    return _joining(
        context,
        node,
        Command(
            "go on with joining the cluster",
            (*join, _ignoring(*_KUBELET)),
            only_if=begun,
            creates=KUBELET_CONF,
            timeout=JOIN_SECONDS,
        ),
        Command("join the cluster", join, creates=KUBELET_CONF, timeout=JOIN_SECONDS),
    )


def join_control_plane(context: Context, node: Node) -> Program:
    """`kubeadm join` of one more control plane host, with an etcd member of its own where etcd is stacked."""
    join = ("kubeadm", "join", "--config", JOIN_FILE)
    ignoring = _ignoring(*_MANIFESTS, *_KUBELET)
    return _joining(
        context,
        node,
        Command(
            "go on with joining the control plane",
            # Its kubelet runs: kubeadm would take the node that it made itself for another one of the same name.
            (*join, ignoring, "--skip-phases=kubelet-start"),
            only_if=("test", "-e", KUBELET_CONF),
            marker=JOIN_MARKER,
            timeout=JOIN_SECONDS,
            post_mortem=LAST_WORDS,
        ),
        Command(
            "take up joining the control plane",
            (*join, ignoring),
            only_if=("test", "-e", f"{PKI}/ca.crt", "-o", "-e", ADMIN_CONF),
            marker=JOIN_MARKER,
            timeout=JOIN_SECONDS,
            post_mortem=LAST_WORDS,
        ),
        Command("join the control plane", join, marker=JOIN_MARKER, timeout=JOIN_SECONDS, post_mortem=LAST_WORDS),
    )


def _joining(context: Context, node: Node, *commands: Command) -> Program:
    operations: tuple[Operation, ...] = (
        Directory(FOLDER, mode="700"),
        *(apiserver.files(context) if node.control_plane else ()),
        File(JOIN_FILE, SecretRef(join_secret(context.cluster.name, node.name)), mode="600"),
        *commands,
        Absent(JOIN_FILE),
        *noted(context, node),
        *(fixed(context) if node.control_plane else ()),
    )
    return Program("join the cluster", context.cluster.name, operations)


def _ignoring(*checks: str) -> str:
    return f"--ignore-preflight-errors={','.join(dict.fromkeys(checks))}"


def join_secret(cluster: str, host: str) -> str:
    """The name under which a host's join document is kept until it has joined."""
    return f"cluster/{cluster}/join/{host}"
