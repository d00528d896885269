"""What a distribution puts into a new cluster by itself: namespaces, name service, kube-proxy, networks of its own."""

from __future__ import annotations

from collections.abc import Iterable

from raijin.transport.document import Document
from raijin.twin import nameservice
from raijin.twin.cluster import CNI_FOLDER, Cluster

NAMESPACES = ("kube-system", "default", "kube-public", "kube-node-lease")


def namespaces(cluster: Cluster, more: Iterable[str] = ()) -> None:
    for name in (*NAMESPACES, *more):
        document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "status": {"phase": "Active"}}
        cluster.put(f"/api/v1/namespaces/{name}", document)


def name_service(cluster: Cluster, name: str = "coredns") -> None:
    metadata, labels = {"name": name, "namespace": "kube-system"}, {"k8s-app": "kube-dns"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": []}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    document = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
    cluster.put(f"/apis/apps/v1/namespaces/kube-system/deployments/{name}", document)
    cluster.put(nameservice.PATH, nameservice.service())


def kube_proxy(cluster: Cluster, version: str) -> None:
    container = {"name": "kube-proxy", "image": f"registry.k8s.io/kube-proxy:{version}"}
    daemon(cluster, "kube-proxy", {"containers": [container]})


def network(cluster: Cluster, name: str, namespace: str = "kube-system") -> None:
    """A container network whose pods configure it on every node."""
    volumes = [{"name": "cni", "hostPath": {"path": CNI_FOLDER}}]
    daemon(cluster, name, {"containers": [{"name": name, "image": name}], "volumes": volumes}, namespace)


def daemon(cluster: Cluster, name: str, spec: Document, namespace: str = "kube-system") -> None:
    """Pods on every node."""
    labels = {"k8s-app": name}
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    template = {"metadata": {"labels": labels}, "spec": spec}
    document = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": metadata,
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }
    cluster.put(f"/apis/apps/v1/namespaces/{namespace}/daemonsets/{name}", document)
