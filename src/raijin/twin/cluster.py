"""A simulated cluster: its objects, its nodes, its pods and the members of its etcd.

What Kubernetes does by itself is here as far as Raijin waits for it: a kubelet registers its node, a DaemonSet puts its
container network onto every node, a node with a network becomes Ready, pods that are evicted start elsewhere.
"""

from __future__ import annotations

import copy
import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from raijin.transport.document import Document
from raijin.twin.host import KERNEL, Host

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite

NODES = "/api/v1/nodes"
REVISION_LABEL = "controller-revision-hash"
CNI_FOLDER = "/etc/cni/net.d"
KUBELET_SERVING = "/var/lib/kubelet/pki/kubelet-server-current.pem"
"""What a kubelet serves with, where its certificate has to be signed first."""
APPS_PER_NODE = 2
CONTROL_PLANE_LABEL = "node-role.kubernetes.io/control-plane"
CONTROL_PLANE_TAINT = {"key": CONTROL_PLANE_LABEL, "effect": "NoSchedule"}


@dataclass
class Member:
    """A member of etcd, or the server that keeps the cluster in a database of its own. id: as etcd numbers it."""

    id: int
    host: str
    address: str


@dataclass
class Cluster:
    """objects: by the path of the API. port: of the API server. ca: the certificate of its authority, PEM.

    outside: it is kept in an etcd of somebody else, which lives longer than its hosts.
    """

    name: str
    port: int
    ca: str
    objects: dict[str, Document] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    applied: dict[str, Document] = field(default_factory=dict)
    kinds: dict[tuple[str, str], tuple[str, bool]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    apart: dict[str, dict[str, None]] = field(default_factory=dict)
    """The paths of nodes, pods and DaemonSets that ever were: each of a thousand nodes need not walk over all."""
    outside: bool = False
    serial: int = 0

    def put(self, path: str, document: Document) -> Document:
        """An object that a component of the cluster makes."""
        self.serial += 1
        made = copy.deepcopy(document)
        metadata = made.setdefault("metadata", {})
        metadata.setdefault("uid", str(uuid.uuid5(uuid.NAMESPACE_URL, f"{path}#{self.serial}")))
        metadata["resourceVersion"] = str(self.serial)
        self.objects[path] = made
        kind = path.split("/")[-2]
        if kind in {"nodes", "pods", "daemonsets"}:
            self.apart.setdefault(kind, {})[path] = None
        return made

    def _all(self, kind: str) -> list[tuple[str, Document]]:
        return [(path, self.objects[path]) for path in self.apart.get(kind, ()) if path in self.objects]

    def nodes(self) -> Iterator[Document]:
        return (document for _, document in self._all("nodes"))

    def node(self, name: str) -> Document | None:
        return self.objects.get(f"{NODES}/{name}")

    def join_etcd(self, host: Host) -> None:
        if host.name not in self.members and not self.outside:
            self.serial += 1
            self.members[host.name] = Member(0x1000 + self.serial, host.name, host.address)

    def register(self, site: TwinSite, host: Host, version: str, *, control_plane: bool, taints: list[Any]) -> None:
        """A kubelet registers its node, or goes on with the one that is there."""
        node = self.node(host.name)
        if node is None:
            labels = {
                "kubernetes.io/hostname": host.name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": host.arch,
                **({CONTROL_PLANE_LABEL: ""} if control_plane else {}),
            }
            node = self.put(
                f"{NODES}/{host.name}",
                {
                    "apiVersion": "v1",
                    "kind": "Node",
                    "metadata": {"name": host.name, "labels": labels, "annotations": {}},
                    "spec": {"taints": taints} if taints else {},
                },
            )
            self._place_pods(host, schedulable=not taints)
        node["status"] = {
            "addresses": [{"type": "InternalIP", "address": host.address}, {"type": "Hostname", "address": host.name}],
            "capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"},
            "allocatable": {"cpu": "3800m", "memory": "7Gi", "pods": "110"},
            "nodeInfo": {
                "bootID": f"{host.name}-{host.boot}",
                "kernelVersion": KERNEL,
                "kubeProxyVersion": "",
                "kubeletVersion": version,
                "machineID": host.machine_id,
                "operatingSystem": "linux",
                "systemUUID": host.machine_id,
                "osImage": "Debian GNU/Linux 13 (rehearsed)",
                "containerRuntimeVersion": "containerd",
                "architecture": host.arch,
            },
        }
        host.things["containers", ""] = True
        host.things["slice", "kubepods.slice"] = True
        host.things["chain", "KUBE-SERVICES"] = True
        self.spread(site, host)

    def spread(self, site: TwinSite, host: Host) -> None:
        """The pods that DaemonSets have on a node; those of a container network configure it there."""
        if self.node(host.name) is None or not site.platform.lives(host):
            return
        for _, document in self._all("daemonsets"):
            self._run_daemon(host, document)

    def _run_daemon(self, host: Host, document: Document) -> None:
        metadata, template = document["metadata"], document["spec"]["template"]
        name, namespace = metadata["name"], metadata["namespace"]
        labels = {**(template.get("metadata", {}).get("labels") or {}), REVISION_LABEL: _revision(template)}
        path = f"/api/v1/namespaces/{namespace}/pods/{name}-{host.name}"
        pod = self.objects.get(path)
        if pod is None or pod["metadata"]["labels"] != labels:
            self._pod(host.name, namespace, f"{name}-{host.name}", "DaemonSet", labels)
        file = f"{CNI_FOLDER}/10-{name}.conflist"
        if _brings_network(document) and host.entry(file) is None:
            host.write(file, f"written by the pods of {name}\n")
            host.write("/run/flannel/subnet.env", "rehearsed\n")
            host.things["link", "cni0"] = True
            host.things["netns", "cni-rehearsed"] = True
            host.things["chain", "CNI-HOSTPORT"] = True

    def ready(self, site: TwinSite, name: str) -> str:
        """Why a node is not Ready; empty when it is."""
        host = site.hosts.get(name)
        if host is None or not host.up or not site.platform.lives(host):
            return "Kubelet stopped posting node status."
        if not site.own_network and not site.platform.network_ready(host):
            return "container runtime network not ready: cni config uninitialized"
        return ""

    def pods(self) -> list[Document]:
        return [pod for _, pod in self._all("pods")]

    def _place_pods(self, host: Host, *, schedulable: bool) -> None:
        for number in range(APPS_PER_NODE if schedulable else 0):
            self._pod(host.name, "default", f"app-{host.name}-{number}", "ReplicaSet", {"app": "rehearsed"})

    def _pod(self, node: str, namespace: str, name: str, owner: str, labels: Mapping[str, str]) -> None:
        self.put(
            f"/api/v1/namespaces/{namespace}/pods/{name}",
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": name,
                    "namespace": namespace,
                    "labels": dict(labels),
                    "ownerReferences": [
                        {"apiVersion": "apps/v1", "kind": owner, "name": name, "uid": name, "controller": True}
                    ],
                },
                "spec": {"nodeName": node, "containers": [{"name": "main", "image": "registry.k8s.io/pause:3.10"}]},
                "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
            },
        )

    def evict(self, site: TwinSite, path: str) -> bool:
        """Move a pod to another node; False when a budget forbids it."""
        pod = self.objects[path]
        node = pod["spec"]["nodeName"]
        if site.forbids_eviction(node):
            return False
        for other in self.nodes():
            name = other["metadata"]["name"]
            free = name != node and not other["spec"].get("unschedulable") and not other["spec"].get("taints")
            if free and not self.ready(site, name):
                pod["spec"]["nodeName"] = name
                return True
        del self.objects[path]
        return True

    def delete_node(self, name: str) -> None:
        """The node object, and its pods with it."""
        self.objects.pop(f"{NODES}/{name}", None)
        for path, document in self._all("pods"):
            if document["spec"].get("nodeName") == name:
                del self.objects[path]


def _revision(template: Document) -> str:
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]


def _brings_network(document: Document) -> bool:
    volumes = document.get("spec", {}).get("template", {}).get("spec", {}).get("volumes") or ()
    return any(str((volume.get("hostPath") or {}).get("path", "")).startswith("/etc/cni") for volume in volumes)
