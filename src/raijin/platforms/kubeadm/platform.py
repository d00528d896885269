"""kubeadm behind the contract of all platforms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from raijin.artifacts.lock import Lock
from raijin.artifacts.needs import Need
from raijin.artifacts.versions import NEWEST_PATCHES
from raijin.facts.cluster import ClusterState
from raijin.facts.etcd import EtcdAccess
from raijin.model.cluster import Cluster, ClusterType
from raijin.model.cni import CniName
from raijin.model.version import Version
from raijin.operations.program import Program
from raijin.operations.restart import Restart
from raijin.plan.model import Call, Json
from raijin.platforms.access import access_to
from raijin.platforms.addresses import api_endpoint
from raijin.platforms.base import Context, Hop, Node, Parts
from raijin.platforms.kubeadm import (
    apiserver,
    backup,
    calls,
    external,
    members,
    node,
    removal,
    settings,
    supply,
    upgrade,
)
from raijin.platforms.kubeadm.certificates import CERTIFICATES, client_secret
from raijin.platforms.kubeadm.config import beta4, init_documents, join_document, kubelet_allows_cgroup_v1
from raijin.platforms.kubeadm.paths import (
    ADMIN_CONF,
    API_MANIFEST,
    ETCD_ACCESS,
    ETCD_DATA,
    INIT_MARKER,
    JOIN_MARKER,
    KUBELET_CONF,
    MANIFESTS,
    SUPER_ADMIN_CONF,
)
from raijin.platforms.kubeadm.rotation import ROTATING
from raijin.platforms.platform import ApiServers, Document, Part
from raijin.platforms.programs import ByPrograms
from raijin.platforms.view import HostView
from raijin.transport.pool import Pool

# The limits of kubeadm's own preflight, for control planes.
CONTROL_PLANE_CPUS = 2
CONTROL_PLANE_BYTES = 1700 * 1024 * 1024
ETCD_PORTS = {2379: "etcd", 2380: "etcd"}
CONTROL_PLANE_PORTS = {10257: "kube-controller-manager", 10259: "kube-scheduler"}
NODE_PORTS = {10250: "the kubelet"}


def _made_by_others(facts: HostView) -> bool:
    """A whole control plane on a host that Raijin has never touched: it must not be started, whoever's it is."""
    whole = {ADMIN_CONF, KUBELET_CONF, API_MANIFEST, f"{ETCD_DATA}/member"}
    return not facts.owner and whole <= facts.files


class Kubeadm(ByPrograms):
    """Upstream Kubernetes (cluster type VANILLA)."""

    type = ClusterType.VANILLA
    kubeconfig = ADMIN_CONF
    bootstrap_kubeconfig = SUPER_ADMIN_CONF
    static_pods = MANIFESTS
    networks: frozenset[CniName] = frozenset()
    kube_proxy = True
    release = "kubelet"
    known: Mapping[int, Version] = {minor: Version(1, minor, patch) for minor, patch in NEWEST_PATCHES.items()}
    inits = ("systemd",)
    api_servers: ApiServers | None = apiserver
    handlers = calls.HANDLERS
    by_hand = calls.BY_HAND
    certificates = CERTIFICATES
    rotating = ROTATING

    def refused(self, cluster: Cluster) -> Iterable[Part]:
        if cluster.platform_config:
            yield "platformConfig", "kubeadm's settings are typed: write them into `kubernetes.kubeadm`"
        etcd = cluster.kubernetes.kubeadm.cluster_configuration.get("etcd")
        if isinstance(etcd, Mapping) and "external" in etcd:
            why = "write `kubernetes.kubeadm.externalEtcd`, by which Raijin knows that etcd runs outside"
            yield "kubernetes.kubeadm.clusterConfiguration.etcd.external", why
        if cluster.network.cni.replaces_kube_proxy and not beta4(cluster):
            why = "a kubeadm cluster without kube-proxy stays without it from v1.31 on: use that, or keep kube-proxy"
            yield "network.cni", why

    def needs(self, cluster: Cluster, version: str, archs: Sequence[str], lock: Lock | None) -> list[Need]:
        return supply.needs(cluster, version, archs, lock)

    def parts(self, facts: HostView) -> Parts:
        files, markers = facts.files, facts.markers
        return Parts(
            owner=facts.owner,
            joined=KUBELET_CONF in files,
            started=ADMIN_CONF in files and (bool({INIT_MARKER, JOIN_MARKER} & markers) or _made_by_others(facts)),
            begun=bool(files & {API_MANIFEST, ADMIN_CONF, KUBELET_CONF, f"{ETCD_DATA}/member"}),
            data=f"{ETCD_DATA}/member" in files,
            foreign=facts.foreign,
        )

    def names_by(self, cluster: Cluster) -> str:
        del cluster
        return "coredns"

    def etcd(self, cluster: Cluster) -> EtcdAccess | None:
        return None if external.outside(cluster) else ETCD_ACCESS

    def kept_outside(self, cluster: Cluster) -> bool:
        return external.outside(cluster) is not None

    def given(self, cluster: Cluster) -> dict[str, str]:
        return external.given(cluster)

    def least(self, node: Node) -> tuple[int, int]:
        return (CONTROL_PLANE_CPUS, CONTROL_PLANE_BYTES) if node.control_plane else (0, 0)

    def ports(self, context: Context, node: Node) -> dict[int, str]:
        if not node.control_plane:
            return NODE_PORTS
        etcd = {} if external.outside(context.cluster) else ETCD_PORTS
        return NODE_PORTS | CONTROL_PLANE_PORTS | etcd | {context.cluster.kubernetes.api_server_port: "the API server"}

    def preflight(self, context: Context) -> Iterable[str]:
        yield from apiserver.reasons(context)
        yield from external.reasons(context)
        if kubelet_allows_cgroup_v1(context):
            return
        for host in context.reachable:
            if host.facts is not None and host.facts.cgroup_v1 and not host.parts.owner:
                yield (
                    f"{host.name}: it has cgroup v1, which this version's kubelet refuses; boot it with cgroup v2, or "
                    "set kubernetes.kubeadm.kubeletConfiguration.failCgroupV1 to false"
                )

    def documents(self, context: Context) -> list[Document]:
        del context
        return []

    def prepare(self, context: Context, host: Node) -> Program:
        return node.prepare(context, host)

    def equip(self, context: Context, host: Node) -> Program:
        return node.equip(context, host)

    def services(self, context: Context, host: Node) -> Program:
        return node.run_services(context, host)

    def images(self, context: Context, host: Node) -> Program | None:
        return node.load_images(context, host)

    def start(self, context: Context) -> Program:
        return members.start_cluster(context)

    def admit(self, context: Context, host: Node) -> Call | None:
        arguments: dict[str, Json] = {
            **access_to(context, self.kubeconfig),
            "door": context.first.name,
            "document": join_document(context, host),
            "endpoint": api_endpoint(context),
            "ttl_minutes": context.cluster.kubernetes.token_ttl_minutes,
        }
        if host.control_plane:
            arguments["upload"] = cast("Json", init_documents(context)[:2])
        return Call("kubeadm.admit", arguments)

    def join(self, context: Context, host: Node) -> Program:
        if host.control_plane:
            return members.join_control_plane(context, host)
        return members.join_worker(context, host)

    def configure(self, context: Context, host: Node, *, outdated: bool) -> Program:
        return settings.configure(context, host, config=not outdated)

    def register(self, context: Context, host: Node) -> Program:
        del host
        return Program("register the node again", context.cluster.name, (Restart("kubelet"),))

    def version_of(self, host: Node, state: ClusterState | None) -> Version | None:
        return upgrade.version_of(host, state)

    def control_plane_version(self, host: Node, state: ClusterState | None) -> Version | None:
        del state
        return upgrade.control_plane_version(host)

    def hop_images(self, context: Context, host: Node, hop: Hop) -> Program | None:
        return node.load_images(context, host, hop.supply(host))

    def upgrade(self, context: Context, host: Node, hop: Hop, *, leads: bool) -> Program:
        return upgrade.upgrade(context, host, hop, leads=leads)

    def revoke(self, context: Context, host: Node) -> Call | None:
        return Call("kubeadm.revoke", {**access_to(context, self.kubeconfig), "certificates": host.control_plane})

    async def join_command(self, pool: Pool, context: Context, ttl_minutes: int) -> str:
        return await calls.join_command(pool, context, ttl_minutes)

    def leave(self, context: Context, host: Node) -> Program:
        del host
        return removal.leave(context)

    def pack(self, context: Context, host: Node) -> Program:
        return backup.pack(context, host)

    def back_up(self, context: Context, host: Node) -> Program | None:
        if external.outside(context.cluster):
            return None
        return backup.by_itself(context, host)

    def halt(self, context: Context, host: Node) -> Program:
        return backup.halt(context, host)

    def seed(self, context: Context) -> Program:
        return backup.seed(context)

    def secrets(self, cluster: str, host: Node) -> list[str]:
        return [
            members.join_secret(cluster, host.name),
            calls.token_secret(cluster, host.name),
            client_secret(cluster, host.name),
        ]

    def cluster_secrets(self, cluster: Cluster) -> list[str]:
        return [*super().cluster_secrets(cluster), *external.secrets(cluster.name)]


PLATFORM = Kubeadm()
