"""What a definition may say and Raijin cannot do yet. Said loudly, part by part: never skipped in silence."""

from __future__ import annotations

from collections.abc import Iterable

from raijin.model.boot import BootMethod
from raijin.model.cluster import Cluster, ClusterType
from raijin.model.network import CniName, Isolation
from raijin.model.node_group import NodeGroup, NodeRole

SERVED_ROLES = (NodeRole.CONTROL_PLANE, NodeRole.WORKER, NodeRole.STORAGE, NodeRole.INFRA)


def unsupported(cluster: Cluster) -> list[tuple[str, str]]:
    """(field path, reason) of every such part."""
    return [*_cluster(cluster), *(item for i, g in enumerate(cluster.node_groups) for item in _group(i, g))]


def _cluster(cluster: Cluster) -> Iterable[tuple[str, str]]:
    if cluster.type is not ClusterType.VANILLA:
        yield "type", f"clusters of type {cluster.type} are not served yet; VANILLA (kubeadm) is"
    if cluster.boot_method is not BootMethod.EXISTING:
        yield "bootMethod", f"booting machines by {cluster.boot_method} is not served yet; hosts must run Linux already"
    if cluster.network.isolation is not Isolation.NONE:
        yield "network.isolation", "isolated networks are not made yet"
    for name in ("private_vlan", "public_access", "interfaces"):
        if name in cluster.network.model_fields_set and getattr(cluster.network, name):
            alias = type(cluster.network).model_fields[name].alias
            yield f"network.{alias}", "networks of machines are not set up yet"
    if cluster.type is ClusterType.VANILLA and cluster.network.cni.name not in {CniName.FLANNEL, CniName.NONE}:
        yield (
            "network.cni.name",
            f"{cluster.network.cni.name} is not installed yet; FLANNEL is, or NONE to bring your own",
        )
    for index, service in enumerate(cluster.services):
        yield f"services[{index}]", f"services of type {service.type} are not run yet"
    if cluster.validation.health_checks:
        yield "validation.healthChecks", "named health checks are not run yet; readiness of nodes is always waited for"
    for name in ("security", "platform_config"):
        if getattr(cluster, name):
            yield str(type(cluster).model_fields[name].alias), "its settings are not applied yet"
    if cluster.control_plane_size > 1:
        yield "nodeGroups", f"{cluster.control_plane_size} control plane hosts: only one is served yet"


def _group(index: int, group: NodeGroup) -> Iterable[tuple[str, str]]:
    path = f"nodeGroups[{index}]"
    if group.role not in SERVED_ROLES:
        yield f"{path}.role", f"machines of role {group.role} are not served yet"
    if group.size and not group.hosts:
        yield f"{path}.count", "machines are not made yet: name existing hosts of the Site in `hosts`"
    for name in ("template", "placement", "boot", "network", "tags", "lifecycle"):
        if getattr(group, name):
            yield f"{path}.{name}", "it describes machines to be made, which is not served yet"
