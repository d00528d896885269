"""Snapshots of stacked etcd with the keys of the cluster, and the way back, on the same hosts or on new ones."""

from __future__ import annotations

from raijin.errors import PlanRefused
from raijin.facts.raijin import STATE_FOLDER
from raijin.operations.absent import Absent, unmarked
from raijin.operations.base import Operation, SecretRef
from raijin.operations.command import Command
from raijin.operations.containers import ContainersAbsent
from raijin.operations.directory import Directory
from raijin.operations.file import File
from raijin.operations.install import Install
from raijin.operations.program import Program
from raijin.operations.unit import Unit
from raijin.platforms import packing
from raijin.platforms.addresses import joined, node_address, released
from raijin.platforms.base import Context, Node
from raijin.platforms.kubeadm.paths import (
    ADMIN_CONF,
    BOOTSTRAP_CONF,
    CRI_SOCKET,
    ENCRYPTION_FILE,
    ETCD_ACCESS,
    ETCD_DATA,
    INIT_MARKER,
    JOIN_MARKER,
    KUBELET_CONF,
    KUBELET_PKI,
    KUBERNETES,
    MANIFESTS,
    PKI,
    SUPER_ADMIN_CONF,
)
from raijin.platforms.timed import timed
from raijin.platforms.tools import ETCD

# The authorities and the key of service accounts; every other certificate is made from them.
KEYS = (
    f"{PKI}/ca.crt", f"{PKI}/ca.key", f"{PKI}/sa.pub", f"{PKI}/sa.key",
    f"{PKI}/front-proxy-ca.crt", f"{PKI}/front-proxy-ca.key", f"{PKI}/etcd/ca.crt", f"{PKI}/etcd/ca.key",
)  # fmt: skip
SAVE = ("etcdctl", *ETCD_ACCESS.arguments(), "snapshot", "save")
REVISIONS = 1_000_000_000
"""How far the revision jumps at a restore, so that no watcher takes the past for the present (etcd-io/etcd#16028)."""
BEFORE = f"{STATE_FOLDER}/etcd-before"
"""Data that a restoration has replaced, by the time of that; not below /var/lib/etcd, which must be empty to join."""
RESTORED = f"{ETCD_DATA}/.raijin-restored"
SNAPSHOT_FILE = f"{STATE_FOLDER}/restore.db"


def alone(path: str, text: str) -> str:
    """An authority as it is restored: the first in its file, whose key lies beside it.

    There are several while authorities are replaced; a cluster that is restored begins with one.
    """
    if path not in KEYS or not path.endswith("ca.crt"):
        return text
    first, end, _ = text.partition("-----END CERTIFICATE-----")
    return f"{first}{end}\n" if end else text


def pack(context: Context, node: Node) -> Program:
    """The snapshot by etcdctl, from the member of this host."""
    require_tools(node)
    command = (*SAVE, packing.SNAPSHOT)
    take = Command("take a snapshot of etcd", command, creates=packing.SNAPSHOT, timeout=packing.SNAPSHOT_SECONDS)
    return packing.pack(context, take, _files(node))


def by_itself(context: Context, node: Node) -> Program | None:
    """Snapshots by a timer of the host."""
    if context.cluster.backup.schedule is not None and ETCD not in context.supply(node).binaries:
        require_tools(node)
    return timed(context, node, SAVE, ("kubeadm", "version", "-o", "short"), _files(node))


def _files(node: Node) -> tuple[str, ...]:
    encrypted = node.facts is not None and ENCRYPTION_FILE in node.facts.files
    return (*KEYS, *([ENCRYPTION_FILE] if encrypted else []))


def require_tools(node: Node) -> None:
    """Raises PlanRefused when etcd's tools are not on the host."""
    if node.facts is not None and not node.facts.version_of("etcdctl"):
        raise PlanRefused(
            f"{node.name}: there is no etcdctl on it, by which snapshots are made",
            remedy="run `raijin artifacts lock` (or import a bundle that has etcd), then `raijin apply`",
        )


def halt(context: Context, node: Node) -> Program:
    """Stop everything, and forget that a control plane was started here. etcd's data is kept aside."""
    del node
    kept = f"{BEFORE}/{context.snapshot.restoration if context.snapshot else 'unknown'}"
    configs = (
        ADMIN_CONF, SUPER_ADMIN_CONF, KUBELET_CONF, BOOTSTRAP_CONF,
        f"{KUBERNETES}/controller-manager.conf", f"{KUBERNETES}/scheduler.conf",
    )  # fmt: skip
    operations: tuple[Operation, ...] = (
        Unit("kubelet", running=False, enabled=None),
        ContainersAbsent(CRI_SOCKET),
        *released(context),
        *unmarked(INIT_MARKER, JOIN_MARKER),
        Absent(MANIFESTS, recursive=True),
        Absent(PKI, recursive=True),
        Absent(KUBELET_PKI, recursive=True),
        *(Absent(path) for path in configs),
        Directory(BEFORE, mode="700"),
        Command(
            "keep the old data of etcd aside",
            ("mv", f"{ETCD_DATA}/member", kept),
            creates=kept,
            only_if=("test", "-d", f"{ETCD_DATA}/member"),
        ),
    )
    return Program("halt the control plane", context.cluster.name, operations)


def seed(context: Context) -> Program:
    """The keys of the cluster, and etcd's data made from the snapshot, as those of a cluster with this one member."""
    first, snapshot = context.first, context.snapshot
    if snapshot is None:
        raise PlanRefused("there is no snapshot to restore from")
    if ETCD not in context.supply(first).binaries:
        require_tools(first)
    name, peer = first.name, f"https://{joined(node_address(first), 2380)}"
    restore = (
        "etcdutl", "snapshot", "restore", SNAPSHOT_FILE, "--data-dir", RESTORED,
        "--name", name, "--initial-cluster", f"{name}={peer}", "--initial-advertise-peer-urls", peer,
        "--initial-cluster-token", snapshot.id, "--bump-revision", str(REVISIONS), "--mark-compacted",
    )  # fmt: skip
    member = f"{ETCD_DATA}/member"
    operations: tuple[Operation, ...] = (
        *(Directory(path, mode="755") for path in (PKI, f"{PKI}/etcd")),
        *(
            File(path, SecretRef(secret), mode="644" if path.endswith((".crt", ".pub")) else "600")
            for path, secret in sorted(snapshot.files.items())
        ),
        Directory(ETCD_DATA, mode="700"),
        Install(SNAPSHOT_FILE, snapshot.sha256, f"snapshot {snapshot.id}", mode="600"),
        Absent(RESTORED, recursive=True),  # half of it, where the host was switched off in the middle
        Command(
            "restore the snapshot",
            restore,
            creates=f"{RESTORED}/member",
            unless=("test", "-d", member),
            timeout=1800,
        ),
        Command("put the data in its place", ("mv", f"{RESTORED}/member", member), creates=member),
        Absent(RESTORED, recursive=True),
        Absent(SNAPSHOT_FILE),
    )
    return Program("restore the data", context.cluster.name, operations)
