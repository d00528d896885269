"""What is behind the Services of a simulated cluster, and its name service, which is reached by the address of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from raijin.transport.document import Document
from raijin.transport.twin import Asked, Told
from raijin.twin.cluster import Cluster

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite

ADDRESS = "10.96.0.10"
"""The tenth of the network of Services, which kubeadm has for its default (kubeadm: constants.GetDNSIP)."""
PATH = "/api/v1/namespaces/kube-system/services/kube-dns"
PORT = 53


def service() -> Document:
    """The Service of the name service, as kubeadm's add-on has it (phases/addons/dns)."""
    labels = {"k8s-app": "kube-dns"}
    ports = [{"name": "dns-tcp", "port": PORT}]
    spec = {"clusterIP": ADDRESS, "clusterIPs": [ADDRESS], "selector": labels, "ports": ports}
    metadata = {"name": "kube-dns", "namespace": "kube-system", "labels": labels}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def slices(cluster: Cluster) -> Iterator[Document]:
    """One for each Service with a selector. Pods of Deployments are not placed here: their template stands for them."""
    for path, item in cluster.objects.items():
        if item["kind"] != "Service" or "/services/" not in path:
            continue
        name, namespace = item["metadata"]["name"], item["metadata"]["namespace"]
        wanted = (item.get("spec") or {}).get("selector")
        if wanted:
            served = any(_has(labels, wanted) for labels in _labels(cluster, namespace))
            yield {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {"name": name, "namespace": namespace, "labels": {"kubernetes.io/service-name": name}},
                "endpoints": [{"conditions": {"ready": True}}] if served else [],
            }


def _has(labels: Document, wanted: Document) -> bool:
    return all(labels.get(key) == value for key, value in wanted.items())


def _labels(cluster: Cluster, namespace: str) -> Iterator[Document]:
    for document in cluster.objects.values():
        if document["metadata"].get("namespace") != namespace:
            continue
        if document["kind"] == "Pod":
            yield document["metadata"].get("labels") or {}
        elif document["kind"] in {"Deployment", "StatefulSet", "DaemonSet"}:
            spec = document.get("spec") or {}
            if spec.get("replicas") != 0:
                yield spec["template"].get("metadata", {}).get("labels") or {}


def is_at(site: TwinSite, address: str, port: int) -> bool:
    """Whether a name service is asked for, and there is one that runs."""
    here = port == PORT and address == ADDRESS and site.cluster is not None
    return here and site.cluster is not None and PATH in site.cluster.objects and site.served()


def answer(site: TwinSite, asked: Asked) -> Told:
    """kubernetes.default.svc of any domain is known; other names are not modelled."""
    del site
    if asked.path.startswith("kubernetes.default.svc."):
        return Told(200, "")
    return Told(404, f"the rehearsal does not model the name {asked.path}")
