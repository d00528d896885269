"""Canal: flannel connects, Calico's policies rule. After manifests/canal.yaml of Calico v3.32, with flannel of our own.

Addresses are those that Kubernetes gives each node; flannel's configuration is the same as where it is alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from raijin.artifacts.needs import Choice
from raijin.model.cluster import Cluster
from raijin.model.cni import Calico, CniName, Encapsulation
from raijin.network import documents as data
from raijin.network.calico import images as programs
from raijin.network.calico.controllers import controllers
from raijin.network.calico.definitions import definitions
from raijin.network.calico.network import version_conflicts
from raijin.network.calico.node import HEALTH_PORT, VOLUMES, agent, chain_of, daemon_set, installer, mounts_bpf
from raijin.network.calico.rights import CONTROLLERS, NAMESPACE, rights
from raijin.network.calico.settings import common, pools, resource
from raijin.network.cni import ContainerNetwork, Document, Live, Wanted
from raijin.network.flannel import (
    FILES,
    FLANNEL,
    IMAGE,
    backend_conflicts,
    backend_of,
    flannel_image,
    flannel_rules,
    net_conf,
)

NAME = "canal"
CONFIG_MAP = "canal-config"
USUAL_MTU = 1500
# What each backend puts around a packet, in bytes (pkg/backend of flannel v0.28); host-gw nothing.
_AROUND = {"vxlan": 50, "wireguard": 80, "ipip": 20, "udp": 28}
_AROUND_IPV6_VXLAN = 70
_UNTOUCHED = Calico(encapsulation=Encapsulation.BGP)
"""Pools as Calico sees them here: it neither gives their addresses nor puts anything around packets."""


class CanalNetwork(ContainerNetwork):
    """flannel and calico-node in one pod on every node."""

    name = CniName.CANAL
    main_image = programs.MAIN_IMAGE

    def images(self, cluster: Cluster, choice: Choice) -> tuple[str, ...]:
        del cluster
        calico = programs.images(choice, programs.PLUGIN, programs.NODE, programs.CONTROLLERS)
        return (*calico, flannel_image(choice))

    def documents(self, wanted: Wanted) -> list[Document]:
        files = {"net-conf.json": json.dumps(net_conf(wanted.cluster), indent=2)}
        felix = {**common(wanted), "iptablesRefreshInterval": "60s"}
        return [
            *definitions(),
            *pools(wanted, _UNTOUCHED),
            resource("FelixConfiguration", "default", felix),
            *rights(NAME, addresses=False),
            data.cluster_role("flannel", flannel_rules()),
            data.cluster_role_binding("canal-flannel", "flannel", (NAMESPACE, NAME)),
            data.config_map(CONFIG_MAP, NAMESPACE, files),
            _node(wanted, data.fingerprint(files)),
            *controllers(wanted),
        ]

    def workloads(self, cluster: Cluster) -> tuple[Document, ...]:
        del cluster
        kinds = (("DaemonSet", NAME), ("Deployment", CONTROLLERS))
        return tuple(
            {"apiVersion": "apps/v1", "kind": kind, "metadata": data.metadata(name, NAMESPACE)} for kind, name in kinds
        )

    def least_kernel(self, cluster: Cluster) -> tuple[int, int]:
        return FLANNEL.least_kernel(cluster)

    def ports(self, wanted: Wanted) -> Mapping[int, str]:
        del wanted
        return {HEALTH_PORT: "Calico"}

    def conflicts(self, wanted: Wanted, live: Live) -> Iterable[str]:
        yield from version_conflicts(wanted)
        yield from backend_conflicts(wanted.cluster, live.get(f"ConfigMap {NAMESPACE}/{CONFIG_MAP}"))

    def lingers(self, cluster: Cluster) -> str:
        return "the interface tunl0" if backend_of(cluster) == "ipip" else ""


CANAL = CanalNetwork()


def pod_mtu(wanted: Wanted) -> int:
    """Calico does not know what flannel puts around packets, so it is told. Bytes."""
    backend, settings = backend_of(wanted.cluster), wanted.cluster.network.cni.flannel
    around = _AROUND.get(backend, 0)
    if backend == "vxlan" and wanted.pods_of(6):
        around = _AROUND_IPV6_VXLAN
    return (settings.mtu or USUAL_MTU) - around


def _node(wanted: Wanted, stamp: str) -> Document:
    account = data.from_field("CALICO_CNI_SERVICE_ACCOUNT", "spec.serviceAccountName")
    environment = [
        *data.values({"USE_POD_CIDR": "true", "CALICO_NETWORKING_BACKEND": "none", "CLUSTER_TYPE": "k8s,canal"}),
        account,
        *data.values({"IP": "", "NO_DEFAULT_POOLS": "true"}),
    ]
    init = [
        installer(wanted, "10-canal.conflist", chain_of(_addresses(wanted), pod_mtu(wanted)), [account]),
        mounts_bpf(wanted),
    ]
    volumes = [*VOLUMES, {"name": "flannel-cfg", "configMap": {"name": CONFIG_MAP}}]
    return daemon_set(NAME, init, [agent(wanted, environment, bird=False), _flanneld(wanted)], volumes, stamp)


def _addresses(wanted: Wanted) -> Document:
    """The plugin puts the node's own network in the place of these words (calico's cni-plugin, utils)."""
    words = {4: "usePodCidr", 6: "usePodCidrIPv6"}
    ranges = [[{"subnet": words[network.version]}] for network in wanted.pods]
    return {"type": "host-local", "ranges": ranges}


def _flanneld(wanted: Wanted) -> Document:
    interface = wanted.cluster.network.cni.flannel.interface
    return {
        "name": "kube-flannel",
        "image": wanted.image(IMAGE),
        "imagePullPolicy": "IfNotPresent",
        "command": ["/opt/bin/flanneld"],
        "args": ["--ip-masq", "--kube-subnet-mgr", *([f"--iface={interface}"] if interface else [])],
        "securityContext": {"privileged": True},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "env": [
            data.from_field("POD_NAME", "metadata.name"),
            data.from_field("POD_NAMESPACE", "metadata.namespace"),
        ],
        "volumeMounts": [data.mount("xtables-lock", "/run/xtables.lock"), data.mount("flannel-cfg", f"{FILES}/")],
    }
