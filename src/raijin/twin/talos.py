"""Talos on simulated machines: what a machine is by the configuration that it was given, and how it becomes a node.

After talos.dev "Getting started", "Resetting a machine" and the reference of v1alpha1, v1.12. All is done by a program,
which is in talosctl.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from raijin.model.cluster import ClusterType
from raijin.transport.document import Document
from raijin.transport.pool import Target
from raijin.transport.talos import TalosTarget
from raijin.transport.yamls import read_yamls
from raijin.twin import addons
from raijin.twin.access import certificate
from raijin.twin.bycalls import ByCallsTwin
from raijin.twin.cluster import CONTROL_PLANE_TAINT, Cluster
from raijin.twin.host import Host

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite

CONFIG = "/system/state/config.yaml"
"""On the partition STATE; all else that a machine has is on EPHEMERAL."""
ETCD_MEMBER = "/var/lib/etcd/member"
KUBELET = "/var/lib/kubelet/kubeconfig"
PORT = 6443
_IMAGES = re.compile(r"(image: \S+/(?:kubelet|kube-[a-z-]+)):\S+")


class TalosTwin(ByCallsTwin):
    """Talos Linux."""

    type = ClusterType.TALOS

    def lives(self, host: Host) -> bool:
        return host.up and host.entry(KUBELET) is not None

    def holds(self, host: Host) -> bool:
        return host.exists(ETCD_MEMBER)

    def member_runs(self, host: Host) -> bool:
        return host.up and self.holds(host) and host.entry(CONFIG) is not None

    def serves(self, site: TwinSite, host: Host) -> bool:
        return self.member_runs(host) and site.has_quorum()

    def api_version(self, site: TwinSite) -> str:
        serving = (host for host in site.hosts.values() if self.serves(site, host))
        return next((kubernetes_of(host) for host in serving), "")

    def ports(self, site: TwinSite, host: Host) -> Mapping[int, str]:
        """Only the port of the API is ever asked for, by those who come by the virtual address."""
        return {site.cluster.port: "kube-apiserver"} if site.cluster and self.serves(site, host) else {}

    def carries(self, host: Host, address: str) -> bool:
        layers = (document for document in documents(host) if document.get("kind") == "Layer2VIPConfig")
        return any(layer.get("name") == address for layer in layers) and self.member_runs(host)

    def outside(self, site: TwinSite, targets: Mapping[str, Target]) -> Mapping[str, Target]:
        from raijin.twin.talosctl import Talosctl  # noqa: PLC0415  (it is about machines of this kind)

        made: dict[str, Target] = {}
        for name, target in targets.items():
            if isinstance(target, TalosTarget):
                access = Talosctl(target.access.cluster, target.access.tool, target.access.bundle, site=site)
                made[name] = replace(
                    target, access=access, machine=site.machine(name), address=site.hosts[name].address
                )
        return made


def documents(host: Host) -> list[Document]:
    """Of its machine configuration; none while it waits in maintenance mode."""
    return [document for document in read_yamls(host.text(CONFIG)) if document]


def main_of(host: Host) -> Document:
    return next((document for document in documents(host) if not document.get("kind")), {})


def control_plane(host: Host) -> bool:
    return (main_of(host).get("machine") or {}).get("type") == "controlplane"


def kubernetes_of(host: Host) -> str:
    """The version of its kubelet."""
    machine = main_of(host).get("machine") or {}
    return str(machine.get("kubelet", {}).get("image", "")).rpartition(":")[2]


def stage(host: Host) -> str:
    """As the resource machinestatus says it: a control plane machine without a cluster boots for ever."""
    if host.entry(CONFIG) is None:
        return "maintenance"
    return "running" if host.entry(KUBELET) is not None else "booting"


def found(site: TwinSite, host: Host) -> None:
    """The bootstrap: etcd begins on this machine, and all that are configured come to it."""
    config = main_of(host)["cluster"]
    if site.cluster is None:
        port = int(config["controlPlane"].get("localAPIServerPort", PORT))
        cluster = site.cluster = Cluster(str(config["clusterName"]), port, certificate())
        addons.namespaces(cluster)
        addons.kube_proxy(cluster, kubernetes_of(host))
        addons.name_service(cluster)
        if (config["network"].get("cni") or {}).get("name") != "none":
            addons.network(cluster, "kube-flannel")
        cluster.join_etcd(host)
    host.write(ETCD_MEMBER, kind="directory", mode="700")
    for other in site.hosts.values():
        settle(site, other)


def settle(site: TwinSite, host: Host) -> None:
    """A machine that is configured becomes what its configuration says, as soon as the cluster answers."""
    cluster = site.cluster
    if cluster is None or not host.up or host.entry(CONFIG) is None or not site.served():
        return
    plane = control_plane(host)
    if plane and not host.exists(ETCD_MEMBER):
        cluster.join_etcd(host)
        host.write(ETCD_MEMBER, kind="directory", mode="700")
    host.write(KUBELET, "rehearsed\n", mode="600")
    scheduled = bool(main_of(host)["cluster"].get("allowSchedulingOnControlPlanes"))
    taints = [CONTROL_PLANE_TAINT] if plane and not scheduled else []
    cluster.register(site, host, kubernetes_of(host), control_plane=plane, taints=taints)


def with_kubernetes(text: str, version: str) -> str:
    """A machine configuration with the images of another version."""
    return _IMAGES.sub(rf"\1:{version}", text)


TWIN = TalosTwin()
