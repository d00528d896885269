"""flannel as documents. After Documentation/kube-flannel.yml of flannel v0.28 (Apache-2.0), written as data."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping

from raijin.artifacts.needs import Choice
from raijin.model.cluster import Cluster
from raijin.model.network import CniName
from raijin.network.cni import Document, Part

IMAGE = "ghcr.io/flannel-io/flannel"
PLUGIN = f"{IMAGE}-cni-plugin"
# Newest seen at 2026-08: Documentation/kube-flannel.yml of v0.28.9.
VERSION = "v0.28.9"
PLUGIN_VERSION = "v1.9.1-flannel3"
NAMESPACE = "kube-flannel"
NAME = "flannel"
DAEMON_SET = "kube-flannel-ds"
_LABELS = {"k8s-app": NAME}
_FILES = "/etc/kube-flannel"


class Flannel:
    """flannel: VXLAN (or another of its backends) between nodes, nothing else."""

    name = CniName.FLANNEL
    main_image = IMAGE

    def refused(self, cluster: Cluster) -> Iterable[Part]:
        del cluster
        return ()

    def images(self, choice: Choice) -> tuple[str, ...]:
        return (f"{IMAGE}:{choice.tag(IMAGE, VERSION)}", f"{PLUGIN}:{choice.tag(PLUGIN, PLUGIN_VERSION)}")

    def documents(self, cluster: Cluster, images: Mapping[str, str]) -> list[Document]:
        account = _metadata(NAME)
        return [
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {
                    "name": NAMESPACE,
                    "labels": {**_LABELS, "pod-security.kubernetes.io/enforce": "privileged"},
                },
            },
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account},
            _cluster_role(),
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": NAME, "labels": _LABELS},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME},
                "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
            },
            _config_map(cluster),
            _daemon_set(cluster, images[IMAGE], images[PLUGIN]),
        ]

    def workloads(self, cluster: Cluster) -> tuple[Document, ...]:
        del cluster
        return ({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": _metadata(DAEMON_SET)},)


FLANNEL = Flannel()


def _metadata(name: str) -> Document:
    return {"name": name, "namespace": NAMESPACE, "labels": dict(_LABELS)}


def _cluster_role() -> Document:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": NAME, "labels": dict(_LABELS)},
        "rules": [
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]},
            {"apiGroups": [""], "resources": ["nodes/status"], "verbs": ["patch"]},
        ],
    }


def _config_map(cluster: Cluster) -> Document:
    chain: list[Document] = [
        {"type": "flannel", "delegate": {"hairpinMode": True, "isDefaultGateway": True}},
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ]
    network = {"name": "cbr0", "cniVersion": "0.3.1", "plugins": chain}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata("kube-flannel-cfg"),
        "data": {
            "cni-conf.json": json.dumps(network, indent=2),
            "net-conf.json": json.dumps(net_conf(cluster), indent=2),
        },
    }


def net_conf(cluster: Cluster) -> Document:
    """flanneld's own configuration: the pod networks and the backend (vxlan unless the definition says otherwise)."""
    cni = cluster.network.cni
    four = next((str(n) for n in cluster.network.pod_networks if n.version == 4), None)
    six = next((str(n) for n in cluster.network.pod_networks if n.version == 6), None)
    settings: Document = {"EnableNFTables": False, "Backend": {"Type": cni.backend or "vxlan"}}
    if four:
        settings["Network"] = four
    else:
        settings["EnableIPv4"] = False
    if six:
        settings |= {"EnableIPv6": True, "IPv6Network": six}
    return settings | dict(cni.configuration)


def _daemon_set(cluster: Cluster, version: str, plugin: str) -> Document:
    image = f"{IMAGE}:{version}"
    linux = {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}
    pod: Document = {
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [linux]}]}
            }
        },
        "hostNetwork": True,
        "priorityClassName": "system-node-critical",
        "tolerations": [{"effect": "NoSchedule", "operator": "Exists"}],
        "serviceAccountName": NAME,
        "initContainers": [
            _copier(
                "install-cni-plugin",
                f"{PLUGIN}:{plugin}",
                ["/flannel", "/opt/cni/bin/flannel"],
                [{"name": "cni-plugin", "mountPath": "/opt/cni/bin"}],
            ),
            _copier(
                "install-cni",
                image,
                [f"{_FILES}/cni-conf.json", "/etc/cni/net.d/10-flannel.conflist"],
                [{"name": "cni", "mountPath": "/etc/cni/net.d"}, {"name": "flannel-cfg", "mountPath": f"{_FILES}/"}],
            ),
        ],
        "containers": [_daemon(image)],
        "volumes": [
            _host_path("run", "/run/flannel"),
            _host_path("cni-plugin", "/opt/cni/bin"),
            _host_path("cni", "/etc/cni/net.d"),
            {"name": "flannel-cfg", "configMap": {"name": "kube-flannel-cfg"}},
            {"name": "xtables-lock", "hostPath": {"path": "/run/xtables.lock", "type": "FileOrCreate"}},
        ],
    }
    # A changed configuration must reach running daemons: its hash is part of the pod template.
    stamp = {"raijin.dev/configuration": _fingerprint(net_conf(cluster))}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {**_metadata(DAEMON_SET), "labels": {"app": NAME, "tier": "node", **_LABELS}},
        "spec": {
            "selector": {"matchLabels": {"app": NAME}},
            "template": {
                "metadata": {"labels": {"app": NAME, "tier": "node"}, "annotations": stamp},
                "spec": pod,
            },
        },
    }


def _daemon(image: str) -> Document:
    def field(name: str, path: str) -> Document:
        return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}

    return {
        "name": "kube-flannel",
        "image": image,
        "command": ["/opt/bin/flanneld"],
        "args": ["--ip-masq", "--kube-subnet-mgr"],
        "resources": {"requests": {"cpu": "100m", "memory": "50Mi"}},
        "securityContext": {"privileged": False, "capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}},
        "env": [
            field("POD_NAME", "metadata.name"),
            field("POD_NAMESPACE", "metadata.namespace"),
            {"name": "EVENT_QUEUE_DEPTH", "value": "5000"},
            {"name": "CONT_WHEN_CACHE_NOT_READY", "value": "false"},
        ],
        "volumeMounts": [
            {"name": "run", "mountPath": "/run/flannel"},
            {"name": "flannel-cfg", "mountPath": f"{_FILES}/"},
            {"name": "xtables-lock", "mountPath": "/run/xtables.lock"},
        ],
    }


def _copier(name: str, image: str, files: list[str], mounts: list[Document]) -> Document:
    return {"name": name, "image": image, "command": ["cp"], "args": ["-f", *files], "volumeMounts": mounts}


def _host_path(name: str, path: str) -> Document:
    return {"name": name, "hostPath": {"path": path}}


def _fingerprint(value: Document) -> str:
    return f"{zlib.crc32(json.dumps(value, sort_keys=True).encode()):08x}"
