"""What every platform is given: the definition of one cluster beside what was seen of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from raijin.errors import PlanRefused
from raijin.facts.cluster import ClusterState
from raijin.facts.etcd import EtcdState
from raijin.model.cluster import Cluster
from raijin.model.host import Host
from raijin.model.node_group import NodeRole
from raijin.model.site import Site
from raijin.model.version import Version
from raijin.operations.program import Program
from raijin.plan.model import Call, Change
from raijin.platforms.encrypted import NO_KEYS, Keys, Written, wanted_of
from raijin.platforms.turns import ALL, Asked
from raijin.platforms.view import HostView
from raijin.state.made import MadeMachine
from raijin.state.member import Member

if TYPE_CHECKING:
    from raijin.transport.ssh import SshTarget


@dataclass(frozen=True, slots=True)
class Parts:
    """What of a cluster is on a host, as its platform reads it from the facts.

    owner: the cluster that claimed the host. joined: it is a node. started: a control plane was started here, or
    joined, to the end. begun: a start or a join was begun. data: an etcd member of it has data here. sqlite: the
    cluster is kept in a SQLite file here. foreign: what runs here although no cluster of ours owns the host. stale:
    what was started here is no part of the cluster any more; the other fields say how it will be when that is gone.
    """

    owner: str = ""
    joined: bool = False
    started: bool = False
    begun: bool = False
    data: bool = False
    sqlite: bool = False
    foreign: str = ""
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """A host of the cluster. `facts` is None when it could not be reached; `absence` then says why."""

    host: Host
    role: NodeRole
    facts: HostView | None = None
    absence: str = ""
    parts: Parts = Parts()

    @property
    def name(self) -> str:
        return self.host.name

    @property
    def control_plane(self) -> bool:
        return self.role is NodeRole.CONTROL_PLANE

    @property
    def architecture(self) -> str:
        return self.facts.architecture if self.facts else str(self.host.arch or "amd64")

    @property
    def joined(self) -> bool:
        """Whether nothing is left to be done to make it a member: a control plane host has joined when it is one."""
        return self.parts.started if self.control_plane else self.parts.joined


@dataclass(frozen=True, slots=True)
class Work:
    """What is done about a node where no program can run: a call, and what it will change (never nothing).

    seconds: how long it may take, where that is longer than its stage gives to a program.
    """

    call: Call
    changes: tuple[Change, ...]
    seconds: float = 0.0


Action = Program | Work


def secrets_made(context: Context) -> tuple[Change, ...]:
    """What work changes that makes the secrets of a new cluster."""
    return (Change(f"secrets of {context.cluster.name}", "state", "absent", "made"),)


@dataclass(frozen=True, slots=True)
class Outside:
    """What a platform is given that reaches its hosts by a program on this machine.

    tool: that program, verified and executable, by its name in the catalogue; raises ArtifactError. secret: a kept one
    by its name, empty when there is none. ssh: how a host is reached by SSH, for platforms that need it beside. made:
    what the platform keeps for all hosts while the cluster is reached.
    """

    definition: Cluster
    tool: Callable[[str], Awaitable[Path]]
    secret: Callable[[str], str]
    ssh: Callable[[Host], SshTarget]
    made: dict[str, object] = field(default_factory=dict)

    @property
    def cluster(self) -> str:
        return self.definition.name


@dataclass(frozen=True, slots=True)
class Balanced:
    """What hosts beside a cluster balance besides its API: a port, and name and `address:port` of those who serve it.

    sticky: who comes from one address is sent to one server as long as it answers.
    """

    name: str
    port: int
    servers: tuple[tuple[str, str], ...]
    sticky: bool = False


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


@dataclass(frozen=True, slots=True)
class Hop:
    """One version on the way from the running one to the wanted one; supplies: what its nodes are made of, by arch."""

    version: Version
    supplies: Mapping[str, Supply]

    def supply(self, node: Node) -> Supply:
        return self.supplies[node.architecture]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A backup that a cluster is restored from. sha256: of the snapshot itself, which is sent like an artifact.

    files: by path on the host, the name of the secret that holds the content. version: of the cluster it was made of.
    restoration: names this restoration, so that data is kept aside under a name of its own. kind: of the data.
    authority: the identifier of the key of the one that it brings, where nodes could trust another one.
    """

    id: str
    sha256: str
    files: Mapping[str, str]
    version: Version
    restoration: str
    kind: str = "etcd"
    authority: str = ""


@dataclass(frozen=True)
class Context:
    """Desired and observed, side by side: all that a lifecycle stage may look at.

    supplies: by architecture. tags: of the images that documents name, by image. state: None when the cluster's API
    cannot be reached (it may not exist yet). etcd: None when it was not asked, or has no quorum. members: hosts that
    earlier runs made part of the cluster. departed: nodes that are no longer in the definition. hops: the versions that
    an upgrade goes through, the wanted one last; none when nothing is older. beside: hosts of the cluster that are no
    nodes: they carry its load balancer. bootstrap: hosts that only the first start needs. snapshot: what is to be
    restored. keys: of encryption at rest. chosen: the hosts that were named to a verb that is about single ones. at:
    when it was looked at, in seconds since the epoch, by which certificates are judged. authorities: of each rotation
    that this RAIJIN_HOME keeps something of, by its id, the identifiers of the new keys. asked: how one is wanted.
    made: machines that were made for the cluster.

    What is derived from the nodes is computed once (so it has no slots): stages ask for it at each node.
    """

    site: Site
    cluster: Cluster
    nodes: tuple[Node, ...]
    supplies: Mapping[str, Supply] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    state: ClusterState | None = None
    etcd: EtcdState | None = None
    members: Mapping[str, Member] = field(default_factory=dict)
    departed: tuple[Node, ...] = ()
    hops: tuple[Hop, ...] = ()
    snapshot: Snapshot | None = None
    beside: tuple[Node, ...] = ()
    bootstrap: tuple[Node, ...] = ()
    keys: Keys = NO_KEYS
    chosen: frozenset[str] = frozenset()
    force: bool = False
    drain: bool = True
    at: float = 0.0
    authorities: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    asked: Asked = ALL
    made: tuple[MadeMachine, ...] = ()

    @cached_property
    def reachable(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.facts is not None)

    @cached_property
    def hosts(self) -> tuple[Node, ...]:
        """Nodes and hosts beside them, reachable or not."""
        return (*self.nodes, *self.beside)

    @cached_property
    def blind(self) -> bool:
        """There is a cluster, and its API does not answer: what it holds is unknown, not absent."""
        return self.state is None and bool(self.started)

    @cached_property
    def control_planes(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.control_plane)

    @cached_property
    def started(self) -> tuple[Node, ...]:
        """The reachable control plane hosts that are part of a running cluster, departing ones last."""
        return tuple(node for node in (*self.nodes, *self.departed) if node.control_plane and node.parts.started)

    @property
    def writing(self) -> Written:
        """How data in etcd shall be written."""
        return wanted_of(self.cluster.kubernetes.encryption)

    @property
    def rewriting(self) -> bool:
        """Whether there is data that is written in another way."""
        exists = bool(self.started) or self.snapshot is not None
        return exists and self.keys.found != (self.writing,)

    @property
    def first(self) -> Node:
        """The control plane host that others join by; where there is no cluster yet, the one that it is started on."""
        known = (*self.started, *self.control_planes)
        if not known:
            raise PlanRefused(
                f"no control plane machine of {self.cluster.name} is made yet", remedy="`raijin apply` makes them"
            )
        return known[0]

    @cached_property
    def workers(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if not node.control_plane)

    def supply(self, node: Node) -> Supply:
        """The artifacts of the node's architecture."""
        return self.supplies[node.architecture]
