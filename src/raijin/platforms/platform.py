"""The one contract of all distributions. The stages of `lifecycle/` ask it; nothing above knows a distribution by name.

A method that returns an Action, a Call or None says what is to be done about one node: a program for the host, or work
from outside where no program can run on it; None: there is nothing of the kind on this platform. Platforms whose hosts
run programs have what follows from that in `programs.ByPrograms`, those whose hosts run none in `outside.ByCalls`. What
holds for every distribution is not here: it is in `calls`, `drain`, `preflight`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from raijin.artifacts.lock import Lock
from raijin.artifacts.needs import Need
from raijin.facts.cluster import ClusterState
from raijin.facts.etcd import EtcdAccess, EtcdByCalls, EtcdState
from raijin.model.cluster import Cluster, ClusterType
from raijin.model.cni import CniName
from raijin.model.host import Host
from raijin.model.version import Version
from raijin.operations.program import Program
from raijin.plan.handlers import CallContext, Handlers
from raijin.plan.model import Call
from raijin.platforms.base import Action, Balanced, Context, Hop, Node, Outside, Parts, Work
from raijin.platforms.encrypted import Written
from raijin.platforms.view import HostView
from raijin.transport.pool import Pool, Target

Document = dict[str, Any]
Part = tuple[str, str]
"""(field path of the definition, why it cannot be served)"""


class ApiServers(Protocol):
    """Files of the API servers that Raijin writes itself: for the audit log, and for encryption at rest."""

    def write_with(self, context: Context, order: tuple[Written, ...], title: str) -> Program:
        """The API server of one control plane host reads data in these ways, and writes it in the first of them."""
        ...

    def rewrite(self, context: Context, resources: Sequence[str]) -> Program:
        """Everything of these resources is written anew, on one control plane host for all."""
        ...


class Platform(Protocol):
    """A way to make Kubernetes clusters of hosts."""

    type: ClusterType
    kubeconfig: str
    """Path of the administrator's kubeconfig on a control plane host."""
    bootstrap_kubeconfig: str
    """Path of one that has rights before the first start has ended; empty where nothing needs the API so early."""
    static_pods: str
    """The folder that its kubelets read static pods from."""
    networks: frozenset[CniName]
    """Container networks that it brings along itself."""
    kube_proxy: bool
    """Whether it runs kube-proxy as a DaemonSet of that name, unless the container network stands in for it."""
    release: str
    """The artifact that has the version of the distribution itself."""
    known: Mapping[int, Version]
    """The newest release of each minor that Raijin knows of."""
    inits: tuple[str, ...]
    """Init systems that its hosts may have."""
    api_servers: ApiServers | None
    """None where the distribution has a way of its own for these files, or none."""
    own_address: bool
    """Whether its hosts carry the cluster's virtual address by themselves."""
    renews_itself: str
    """Where a distribution renews all its certificates by itself, how a person sees that; else empty."""
    handlers: Handlers
    """Calls of its own, by name."""
    by_hand: dict[str, str]
    """What each of them means for a person with a terminal; {target} is the step's target."""
    # A platform whose certificates Raijin looks after has `certificates` too (platforms/renewal.py); one whose
    # authorities it replaces, `rotating` (platforms/rotation.py).

    def refused(self, cluster: Cluster) -> Iterable[Part]:
        """What of a right definition this platform cannot serve."""
        ...

    def given(self, cluster: Cluster) -> dict[str, str]:
        """Secrets of the definition that programs need, fetched, by the names that they are kept under.

        Raises NotFound when a reference names nothing.
        """
        ...

    def needs(self, cluster: Cluster, version: str, archs: Sequence[str], lock: Lock | None) -> list[Need]:
        """The binaries and images of a cluster of this version. Raises Unsupported."""
        ...

    def target(self, host: Host, outside: Outside) -> Target | None:
        """How a host is reached; None: by SSH, or as this machine, as the definition says."""
        ...

    async def look(self, pool: Pool, host: str) -> HostView | None:
        """The facts of a host; None: a program gathers them, as on any Linux. Raises HostError."""
        ...

    def parts(self, facts: HostView) -> Parts:
        """What of a cluster is on a host."""
        ...

    def etcd(self, cluster: Cluster) -> EtcdAccess | EtcdByCalls | None:
        """How the etcd of a control plane host is reached; None where Raijin looks after none."""
        ...

    async def etcd_state(
        self, pool: Pool, hosts: Sequence[str], access: EtcdAccess | EtcdByCalls | None
    ) -> EtcdState | None:
        """The members, by way of the first of these control plane hosts that tells; None when none does.

        access: what `etcd` said.
        """
        ...

    def kept_outside(self, cluster: Cluster) -> bool:
        """Whether the data of the cluster is in a database that is no business of Raijin's."""
        ...

    def least(self, node: Node) -> tuple[int, int]:
        """The least machine for a node: CPU threads and bytes of memory."""
        ...

    def ports(self, context: Context, node: Node) -> dict[int, str]:
        """The TCP ports that a node listens on, and for what."""
        ...

    def balanced(self, context: Context, *, starting: bool) -> tuple[Balanced, ...]:
        """What hosts beside the cluster balance besides its API. starting: hosts of the first start have their part."""
        ...

    def preflight(self, context: Context) -> Iterable[str]:
        """Every reason of its own against applying the definition now, judged from what was seen."""
        ...

    def documents(self, context: Context) -> list[Document]:
        """What it puts into the cluster by server-side apply, beside the container network."""
        ...

    def prepare(self, context: Context, node: Node) -> Action | None:
        """The operating system as Kubernetes wants it. Claims the host, before anything else is changed."""
        ...

    def equip(self, context: Context, node: Node) -> Action | None:
        """Its binaries."""
        ...

    def services(self, context: Context, node: Node) -> Action | None:
        """Its configuration files and units; what a node runs before it is one."""
        ...

    def images(self, context: Context, node: Node) -> Action | None:
        """The images that were bundled, so that nothing is pulled; None when there are none."""
        ...

    def found(self, context: Context) -> Work | None:
        """What has to be made before a new cluster is started on `context.first`; None: nothing."""
        ...

    def start(self, context: Context) -> Action:
        """A new cluster, on `context.first`. Safe to run again after it was interrupted; never a second cluster."""
        ...

    def complete(self, context: Context) -> Work | None:
        """Wait for what a new cluster makes of itself when its nodes are there; None: there is nothing of the kind."""
        ...

    def names_by(self, cluster: Cluster) -> str:
        """The Deployment in kube-system by which pods find each other's names; empty where that is not to be told."""
        ...

    def release_bootstrap(self, context: Context, node: Node) -> Call | None:
        """Let a host go that only the first start needed; None: it was let go."""
        ...

    def convert(self, context: Context) -> Program | None:
        """On `context.first`, which runs: its data brought into a form that others can share; None: it is."""
        ...

    def admit(self, context: Context, node: Node) -> Call | None:
        """Let one host in: a token of its own, made when everything that it takes long to send is there."""
        ...

    def join(self, context: Context, node: Node) -> Action:
        """The host becomes a node. Safe to run again after it was interrupted."""
        ...

    def configure(self, context: Context, node: Node, *, outdated: bool) -> Action | None:
        """Bring a node that is a member to the settings of the definition; None where `services` does that.

        outdated: it is upgraded before, in the same plan.
        """
        ...

    def register(self, context: Context, node: Node) -> Action:
        """Start the node's agent anew, so that it registers with the API."""
        ...

    def version_of(self, node: Node, state: ClusterState | None) -> Version | None:
        """The oldest of what the node runs of the control plane and the kubelet; None when that cannot be known."""
        ...

    def control_plane_version(self, node: Node, state: ClusterState | None) -> Version | None:
        """What a control plane host runs of the control plane, whatever its kubelet is."""
        ...

    def hop_images(self, context: Context, node: Node, hop: Hop) -> Action | None:
        """The images of one version on the way; None when nodes pull them."""
        ...

    def upgrade(self, context: Context, node: Node, hop: Hop, *, leads: bool) -> Action:
        """Bring one node to a version, its pods having left it.

        leads: it is the first control plane host of this hop.
        """
        ...

    def advance(self, context: Context) -> Action | None:
        """Bring the cluster as a whole to its version, where its own means do that, when all nodes are up to date."""
        ...

    def arrival(self, context: Context, node: Node, hop: Hop) -> Call:
        """Wait until an upgraded node is Ready and says the version of the hop."""
        ...

    def revoke(self, context: Context, node: Node) -> Call | None:
        """Take back what `admit` gave."""
        ...

    async def join_command(self, pool: Pool, context: Context, ttl_minutes: int) -> str:
        """What a person types on a host that Raijin does not manage.

        Raises Unsupported where there is no such thing.
        """
        ...

    def leave(self, context: Context, node: Node) -> Action | None:
        """The whole way back, for a host whose node object is gone already or whose cluster is destroyed.

        None: nothing of the cluster is on it.
        """
        ...

    def pack(self, context: Context, node: Node) -> Action | None:
        """Put a snapshot and what a control plane needs beside it into one tar, `packing.PACKED`, on a host.

        None: nothing is laid down there, `fetch_pack` does it all.
        """
        ...

    def snapshot_kind(self, node: Node) -> str:
        """What the snapshots of a host are: `etcd` or `sqlite`."""
        ...

    async def fetch_pack(self, context: CallContext, host: str, target: Path) -> None:
        """That tar, here. Raises HostError."""
        ...

    def back_up(self, context: Context, node: Node) -> Action | None:
        """Have a control plane host make backups by itself, as `backup.schedule` says, or no longer."""
        ...

    def halt(self, context: Context, node: Node) -> Action:
        """End what a control plane host runs, its data kept aside, so that another cluster can be restored there."""
        ...

    def seed(self, context: Context) -> Action | None:
        """Put the data of `context.snapshot` on `context.first`, which then starts with it; None: `start` does."""
        ...

    def secrets(self, cluster: str, node: Node) -> list[str]:
        """The names of the secrets that are kept for a host, to be forgotten with it."""
        ...

    def cluster_secrets(self, cluster: Cluster) -> list[str]:
        """The names of the secrets that are kept for the cluster, to be forgotten when it has ended."""
        ...
