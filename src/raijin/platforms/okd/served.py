"""Which OKD is served, and what of a right definition is not. Said part by part."""

from __future__ import annotations

from collections.abc import Iterable

from raijin.errors import Unsupported
from raijin.model.cluster import Cluster
from raijin.model.cni import CniName
from raijin.model.node_group import NodeRole
from raijin.model.version import Version
from raijin.model.virtual_ip import VipProvider
from raijin.platforms.okd.look import API
from raijin.platforms.okd.settings import faults, hosts_of_role

Part = tuple[str, str]
NEWEST = {22: Version(4, 22, 0, "okd-scos.7")}
"""The newest release that was known here, at 2026-07 (its releases on GitHub)."""
OLDEST_MINOR, NEWEST_MINOR = 16, 22
"""From the first on CentOS Stream CoreOS to the newest that was looked at."""
PLANES = (1, 3, 4, 5)
"""How many control plane machines OKD takes; four and five from 4.18 on."""
MORE_PLANES_MINOR = 18


def refused(cluster: Cluster) -> Iterable[Part]:
    yield from _version(cluster)
    yield from faults(cluster)
    yield from _roles(cluster)
    yield from _network(cluster)
    yield from _kubernetes(cluster)
    if cluster.backup.schedule is not None:
        yield "backup.schedule", "no timer of ours runs on CoreOS; run `raijin cluster backup` by one of your own"


def _version(cluster: Cluster) -> Iterable[Part]:
    version = cluster.kubernetes_version
    if version.major != 4 or not OLDEST_MINOR <= version.minor <= NEWEST_MINOR:
        yield "version", f"OKD {cluster.version} is not served (served: 4.{OLDEST_MINOR} to 4.{NEWEST_MINOR})"
    elif not version.pre.startswith("okd-scos."):
        yield "version", f"OKD publishes no {cluster.version}: write the whole release, as in {version.core}-okd-scos.1"


def _roles(cluster: Cluster) -> Iterable[Part]:
    planes, bootstraps = cluster.control_plane_size, hosts_of_role(cluster, NodeRole.BOOTSTRAP)
    if planes not in PLANES or (planes > 3 and cluster.kubernetes_version.minor < MORE_PLANES_MINOR):
        allowed = "1, 3, 4 or 5" if cluster.kubernetes_version.minor >= MORE_PLANES_MINOR else "1 or 3"
        yield "nodeGroups", f"OKD has {allowed} control plane machines, not {planes}"
    if len(bootstraps) > 1:
        yield "nodeGroups", f"{', '.join(bootstraps)}: a cluster is started by one bootstrap machine"


def _network(cluster: Cluster) -> Iterable[Part]:
    network, vip = cluster.network, cluster.network.virtual_ip
    if network.cni.name is not CniName.OVN_KUBERNETES:
        yield "network.cni.name", "OKD clusters are served with OVN_KUBERNETES, which OKD brings along"
    for name in sorted(network.cni.model_fields_set - {"name"}):
        alias = type(network.cni).model_fields[name].alias or name
        yield f"network.cni.{alias}", "OKD's network operator decides that itself; use platformConfig.manifests"
    if network.dns_domain != "cluster.local":
        yield "network.dnsDomain", "OKD clusters always have cluster.local"
    if vip is None:
        return
    if vip.provider is not VipProvider.KEEPALIVED:
        yield "network.virtualIp.provider", "OKD has no kube-vip: use KEEPALIVED, or a load balancer of your own"
    elif not hosts_of_role(cluster, NodeRole.BASTION):
        yield (
            "network.virtualIp",
            "haproxy and keepalived do not run on CoreOS: name hosts of role BASTION, or use a balancer of your own",
        )
    if vip.port not in {None, API}:
        yield "network.virtualIp.port", f"the API of OKD is always at port {API}"


def _kubernetes(cluster: Cluster) -> Iterable[Part]:
    kubernetes = cluster.kubernetes
    if kubernetes.api_server_port != API:
        yield "kubernetes.apiServerPort", f"the API of OKD is always at port {API}"
    if kubernetes.cert_sans:
        yield "kubernetes.certSans", "OKD makes its certificates itself: see `oc get apiserver cluster`"
    if kubernetes.kubeadm.model_fields_set:
        yield "kubernetes.kubeadm", "there is no kubeadm in OKD; use platformConfig"
    if kubernetes.container_runtime.model_fields_set:
        yield "kubernetes.containerRuntime", "CRI-O is part of OKD; use platformConfig.imageDigestSources for mirrors"


def no_restoration(cluster: str) -> Unsupported:
    return Unsupported(
        f"{cluster} is an OKD cluster: Raijin does not restore it",
        remedy="follow `Restoring to a previous cluster state` of the OKD documentation; in the backup are etcd.db "
        "(the snapshot) and okd/static_kuberesources.tar.gz, which cluster-restore.sh asks for",
    )
