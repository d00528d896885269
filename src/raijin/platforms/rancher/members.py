"""Starting a cluster and joining it: programs that are safe to run again after they were interrupted.

The program itself goes on from what is on its disk. `cluster-init` and `server` stand in a file that is there only
while the host becomes a member; afterwards a guard takes their place, so that no second cluster can begin here.
"""

from __future__ import annotations

from raijin.model.virtual_ip import VipProvider
from raijin.operations.absent import Absent
from raijin.operations.base import Operation, SecretRef
from raijin.operations.command import Command
from raijin.operations.directory import Directory
from raijin.operations.file import File
from raijin.operations.program import Program
from raijin.operations.restart import Restart
from raijin.operations.staticpod import StaticPod
from raijin.operations.unit import Unit
from raijin.operations.wait import Wait
from raijin.platforms.addresses import node_address
from raijin.platforms.base import Context, Node
from raijin.platforms.decided import fixed
from raijin.platforms.rancher.config import at, guard, to_yaml
from raijin.platforms.rancher.layout import KUBELET_HEALTH_PORT, SOCKET, Distribution


def token_secret(cluster: str) -> str:
    """The name under which the password of a cluster's servers is kept."""
    return f"cluster/{cluster}/token"


def agent_token_secret(cluster: str) -> str:
    """The same of its agents."""
    return f"cluster/{cluster}/agent-token"


def join_secret(cluster: str, host: str) -> str:
    """The name under which a host's token is kept until it has joined."""
    return f"cluster/{cluster}/join/{host}"


def start(context: Context, distribution: Distribution, unit: Unit, *, etcd: bool) -> Program:
    """The first server. etcd: with the database that others can join; else SQLite, or one outside."""
    cluster = context.cluster
    operations: tuple[Operation, ...] = (
        *_tokens(context, distribution, SecretRef(token_secret(cluster.name))),
        Absent(distribution.guard_file),
        *_starting(distribution, {"cluster-init": True} if etcd and not distribution.supervisor_port else {}),
        unit,
        *answers(distribution, server=True),
        Command("note: the cluster is started", ("true",), marker=distribution.start_marker),
        *_address_again(context, distribution, context.first),
        *settled(context, distribution, etcd=etcd),
        *fixed(context),
    )
    return Program("start the cluster", cluster.name, operations)


def join(context: Context, distribution: Distribution, node: Node, unit: Unit, *, etcd: bool) -> Program:
    """A further server, or an agent. An outside database is all that a server needs to join the others."""
    cluster = context.cluster
    port = distribution.port(cluster.kubernetes.api_server_port)
    door = context.first
    own: tuple[Operation, ...] = (
        Directory(distribution.drop_ins),
        File(distribution.token_file, SecretRef(join_secret(cluster.name, node.name)), mode="600"),
    )
    if node.control_plane:
        own = (
            *_tokens(context, distribution, SecretRef(join_secret(cluster.name, node.name))),
            Absent(distribution.guard_file),
            *_starting(distribution, {"server": at(door, port)} if etcd else {}),
        )
    reachable = Wait("the cluster answers", address=node_address(door), port=port, timeout=120)
    operations: tuple[Operation, ...] = (
        *own,
        reachable,
        unit,
        *answers(distribution, server=node.control_plane),
        Command("note: the host has joined", ("true",), marker=distribution.join_marker),
        *_address_again(context, distribution, node),
        *((*settled(context, distribution, etcd=etcd), *fixed(context)) if node.control_plane else ()),
    )
    return Program("join the cluster", cluster.name, operations)


def convert(context: Context, distribution: Distribution) -> Program:
    """The only server takes its SQLite over into etcd, so that others can join ("Existing single-node clusters").

    K3s does that when it starts with `cluster-init` and finds no etcd; the old database stays beside it.
    """
    operations: tuple[Operation, ...] = (
        Absent(distribution.guard_file),
        *_starting(distribution, {"cluster-init": True}),
        Restart(distribution.server_unit, timeout=distribution.start_seconds),
        Wait("the data is in etcd", path=distribution.etcd_member, timeout=300),
        *answers(distribution, server=True),
        *settled(context, distribution, etcd=True),
    )
    return Program("take the data over into etcd", context.cluster.name, operations)


def settled(context: Context, distribution: Distribution, *, etcd: bool) -> tuple[Operation, ...]:
    """What a server that is a member has in place of what it became one with."""
    if not etcd:
        return (Absent(distribution.starting_file),)
    text = to_yaml(guard(distribution, context.cluster))
    return (Absent(distribution.starting_file), File(distribution.guard_file, text, mode="600"))


def answers(distribution: Distribution, *, server: bool) -> tuple[Operation, ...]:
    kubelet = Wait("the kubelet answers", port=KUBELET_HEALTH_PORT, timeout=300, after=True)
    if not server:
        return (kubelet,)
    ready = (*distribution.kubectl, "--kubeconfig", distribution.kubeconfig, "get", "--raw", "/readyz")
    return (Wait("the API answers", ready, timeout=300, after=True), kubelet)


def address(context: Context, distribution: Distribution, node: Node) -> tuple[Operation, ...]:
    """kube-vip reads the administrator's kubeconfig at its start, and the program writes that anew at each of its own.

    Without it kube-vip would go on with a certificate that ends, and the address with it.
    """
    vip = context.cluster.network.virtual_ip
    if vip is None or vip.provider is not VipProvider.KUBE_VIP or not node.control_plane:
        return ()
    return (StaticPod("kube-vip", SOCKET, (distribution.kubeconfig,), crictl=distribution.crictl),)


def _address_again(context: Context, distribution: Distribution, node: Node) -> tuple[Operation, ...]:
    """For a host that was a server before: its kube-vip may have gone on, with the kubeconfig of that time."""
    there = node.facts is not None and distribution.address_pod in node.facts.files
    return address(context, distribution, node) if there else ()


def _tokens(context: Context, distribution: Distribution, own: SecretRef) -> tuple[Operation, ...]:
    return (
        Directory(distribution.drop_ins),
        File(distribution.token_file, own, mode="600"),
        File(distribution.agent_token_file, SecretRef(agent_token_secret(context.cluster.name)), mode="600"),
    )


def _starting(distribution: Distribution, options: dict[str, object]) -> tuple[Operation, ...]:
    if not options:
        return ()
    return (File(distribution.starting_file, to_yaml(options), mode="600"),)
