"""Another size for a node group, or other hosts in it, as a change of the definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from raijin.errors import NotFound, PlanRefused

if TYPE_CHECKING:
    from raijin.app.session import Session
    from raijin.definition.edit import Edits


def resize(session: Session, edits: Edits, group: str, count: int, taken: Mapping[str, str]) -> None:
    """Change a node group: hosts of the Site that no cluster holds come, the last ones go. A `count` is set.

    A group that is not there is made when the cluster has no workers at all: `PUT .../scale` is how it gets some.
    Raises NotFound, PlanRefused when there are too few free hosts.
    """
    cluster = session.cluster
    found = next((item for item in cluster.node_groups if item.name == group), None)
    if found is None:
        if any(item.role.value == "WORKER" for item in cluster.node_groups):
            names = ", ".join(item.name for item in cluster.node_groups)
            raise NotFound(f"{cluster.name} has no node group {group}", remedy=f"its groups are {names}")
        made = all(session.definition.is_counted(item) for item in cluster.node_groups)
        size: dict[str, object] = {"count": count} if made else {"hosts": []}
        edits.add_group({"name": group, "role": "WORKER", **size}, cluster=cluster.name)
        if made:
            return
    elif found.role.value == "CONTROL_PLANE" and count < 1:
        raise PlanRefused(f"{cluster.name} cannot be without a control plane", remedy="decommission it instead")
    index = [item.name for item in cluster.node_groups].index(group) if found else len(cluster.node_groups)
    hosts = list(found.hosts) if found else []
    if found is not None and session.definition.is_counted(found):
        edits.set_value("Cluster", cluster.name, ("nodeGroups", index, "count"), count)
        return
    for host in reversed(hosts[count:]):
        edits.remove_from_group(host, group=group, cluster=cluster.name)
    mine = {p.name for p in session.definition.hosts_of(cluster)}
    free = [h.name for h in session.definition.site().hosts if h.name not in taken and h.name not in mine]
    missing = count - len(hosts)
    if missing > len(free):
        raise PlanRefused(
            f"{group} needs {missing} more hosts, and {len(free)} of the Site are free",
            remedy="add hosts to the Site first",
        )
    for host in free[: max(0, missing)]:
        edits.add_to_group(host, group=group, cluster=cluster.name)


def replace_hosts(session: Session, edits: Edits, group: str, hosts: Sequence[str], taken: Mapping[str, str]) -> None:
    """Let a node group have exactly these hosts of the Site; those that stay keep their places.

    taken: hosts that other clusters hold. Raises NotFound, PlanRefused for a host that is not free.
    """
    cluster = session.cluster
    found = next((item for item in cluster.node_groups if item.name == group), None)
    if found is None:
        names = ", ".join(item.name for item in cluster.node_groups)
        raise NotFound(f"{cluster.name} has no node group {group}", remedy=f"its groups are {names}")
    if session.definition.is_counted(found):
        raise PlanRefused(f"the machines of {group} are counted, not named", remedy="say how many it shall have")
    if found.role.value == "CONTROL_PLANE" and not hosts:
        raise PlanRefused(f"{cluster.name} cannot be without a control plane", remedy="decommission it instead")
    known = {host.name for host in session.definition.site().hosts}
    elsewhere = {p.name: p.group.name for p in session.definition.hosts_of(cluster) if p.group.name != group}
    for host in hosts:
        if host not in known:
            raise NotFound(f"the Site has no host {host}", remedy="add it to the Site first")
        if holder := taken.get(host) or elsewhere.get(host):
            raise PlanRefused(f"{host} belongs to {holder} already", remedy="choose a host that is free")
    for host in [name for name in found.hosts if name not in hosts]:
        edits.remove_from_group(host, group=group, cluster=cluster.name)
    for host in [name for name in dict.fromkeys(hosts) if name not in found.hosts]:
        edits.add_to_group(host, group=group, cluster=cluster.name)
