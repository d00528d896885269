"""What is seen of an OKD machine: its node in the cluster's API, the ports that answer, and the DNS names of all.

The API is asked once for all machines. A machine that waits for its Ignition configuration answers nobody; one that is
a node, is not Ready and answers at no port is taken for dead.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from raijin.errors import HostUnreachable, KubernetesError, OperationFailed
from raijin.facts.cluster import NodeState, node_state
from raijin.facts.gather import nothing_known
from raijin.facts.system import System
from raijin.model.names import split_endpoint
from raijin.platforms.base import Context, Node
from raijin.platforms.kubeconfig import parsed as parsed_kubeconfig
from raijin.platforms.okd import assets as kept_assets
from raijin.platforms.okd.operators import OPERATORS, POOLS, VERSION
from raijin.platforms.view import HostView
from raijin.transport.okd import OkdAccess, OkdConnection, OkdTarget
from raijin.transport.pool import Pool

Document = dict[str, Any]
INIT = "systemd"
SSH, ETCD, API, KUBELET, CONFIG_SERVER = 22, 2380, 6443, 10250, 22623
KUBERNETES_PORTS = {API: "an API server", ETCD: "etcd", KUBELET: "a kubelet", CONFIG_SERVER: "a machine config server"}
REMEMBERED_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Of the cluster. begun: openshift-install made its files here; complete: the bootstrap has ended. config: what
    they were made from. api: why the API does not answer; empty when it does, or is not asked because nothing is begun.
    stranger: another cluster answers under its name. names: by kind of name, its addresses and why there are none;
    looked up until the bootstrap has ended, because only the first start asks for them.
    """

    cluster: str = ""
    begun: bool = False
    complete: bool = False
    released: bool = False
    config: Mapping[str, Any] = field(default_factory=dict)
    api: str = ""
    stranger: bool = False
    nodes: Mapping[str, NodeState] = field(default_factory=dict)
    version: Document | None = None
    operators: Sequence[Document] = ()
    pools: Sequence[Document] = ()
    names: Mapping[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)

    @property
    def silent(self) -> bool:
        """There is a cluster, and nothing can be known of it."""
        return self.complete and bool(self.api)


@dataclass(frozen=True, slots=True)
class Machine:
    """ports: those that answer. node: as the API has it; None when it has none, or does not answer."""

    ports: frozenset[int] = frozenset()
    node: NodeState | None = None
    seen: Seen = Seen()


def machine_of(node: Node) -> Machine:
    own = node.facts.own if node.facts else None
    return own if isinstance(own, Machine) else Machine()


def seen_of(context: Context) -> Seen:
    """What was seen of the cluster by way of any of its machines."""
    machines = (machine_of(node) for node in (*context.nodes, *context.departed))
    return next((machine.seen for machine in machines if machine.seen.cluster), Seen(context.cluster.name))


async def connection_to(pool: Pool, host: str) -> OkdConnection:
    connection = await pool.get(host)
    if not isinstance(connection, OkdConnection):
        raise OperationFailed("it is not reached as a machine of OKD", host=host, remedy="report this as a defect")
    return connection


def access_of(pool: Pool) -> OkdAccess:
    """Of the machines of the cluster, which have it in common. Raises OperationFailed where there is none."""
    found = next((target.access for target in pool.targets.values() if isinstance(target, OkdTarget)), None)
    if found is None:
        raise OperationFailed("no machine of OKD is known", remedy="report this as a defect")
    return found


async def look(pool: Pool, host: str) -> HostView:
    """Raises HostUnreachable when it is, or may be, a node, and is dead."""
    connection = await connection_to(pool, host)
    ports, seen = await asyncio.gather(
        connection.access.open_ports(connection.address, (SSH, *KUBERNETES_PORTS)), seen_by(connection.access)
    )
    node = seen.nodes.get(host)
    lost = seen.silent if node is None else not node.ready
    if lost and not ports:
        raise HostUnreachable(
            f"nothing answers at {connection.address}, and its node is not Ready",
            host=host,
            remedy="look whether the machine is on",
        )
    return view_of(Machine(ports, node, seen))


def view_of(machine: Machine) -> HostView:
    facts = nothing_known("an OKD machine does not tell")
    return HostView(replace(facts, system=System(INIT, "", "enforcing", apparmor=False)), own=machine)


async def seen_by(access: OkdAccess) -> Seen:
    """The cluster, asked once for all who ask within a moment."""
    async with access.turn:
        at, seen = access.seen
        if not isinstance(seen, Seen) or time.monotonic() - at > REMEMBERED_SECONDS:
            seen = await _see(access)
            access.seen = (time.monotonic(), seen)
    return seen


async def _see(access: OkdAccess) -> Seen:
    kept = kept_assets.parsed(access.kept(kept_assets.secret_name(access.cluster)))
    seen = Seen(access.cluster)
    if kept is None or not kept.complete:
        wanted = access.names()
        told = await asyncio.gather(*(access.resolved(name) for name in wanted.values()))
        seen = replace(seen, names=dict(zip(wanted, told, strict=True)))
    if kept is None:
        return seen
    seen = replace(seen, begun=True, complete=kept.complete, released=kept.released, config=kept.config)
    return await _ask(access, seen, kept.kubeconfig)


async def _ask(access: OkdAccess, seen: Seen, kubeconfig: str) -> Seen:
    from raijin.transport.kube import open_kube  # noqa: PLC0415  (only where there is a cluster)

    try:
        async with open_kube(kubeconfig, access.way(server_of(kubeconfig)), seen.cluster) as kube:
            nodes = await kube.list_nodes()
            seen = replace(seen, nodes={node.name: node for node in map(node_state, nodes)})
            version = await kube.get(VERSION)
            operators, pools = await asyncio.gather(kube.items(OPERATORS), _items(kube, POOLS))
    except KubernetesError as error:
        return replace(seen, api=error.message, stranger=not error.transient)
    return replace(seen, version=version, operators=operators, pools=pools)


async def _items(kube: Any, path: str) -> list[Document]:
    """While a cluster is being made, its later kinds are not there yet."""
    try:
        found: list[Document] = await kube.items(path)
    except KubernetesError as error:
        if error.transient:
            raise
        return []
    return found


def server_of(kubeconfig: str) -> tuple[str, int]:
    """Where the kubeconfig says that the API is: the installer writes `https://api.<domain>:6443`."""
    server = str(parsed_kubeconfig(kubeconfig)["clusters"][0]["cluster"]["server"])
    return split_endpoint(server.partition("://")[2].partition("/")[0], API)
