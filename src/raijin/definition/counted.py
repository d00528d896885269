"""Machines that groups only count: their names, and the definition with those in it that were made.

A group with a `count` and no `hosts` has the machines `<cluster>-<group>-1`, `-2` and so on. One that was made is a
host like any other; one that was not is no host yet, and stands in `Definition.to_make`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from raijin.definition.definition import Definition
from raijin.errors import PlanRefused
from raijin.model.cluster import Cluster
from raijin.model.host import Host
from raijin.model.node_group import NodeGroup, NodeRole
from raijin.model.site import Site


@dataclass(frozen=True, slots=True)
class Counted:
    """A machine that a group counts, made or not. number: of those of its group, from 1."""

    name: str
    cluster: str
    group: NodeGroup
    number: int

    @property
    def role(self) -> NodeRole:
        return self.group.role


def machine_name(cluster: str, group: str, number: int) -> str:
    return f"{cluster}-{group}-{number}"


def counted(definition: Definition, cluster: Cluster) -> Iterator[Counted]:
    """The machines that the groups of a cluster count."""
    for group in cluster.node_groups:
        if definition.is_counted(group):
            for number in range(1, (group.count or 0) + 1):
                yield Counted(machine_name(cluster.name, group.name, number), cluster.name, group, number)


def with_machines(definition: Definition, made: Mapping[tuple[str, str], Mapping[str, object]]) -> Definition:
    """The same definition with what was made by now.

    made: by cluster and name, how each is reached, as a host of a Site; of one that is only being made, its name; of
    one that was needed once and is gone, nothing. Raises PlanRefused where a host of a Site has the name of a machine.
    """
    clusters, hosts, missing = [], dict[str, Host](), []
    for cluster in definition.clusters:
        wanted, mine = list(counted(definition, cluster)), {n: made[c, n] for c, n in made if c == cluster.name}
        there = {name for name, target in mine.items() if "address" in target}
        clusters.append(filled(cluster, wanted, there))
        hosts |= {one.name: Host.model_validate(dict(mine[one.name])) for one in wanted if one.name in there}
        missing += [one for one in wanted if one.name not in there and mine.get(one.name) != {}]
    taken = {host.name for site in definition.sites for host in site.hosts} - definition.made
    twice = sorted(taken & {*hosts, *(one.name for one in missing)})
    if twice:
        raise PlanRefused(
            f"hosts of the Site bear the names of machines that are made for a cluster: {', '.join(twice)}",
            remedy="rename these hosts, or the group that counts",
        )
    first, *others = definition.sites or (Site(),)
    own = tuple(host for host in first.hosts if host.name not in definition.made)
    sites = (first.model_copy(update={"hosts": (*own, *hosts.values())}), *others)
    return replace(
        definition,
        sites=sites if hosts or definition.sites else (),
        clusters=tuple(clusters),
        made=frozenset(hosts),
        to_make=tuple(missing),
    )


def filled(cluster: Cluster, wanted: Iterable[Counted], there: Container[str]) -> Cluster:
    """A cluster whose counting groups name what was made of them, and is there."""
    names: dict[str, list[str]] = {}
    for one in wanted:
        names.setdefault(one.group.name, []).extend([one.name] if one.name in there else [])
    groups = tuple(
        group.model_copy(update={"hosts": tuple(names[group.name])}) if group.name in names else group
        for group in cluster.node_groups
    )
    return cluster.model_copy(update={"node_groups": groups})
