"""Node groups: their hosts exist and belong to them alone, counts agree, the control plane can keep quorum."""

from __future__ import annotations

from collections.abc import Iterator

from raijin.definition.checks.base import Documents, Finding, Read, place_of
from raijin.definition.counted import machine_name
from raijin.definition.problems import remedy_for, shown
from raijin.definition.tree import Loc, Tree
from raijin.model.cluster import Cluster
from raijin.model.node_group import NodeRole
from raijin.model.service import ServiceType

LONGEST = 63
"""Letters of a label of DNS (RFC 1123), as host names of machines are."""


def memberships(documents: Documents) -> Iterator[Finding]:
    """Each named host is defined, and in one group of one cluster only."""
    first: dict[str, tuple[str, Tree, Loc]] = {}
    known = list(documents.hosts)
    for cluster in documents.clusters:
        for at, group in enumerate(cluster.model.node_groups):
            for number, name in enumerate(group.hosts):
                loc = ("nodeGroups", at, "hosts", number)
                if name not in documents.hosts and "Site" not in documents.broken:
                    remedy = remedy_for(name, known, "add the host to a Site document")
                    yield Finding(cluster.tree, loc, "is no host of any Site", remedy, shown(name))
                if name in first:
                    owner, tree, other = first[name]
                    message = f"is already in {owner} ({place_of(tree, other)})"
                    yield Finding(cluster.tree, loc, message, "a host belongs to one group of one cluster", shown(name))
                else:
                    first[name] = (f"group {group.name} of cluster {cluster.model.name}", cluster.tree, loc)


def counts(documents: Documents) -> Iterator[Finding]:
    """A count agrees with the hosts that are named; one of the two is given."""
    for cluster in documents.clusters:
        for at, group in enumerate(cluster.model.node_groups):
            loc = ("nodeGroups", at)
            if group.count is None and "hosts" not in group.model_fields_set:
                yield Finding(
                    cluster.tree, loc, "has neither `hosts` nor `count`", "name its hosts, or say how many to make"
                )
            elif group.count is not None and group.hosts and group.count != len(group.hosts):
                message = f"does not agree with the {len(group.hosts)} hosts that the group names"
                if len(group.hosts) == 1:
                    message = "does not agree with the one host that the group names"
                remedy = "remove `count`: the hosts are counted"
                yield Finding(cluster.tree, (*loc, "count"), message, remedy, str(group.count))
            elif group.count and len(machine_name(cluster.model.name, group.name, group.count)) > LONGEST:
                message = f"makes names of machines with more than {LONGEST} letters (<cluster>-<group>-<number>)"
                yield Finding(cluster.tree, (*loc, "name"), message, "choose a shorter name", shown(group.name))


def control_planes(documents: Documents) -> Iterator[Finding]:
    """There is a control plane; warnings where it cannot stand a failure that it looks made for."""
    for cluster in documents.clusters:
        groups = [at for at, g in enumerate(cluster.model.node_groups) if g.role is NodeRole.CONTROL_PLANE]
        size = cluster.model.control_plane_size
        if not groups:
            message = "has no group with the role CONTROL_PLANE"
            yield Finding(cluster.tree, ("nodeGroups",), message, "add a group with `role: CONTROL_PLANE`")
        elif size == 0 and any(g.model_fields_set & {"hosts", "count"} for g in cluster.model.node_groups):
            yield Finding(cluster.tree, ("nodeGroups", groups[0]), "leaves the control plane empty", "give it a host")
        elif size % 2 == 0 and size:
            message = f"makes {size} control plane nodes: an even number stands no more failures than {size - 1}"
            yield Finding(cluster.tree, ("nodeGroups", groups[-1]), message, "use one, three or five", warning=True)
        if size > 1 and not has_one_door(cluster):
            message = "is not set, so the API server is reached through one control plane node only"
            remedy = "give `network.virtualIp`, or set it to the name or address of a load balancer of your own"
            yield Finding(cluster.tree, ("network", "controlPlaneEndpoint"), message, remedy, warning=True)


def has_one_door(cluster: Read[Cluster]) -> bool:
    """Whether something stands before the API servers."""
    balanced = any(service.type is ServiceType.LOAD_BALANCER for service in cluster.model.services)
    network = cluster.model.network
    return balanced or network.control_plane_endpoint is not None or network.virtual_ip is not None
