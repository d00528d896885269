"""flannel as documents. After Documentation/kube-flannel.yml of flannel v0.28 (Apache-2.0), written as data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from raijin.artifacts.needs import Choice
from raijin.model.cluster import Cluster
from raijin.model.cni import CniName, Flannel
from raijin.model.version import Version
from raijin.network import documents as data
from raijin.network.cni import ContainerNetwork, Document, Live, Wanted

IMAGE = "ghcr.io/flannel-io/flannel"
PLUGIN = f"{IMAGE}-cni-plugin"
# Newest seen at 2026-08: Documentation/kube-flannel.yml of v0.28.9.
VERSION = "v0.28.9"
PLUGIN_VERSION = "v1.9.1-flannel3"
NAMESPACE = "kube-flannel"
NAME = "flannel"
DAEMON_SET = "kube-flannel-ds"
CONFIG_MAP = "kube-flannel-cfg"
FILES = "/etc/kube-flannel"
DEFAULT_BACKEND = "vxlan"
WIREGUARD_KERNEL = (5, 6)
"""The first Linux with WireGuard; what Kubernetes itself needs is in lifecycle/preflight.py."""
FIRST_WITH_HEALTH = Version(0, 28, 9)
"""From this one on flanneld says on a port of its own when its rules and its subnet file are there."""
HEALTH_PORT = 8081
UNASKED_SECONDS = 5
_LABELS = {"k8s-app": NAME}
_POD_LABELS = {"app": NAME, "tier": "node"}


class FlannelNetwork(ContainerNetwork):
    """flannel: VXLAN (or another of its backends) between nodes, nothing else."""

    name = CniName.FLANNEL
    main_image = IMAGE

    def images(self, cluster: Cluster, choice: Choice) -> tuple[str, ...]:
        del cluster
        return flannel_image(choice), f"{PLUGIN}:{choice.tag(PLUGIN, PLUGIN_VERSION)}"

    def documents(self, wanted: Wanted) -> list[Document]:
        namespace = data.metadata(NAMESPACE, labels={**_LABELS, "pod-security.kubernetes.io/enforce": "privileged"})
        files = {
            "cni-conf.json": json.dumps(_chain(), indent=2),
            "net-conf.json": json.dumps(net_conf(wanted.cluster), indent=2),
        }
        return [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": namespace},
            data.service_account(NAME, NAMESPACE, _LABELS),
            data.cluster_role(NAME, flannel_rules(), _LABELS),
            data.cluster_role_binding(NAME, NAME, (NAMESPACE, NAME), _LABELS),
            data.config_map(CONFIG_MAP, NAMESPACE, files, _LABELS),
            _daemon_set(wanted, data.fingerprint(files)),
        ]

    def workloads(self, cluster: Cluster) -> tuple[Document, ...]:
        del cluster
        return ({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": data.metadata(DAEMON_SET, NAMESPACE)},)

    def least_kernel(self, cluster: Cluster) -> tuple[int, int]:
        return WIREGUARD_KERNEL if backend_of(cluster) == "wireguard" else (0, 0)

    def ports(self, wanted: Wanted) -> Mapping[int, str]:
        return {HEALTH_PORT: "flannel"} if wanted.version(IMAGE) >= FIRST_WITH_HEALTH else {}

    def conflicts(self, wanted: Wanted, live: Live) -> Iterable[str]:
        return backend_conflicts(wanted.cluster, live.get(f"ConfigMap {NAMESPACE}/{CONFIG_MAP}"))


FLANNEL = FlannelNetwork()


def flannel_image(choice: Choice) -> str:
    return f"{IMAGE}:{choice.tag(IMAGE, VERSION)}"


def backend_of(cluster: Cluster) -> str:
    return cluster.network.cni.backend or DEFAULT_BACKEND


def flannel_rules() -> list[Document]:
    return [
        data.rule("core", "pods", "get"),
        data.rule("core", "nodes", "get list watch"),
        data.rule("core", "nodes/status", "patch"),
    ]


def net_conf(cluster: Cluster) -> Document:
    """flanneld's own configuration (its Documentation/configuration.md and backends.md)."""
    cni = cluster.network.cni
    four = next((str(n) for n in cluster.network.pod_networks if n.version == 4), None)
    six = next((str(n) for n in cluster.network.pod_networks if n.version == 6), None)
    backend = {"Type": backend_of(cluster)} | _backend_options(backend_of(cluster), cni.flannel)
    settings: Document = {"EnableNFTables": cni.flannel.nftables, "Backend": backend}
    if four:
        settings["Network"] = four
    else:
        settings["EnableIPv4"] = False
    if six:
        settings |= {"EnableIPv6": True, "IPv6Network": six}
    return data.merged(settings, cni.configuration)


def _backend_options(backend: str, settings: Flannel) -> Document:
    options: Document = {}
    if settings.direct_routing:
        options["DirectRouting"] = True
    if settings.mtu is not None:
        options["MTU"] = settings.mtu
    if settings.port is not None and backend == "wireguard":
        options |= {"ListenPort": settings.port, "ListenPortV6": settings.port + 1}
    elif settings.port is not None:
        options["Port"] = settings.port
    return options


def backend_conflicts(cluster: Cluster, live: Document | None) -> Iterable[str]:
    """The backend is chosen once: "should not be changed at runtime" (flannel's Documentation/backends.md)."""
    text = (live or {}).get("data", {}).get("net-conf.json", "{}")
    try:
        running: Any = json.loads(text)
    except ValueError:
        return
    have = running.get("Backend", {}).get("Type") if isinstance(running, dict) else None
    want = net_conf(cluster)["Backend"]["Type"]
    if have is not None and have != want:
        yield f"flannel runs with the backend {have}, and a running flannel cannot change to {want}"


def _chain() -> Document:
    plugins: list[Document] = [
        {"type": "flannel", "delegate": {"hairpinMode": True, "isDefaultGateway": True}},
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ]
    return {"name": "cbr0", "cniVersion": "0.3.1", "plugins": plugins}


def _daemon_set(wanted: Wanted, stamp: str) -> Document:
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
                wanted.image(PLUGIN),
                ["/flannel", "/opt/cni/bin/flannel"],
                [data.mount("cni-plugin", "/opt/cni/bin")],
            ),
            _copier(
                "install-cni",
                wanted.image(IMAGE),
                [f"{FILES}/cni-conf.json", "/etc/cni/net.d/10-flannel.conflist"],
                [data.mount("cni", "/etc/cni/net.d"), data.mount("flannel-cfg", f"{FILES}/")],
            ),
        ],
        "containers": [_daemon(wanted)],
        "volumes": [
            data.host_path("run", "/run/flannel"),
            data.host_path("cni-plugin", "/opt/cni/bin"),
            data.host_path("cni", "/etc/cni/net.d"),
            {"name": "flannel-cfg", "configMap": {"name": CONFIG_MAP}},
            data.host_path("xtables-lock", "/run/xtables.lock", "FileOrCreate"),
        ],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": data.metadata(DAEMON_SET, NAMESPACE, {**_POD_LABELS, **_LABELS}),
        "spec": {
            "selector": {"matchLabels": {"app": NAME}},
            # Nobody asks an older one whether it is ready: then it is when it has not ended for a while.
            **({} if wanted.version(IMAGE) >= FIRST_WITH_HEALTH else {"minReadySeconds": UNASKED_SECONDS}),
            "template": {
                # A changed configuration must reach running daemons: they read it when they start.
                "metadata": {"labels": dict(_POD_LABELS), "annotations": {data.CONFIGURATION_NOTE: stamp}},
                "spec": pod,
            },
        },
    }


def _daemon(wanted: Wanted) -> Document:
    interface = wanted.cluster.network.cni.flannel.interface
    container: Document = {
        "name": "kube-flannel",
        "image": wanted.image(IMAGE),
        "command": ["/opt/bin/flanneld"],
        "args": ["--ip-masq", "--kube-subnet-mgr", *([f"--iface={interface}"] if interface else [])],
        "resources": {"requests": {"cpu": "100m", "memory": "50Mi"}},
        "securityContext": {"privileged": False, "capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "env": [
            data.from_field("POD_NAME", "metadata.name"),
            data.from_field("POD_NAMESPACE", "metadata.namespace"),
            *data.values({"EVENT_QUEUE_DEPTH": "5000", "CONT_WHEN_CACHE_NOT_READY": "false"}),
        ],
        "volumeMounts": [
            data.mount("run", "/run/flannel"),
            data.mount("flannel-cfg", f"{FILES}/"),
            data.mount("xtables-lock", "/run/xtables.lock"),
        ],
    }
    if wanted.version(IMAGE) >= FIRST_WITH_HEALTH:
        container["args"] += ["--healthz-ip=127.0.0.1", f"--healthz-port={HEALTH_PORT}"]
        container["livenessProbe"] = _probe("/healthz", initialDelaySeconds=10, periodSeconds=30)
        container["readinessProbe"] = _probe("/readyz", initialDelaySeconds=5, periodSeconds=10)
    return container


def _probe(path: str, **seconds: int) -> Document:
    return {"httpGet": {"host": "127.0.0.1", "path": path, "port": HEALTH_PORT}, **seconds}


def _copier(name: str, image: str, files: list[str], mounts: list[Document]) -> Document:
    return {
        "name": name,
        "image": image,
        "command": ["cp"],
        "args": ["-f", *files],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts,
    }
