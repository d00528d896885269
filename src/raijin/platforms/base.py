"""What every platform is given: the definition of one cluster beside what was seen of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from raijin.facts.cluster import ClusterState
from raijin.model.cluster import Cluster
from raijin.model.host import Host
from raijin.model.node_group import NodeRole
from raijin.model.site import Site
from raijin.platforms.view import HostView
from raijin.state.members import Member


@dataclass(frozen=True, slots=True)
class Node:
    """A host of the cluster. `facts` is None when it could not be reached; `absence` then says why."""

    host: Host
    role: NodeRole
    facts: HostView | None = None
    absence: str = ""

    @property
    def name(self) -> str:
        return self.host.name


@dataclass(frozen=True, slots=True)
class BinaryFile:
    """An artifact that the plan may use: a binary or an archive, by catalogue name."""

    name: str
    version: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A container image as a file that containerd imports."""

    ref: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Supply:
    """What was locked for one architecture. Without image files, nodes pull from the registries themselves."""

    binaries: Mapping[str, BinaryFile]
    images: tuple[ImageFile, ...] = ()
    pause: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """Desired and observed, side by side: all that a lifecycle stage may look at.

    supplies: by architecture. state: None when the cluster's API cannot be reached (it may not exist yet).
    members: hosts that earlier runs made part of the cluster. departed: nodes that are no longer in the definition.
    """

    site: Site
    cluster: Cluster
    nodes: tuple[Node, ...]
    supplies: Mapping[str, Supply] = field(default_factory=dict)
    state: ClusterState | None = None
    members: Mapping[str, Member] = field(default_factory=dict)
    departed: tuple[Node, ...] = ()
    force: bool = False
    drain: bool = True

    @property
    def reachable(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.facts is not None)

    @property
    def blind(self) -> bool:
        """There is a cluster, and its API does not answer: what it holds is unknown, not absent."""
        planes = self.control_planes
        return self.state is None and any(node.facts is not None and node.facts.parts.started for node in planes)

    @property
    def control_planes(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.role is NodeRole.CONTROL_PLANE)

    @property
    def first(self) -> Node:
        """The control plane host that the cluster is started on."""
        return self.control_planes[0]

    @property
    def workers(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.role is not NodeRole.CONTROL_PLANE)
