"""A definition that has been read: its documents, and the questions that the rest of Raijin asks of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from raijin.definition.environment import Overrides
from raijin.definition.problems import remedy_for
from raijin.errors import NotFound, Problem, UsageError
from raijin.model.base import listed, overlay
from raijin.model.cluster import Cluster, NodeGroup, NodeRole
from raijin.model.host import Host, Ssh, split_jump
from raijin.model.labels import Taint
from raijin.model.mesh import Mesh
from raijin.model.site import Site
from raijin.model.template import Template

if TYPE_CHECKING:
    from raijin.definition.counted import Counted

_ORDER = tuple(NodeRole)

Document = TypeVar("Document", Cluster, Mesh, Site, Template)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a document stands: `index` counts the documents of the file from 0."""

    file: str
    index: int
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A host in its group: settings of the site, the group and the environment are already merged into `host`."""

    host: Host
    group: NodeGroup
    role: NodeRole

    @property
    def name(self) -> str:
        return self.host.name

    @property
    def labels(self) -> dict[str, str]:
        return self.host.labels

    @property
    def taints(self) -> tuple[Taint, ...]:
        return self.host.taints


@dataclass(frozen=True)
class Definition:
    """Every document, as written, and their merged view.

    made: names of the hosts that were made because a group counts them. to_make: machines that are counted and not
    there (see `counted`).
    """

    sites: tuple[Site, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    meshes: tuple[Mesh, ...] = ()
    templates: tuple[Template, ...] = ()
    sources: tuple[Source, ...] = ()
    warnings: tuple[Problem, ...] = ()
    overrides: Overrides = field(default_factory=Overrides)
    made: frozenset[str] = frozenset()
    to_make: tuple[Counted, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether machines of some group are counted, not named."""
        groups = (group for cluster in self.clusters for group in cluster.node_groups)
        return any(map(self.is_counted, groups))

    def is_counted(self, group: NodeGroup) -> bool:
        """Whether a group says how many machines it has, and names none but those that were made for it."""
        return group.is_counted(self.made)

    def as_written(self, cluster: Cluster) -> Cluster:
        """A cluster without the hosts that its groups were given because they count them."""
        if not any(group.hosts and self.is_counted(group) for group in cluster.node_groups):
            return cluster
        groups = (
            NodeGroup.model_construct(_fields_set=group.model_fields_set - {"hosts"}, **(dict(group) | {"hosts": ()}))
            if self.is_counted(group)
            else group
            for group in cluster.node_groups
        )
        return cluster.model_copy(update={"node_groups": tuple(groups)})

    def site(self) -> Site:
        """All sites as one, with the settings of each already merged into its hosts. Empty when there is none."""
        return self._site

    @cached_property
    def _overridden(self) -> tuple[Site, ...]:
        """The sites as the environment changes them; of several, it speaks of the first."""
        first, *rest = self.sites or (Site(),)
        return (self.overrides.site(first), *rest)

    @cached_property
    def _site(self) -> Site:
        merged, *others = self._overridden
        for other in others:
            lists = {name: (*getattr(merged, name), *getattr(other, name)) for name in _SITE_LISTS}
            rest = {name: getattr(other, name) for name in other.model_fields_set - merged.model_fields_set}
            merged = merged.model_copy(update=rest | lists)
        return merged.model_copy(update={"hosts": tuple(self._hosts.values())})

    @cached_property
    def _hosts(self) -> dict[str, Host]:
        groups = [group for cluster in self.clusters for group in cluster.node_groups]
        roles = {name: group.role for group in groups for name in group.hosts}
        return {
            host.name: self.overrides.reach(effective_host(site, host), roles.get(host.name))
            for site in self._overridden
            for host in site.hosts
        }

    def host(self, name: str) -> Host:
        """One host with the settings of its site merged in. Raises NotFound."""
        host = self._hosts.get(name)
        if host is None:
            known = list(self._hosts)
            raise NotFound(f"no host {name} is defined", remedy=remedy_for(name, known, _choose("host", known)))
        return host

    def cluster(self, name: str | None = None) -> Cluster:
        """The cluster of that name, or the only one. Raises NotFound, or UsageError when the name is needed."""
        names = [cluster.name for cluster in self.clusters]
        if not names:
            raise NotFound("the definition has no cluster", remedy="add a document with `kind: Cluster`")
        if name is None:
            if len(names) > 1:
                raise UsageError(f"the definition has {len(names)} clusters", remedy=f"name one: {listed(names)}")
            return self.clusters[0]
        found = next((cluster for cluster in self.clusters if cluster.name == name), None)
        if found is None:
            raise NotFound(f"no cluster {name} is defined", remedy=remedy_for(name, names, _choose("cluster", names)))
        return found

    def hosts_of(self, cluster: Cluster) -> tuple[Placed, ...]:
        """The hosts of a cluster, control plane first, otherwise in the order of the definition."""
        groups = sorted(cluster.node_groups, key=lambda group: _ORDER.index(group.role))
        return tuple(self._place(name, group) for group in groups for name in group.hosts)

    def _place(self, name: str, group: NodeGroup) -> Placed:
        host = self.host(name)
        merged = host
        if group.labels or group.taints:
            labels, taints = group.labels | host.labels, merge_taints(group.taints, host.taints)
            merged = host.model_copy(update={"labels": labels, "taints": taints})
        return Placed(self.overrides.label(merged, group.role), group, group.role)


_SITE_LISTS = ("networks", "services", "nas", "wan_links")


def effective_host(site: Site, host: Host) -> Host:
    """A host with the `ssh`, `become`, `power` and `delivery` of its site where it says nothing itself."""
    changed: dict[str, object] = {}
    if site.ssh.model_fields_set:
        changed["ssh"] = _reached(site, host)
    if site.become.model_fields_set:
        changed["become"] = overlay(site.become, host.become)
    if site.power is not None:
        changed["power"] = overlay(site.power, host.power) if host.power else site.power
    if host.delivery is None:
        changed["delivery"] = site.artifacts.delivery
    return host.model_copy(update=changed) if changed else host


def _reached(site: Site, host: Host) -> Ssh:
    ssh = overlay(site.ssh, host.ssh)
    if "jump" in host.ssh.model_fields_set or site.ssh.jump is None:
        return ssh
    # The jump of the site is for the hosts behind it, not for the jump host itself.
    parts = split_jump(site.ssh.jump)
    itself = parts is not None and parts[1] in (host.name, host.address)
    return ssh.model_copy(update={"jump": None}) if itself else ssh


def merge_taints(group: Iterable[Taint], host: Iterable[Taint]) -> tuple[Taint, ...]:
    """Both, where a taint of the host replaces the group's of the same key and effect."""
    merged = {(taint.key, taint.effect): taint for taint in group}
    merged |= {(taint.key, taint.effect): taint for taint in host}
    return tuple(merged.values())


def _choose(noun: str, names: list[str]) -> str:
    if not names:
        return f"add the {noun} to the definition"
    if len(names) > 8:
        return f"the definition has {len(names)} {noun}s: look at the spelling"
    return f"the definition has {listed(names)}"
