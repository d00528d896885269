"""What a definition may say and Raijin cannot do yet. Said loudly, part by part: never skipped in silence.

`unsupported` are parts without which the cluster would not be what was asked for: planning is refused. `untouched` are
parts of the site beside the cluster: the plan goes on, and says that it leaves them alone.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import TYPE_CHECKING

from raijin.errors import Unsupported
from raijin.lifecycle.desired import installed_network
from raijin.model.artifacts import Delivery
from raijin.model.base import listed
from raijin.model.boot import BootMethod
from raijin.model.cluster import Cluster, ClusterType
from raijin.model.cni import CniName
from raijin.model.host import Host
from raijin.model.node_group import NodeGroup, NodeRole
from raijin.model.site import Site
from raijin.model.virtual_ip import VipProvider
from raijin.network import CONTAINER_NETWORKS
from raijin.platforms import PLATFORMS, platform_of, served

if TYPE_CHECKING:
    from raijin.machines.base import MachineProvider

OPERATORS = "cluster-operators"
SERVED_ROLES = (NodeRole.CONTROL_PLANE, NodeRole.WORKER, NodeRole.STORAGE, NodeRole.INFRA)
Part = tuple[str, str]
"""(field path, reason)"""


def unsupported(
    cluster: Cluster,
    site: Site | None = None,
    hosts: Iterable[Host] = (),
    *,
    maker: MachineProvider | None = None,
    made: Container[str] = (),
) -> list[Part]:
    """Every part that stands against planning this cluster on these hosts.

    maker: who makes machines that groups count. made: hosts that were made so.
    """
    counted = {group.name for group in cluster.node_groups if group.is_counted(made)}
    parts = [*_cluster(cluster), *_services(cluster, maker if counted else None)]
    parts += _machines(cluster) if maker is None or not counted else maker.refused(cluster)
    parts += _network(cluster)
    if served(cluster.type):
        parts += platform_of(cluster).refused(cluster)
        parts += _api_servers(cluster)
    for index, group in enumerate(cluster.node_groups):
        own = _counted(cluster, group, maker) if group.name in counted else _named(cluster, group)
        parts += [(f"nodeGroups[{index}].{path}", reason) for path, reason in (*_role(cluster, group), *own)]
    if site is not None and site.proxy.model_fields_set:
        parts.append(("site: proxy", "a proxy is not set up on hosts and in containerd yet"))
    parts += [item for host in hosts for item in _host(host)]
    return parts


def refuse(parts: Sequence[Part]) -> None:
    """Raises Unsupported with all parts that cannot be served yet, if there are any."""
    if parts:
        raise Unsupported(
            f"{len(parts)} parts of the definition cannot be served yet:\n"
            + "\n".join(f"  - {path}: {reason}" for path, reason in parts),
            remedy="take these parts out, or wait for the release that serves them",
        )


def untouched(site: Site) -> list[str]:
    """Notes for the plan: what else the site defines, and this plan does nothing about."""
    named = {
        "services": "are not run yet",
        "nas": "is not set up yet",
        "wan_links": "are not set up yet",
        "networks": "are only compared with the cluster's yet",
        "power": "is not used yet",
        "sleep": "is not done yet",
        "storage_class_default": "is not made yet",
    }
    written = [name for name in named if name in site.model_fields_set]
    return [f"site: {type(site).model_fields[name].alias or name}: {named[name]}" for name in written]


def _cluster(cluster: Cluster) -> Iterable[Part]:
    if not served(cluster.type):
        yield "type", f"clusters of type {cluster.type} are not served yet (served: {listed(PLATFORMS)})"
    for index, name in enumerate(cluster.validation.health_checks):
        if name == OPERATORS and cluster.type is not ClusterType.OKD:
            yield f"validation.healthChecks[{index}]", f"clusters of type {cluster.type} have no cluster operators"
    if cluster.security:
        yield "security", "its settings are not applied yet"


def _services(cluster: Cluster, maker: MachineProvider | None) -> Iterable[Part]:
    for index, service in enumerate(cluster.services):
        if maker is None or not maker.provides(service):
            yield f"services[{index}]", f"services of type {service.type} are not run yet"


def _api_servers(cluster: Cluster) -> Iterable[Part]:
    """What Raijin sets up where it writes the files of the API servers itself."""
    for name in ("encryption", "audit"):
        if getattr(cluster.kubernetes, name) is not None and platform_of(cluster).api_servers is None:
            yield (
                f"kubernetes.{name}",
                f"it is not set up on {cluster.type} clusters: use the distribution's own setting",
            )


def _network(cluster: Cluster) -> Iterable[Part]:
    network = cluster.network
    bgp = network.virtual_ip.bgp if network.virtual_ip else None
    for index, peer in enumerate(bgp.peers if bgp else ()):
        if peer.password is not None:
            path = f"network.virtualIp.bgp.peers[{index}].password"
            yield path, "passwords of BGP sessions are not set yet: they would stand in the manifest of a pod"
    if served(cluster.type):
        yield from _container_network(cluster)


def _machines(cluster: Cluster) -> Iterable[Part]:
    """What is said of machines to be made, where none are."""
    if cluster.boot_method is not BootMethod.EXISTING:
        yield "bootMethod", f"booting machines by {cluster.boot_method} is not served yet; hosts must run Linux already"
    for field in cluster.network.of_machines:
        what = (
            "isolated networks are not made yet" if field == "isolation" else "networks of machines are not set up yet"
        )
        yield f"network.{field}", what


def _container_network(cluster: Cluster) -> Iterable[Part]:
    cni, installed = cluster.network.cni.name, installed_network(cluster)
    if installed is not None:
        yield from installed.refused(cluster)
    elif cni not in {*platform_of(cluster).networks, CniName.NONE}:
        names = listed(known.name for known in CONTAINER_NETWORKS)
        yield "network.cni.name", f"{cni} is not installed yet; {names} can be, or NONE to bring your own"


def _role(cluster: Cluster, group: NodeGroup) -> Iterable[Part]:
    vip = cluster.network.virtual_ip
    balances = group.role is NodeRole.BASTION and vip is not None and vip.provider is VipProvider.KEEPALIVED
    if group.role not in SERVED_ROLES and not balances and not _starts(cluster, group):
        yield "role", f"machines of role {group.role} are not served yet"


def _starts(cluster: Cluster, group: NodeGroup) -> bool:
    return group.role is NodeRole.BOOTSTRAP and cluster.type is ClusterType.OKD


def _counted(cluster: Cluster, group: NodeGroup, maker: MachineProvider | None) -> Iterable[Part]:
    """What stands against making the machines of a group."""
    if maker is None and not group.count:
        return
    if maker is None:
        remedy = "name existing hosts in `hosts`, or say in `machines` of the Site who makes them"
        yield "count", f"nobody makes machines here: {remedy}"
        return
    yield from maker.refused_group(group)
    init = group.template.cloud_init if group.template is not None else None
    if init is not None and cluster.type.own_system:
        yield "template.cloudInit", f"{cluster.type} is a system of its own, on which nothing is installed or run"
    elif init is not None and init.user_data is not None:
        reason = "no cloud-init is run: write `packages`, `runCmd` and `sshAuthorizedKeys`"
        yield "template.cloudInit.userData", reason


def _named(cluster: Cluster, group: NodeGroup) -> Iterable[Part]:
    for name in ("template", "placement", "boot", "network", "tags", "lifecycle"):
        if getattr(group, name) and not (name == "lifecycle" and _starts(cluster, group)):
            yield name, "it describes machines to be made, and the hosts of this group are there already"


def _host(host: Host) -> Iterable[Part]:
    if host.delivery is Delivery.PULL:
        yield f"host {host.name}: delivery", "hosts do not fetch artifacts themselves yet; PUSH sends them over SSH"
    if host.interfaces:
        yield f"host {host.name}: interfaces", "network interfaces of hosts are not set up yet"
