"""etcd that runs outside the cluster: how API servers reach it. After "Set up a High Availability etcd Cluster with
kubeadm" and "Creating Highly Available Clusters with kubeadm" of kubernetes.io (ClusterConfiguration, `etcd.external`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from raijin.model.cluster import Cluster
from raijin.model.kubernetes import ExternalEtcd
from raijin.observe.revealing import revealed
from raijin.operations.base import Operation, SecretRef
from raijin.operations.command import Command
from raijin.operations.directory import Directory
from raijin.operations.file import File
from raijin.platforms.base import Context
from raijin.platforms.kubeadm.paths import MANIFESTS, PKI

FOLDER = f"{PKI}/external-etcd"
"""Below the folder that every API server has mounted (kubeadm: phases/controlplane, getEtcdCertVolumes)."""
FILES = {"ca": f"{FOLDER}/ca.crt", "certificate": f"{FOLDER}/client.crt", "key": f"{FOLDER}/client.key"}
INSIDE = f"{MANIFESTS}/etcd.yaml"
EMPTY = (
    'keys=$(etcdctl --endpoints "$0" "$@" get /registry/ --prefix --keys-only --limit 1) || exit 1; '
    '[ -z "$keys" ] || { echo "etcd outside holds the data of a cluster already ($keys): give this one an etcd of its '
    'own, or delete what is below /registry/ if nobody needs it" >&2; exit 1; }'
)
"""Looks for any key below the prefix of an API server. $0: the endpoints; after it, how etcdctl is to speak."""


def outside(cluster: Cluster) -> ExternalEtcd | None:
    return cluster.kubernetes.kubeadm.external_etcd


def configuration(cluster: Cluster) -> dict[str, Any]:
    """For ClusterConfiguration; nothing where etcd is stacked."""
    etcd = outside(cluster)
    if etcd is None:
        return {}
    paths = {"caFile": FILES["ca"], "certFile": FILES["certificate"], "keyFile": FILES["key"]}
    return {"etcd": {"external": {"endpoints": list(etcd.endpoints), **paths}}}


def given(cluster: Cluster) -> dict[str, str]:
    """The contents of the files, by the names that they are kept under. Raises NotFound."""
    etcd = outside(cluster)
    if etcd is None:
        return {}
    texts = {name: (revealed(getattr(etcd, name)) or "").strip() for name in FILES}
    return {_secret(cluster.name, name): f"{text}\n" for name, text in texts.items()}


def secrets(cluster: str) -> list[str]:
    return [_secret(cluster, name) for name in FILES]


def _secret(cluster: str, name: str) -> str:
    return f"cluster/{cluster}/external-etcd/{name}"


def files(cluster: Cluster) -> list[Operation]:
    """Of every control plane host, before its API server starts."""
    if outside(cluster) is None:
        return []
    kept = (File(path, SecretRef(_secret(cluster.name, name)), mode="600") for name, path in FILES.items())
    return [Directory(FOLDER, mode="700"), *kept]


def empty(cluster: Cluster) -> Iterable[Operation]:
    """Before a cluster is started: a second one must not take the data of another for its own. Asked once: a start that
    was interrupted finds its own data there.
    """
    etcd = outside(cluster)
    if etcd is not None:
        trust = ("--cacert", FILES["ca"], "--cert", FILES["certificate"], "--key", FILES["key"])
        ask = ("sh", "-c", EMPTY, ",".join(etcd.endpoints), *trust)
        yield Command("see that etcd outside is empty", ask, marker="etcd-outside", timeout=60)


def reasons(context: Context) -> Iterable[str]:
    """Data is not moved from one etcd to another."""
    started = [node for node in context.started if node.facts is not None]
    inside = [node.name for node in started if INSIDE in node.facts.files or node.parts.data]  # type: ignore[union-attr]
    if outside(context.cluster) is not None:
        yield from (
            f"{name}: its etcd runs inside the cluster, and `kubernetes.kubeadm.externalEtcd` names another one: the "
            "data of a cluster is not moved; take that out, or make a new cluster"
            for name in inside
        )
    elif started and not inside:
        yield (
            f"{started[0].name}: the cluster runs with an etcd outside, and the definition names none: write "
            "`kubernetes.kubeadm.externalEtcd` back"
        )
