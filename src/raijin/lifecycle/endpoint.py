"""The one address of the API servers: who carries it, and what runs there."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import replace

import yaml

from raijin.facts.base import known
from raijin.facts.network import Network
from raijin.model.virtual_ip import VipMode, VipProvider, VirtualIp
from raijin.network import kube_vip
from raijin.network.keepalived import Balancer, Carrier, Service
from raijin.operations.address import AddressFree
from raijin.operations.base import Operation
from raijin.operations.claim import Claim
from raijin.operations.directory import Directory
from raijin.operations.file import File
from raijin.operations.program import Program
from raijin.operations.wait import Wait
from raijin.plan.draft import Draft
from raijin.plan.model import Disruption
from raijin.platforms import platform_of
from raijin.platforms.addresses import joined, known_address, node_address, virtual_port
from raijin.platforms.base import Action, Context, Node, Work

_NO_NETWORK = Network((), "", "")


def serve_endpoint(context: Context) -> Iterable[Draft]:
    """haproxy and keepalived stand before there is a cluster; kube-vip comes with each control plane host."""
    vip = context.cluster.network.virtual_ip
    if vip is None or platform_of(context.cluster).own_address:
        return
    before = vip.provider is VipProvider.KEEPALIVED
    turn: tuple[str, ...] = ()
    # Members first: who joins comes by the address.
    for node in sorted(carriers(context), key=lambda node: not node.joined):
        if node.facts is None:
            continue
        stages = ("prepare", "first-boot") if before else ("start", "join")
        needs = tuple(f"{stage}/{node.name}" for stage in stages)
        if context.started:  # where the address is in use, one carrier after the other is changed
            needs, turn = (*needs, *turn), (f"endpoint/{node.name}",)
        yield Draft(
            "endpoint",
            node.name,
            "serve the address of the API",
            _balanced(context, vip, node, starting=not context.started) if before else _static_pod(context, vip, node),
            needs=needs,
            disruption=Disruption.NONE,
            timeout=900,
            estimate=10,
        )


def with_address(context: Context, start: Action) -> Action:
    """The start of a cluster whose own API has to be reached by the address that kube-vip will carry.

    Until the first start has ended, only the kubeconfig of the platform's emergency administrator has rights; from then
    on kube-vip uses the common one.
    """
    vip, platform = context.cluster.network.virtual_ip, platform_of(context.cluster)
    if vip is None or not kube_vip.serves(vip) or not platform.bootstrap_kubeconfig or isinstance(start, Work):
        return start
    first = context.first
    operations: tuple[Operation, ...] = (
        _free(context, vip),
        Directory(platform.static_pods, mode="755"),
        _manifest(context, vip, first, platform.bootstrap_kubeconfig),
        *start.operations,
        _manifest(context, vip, first, platform.kubeconfig),
        Wait(
            "the API answers under its address",
            address=str(vip.address),
            port=virtual_port(context),
            timeout=120,
        ),
    )
    return replace(start, operations=operations)


def carriers(context: Context) -> tuple[Node, ...]:
    """The hosts that may carry the virtual address."""
    vip = context.cluster.network.virtual_ip
    if vip is None:
        return ()
    if vip.provider is VipProvider.KEEPALIVED and context.beside:
        return context.beside
    return context.control_planes


def reasons(context: Context) -> Iterable[str]:
    """What stands against serving the address, judged from what was seen."""
    vip = context.cluster.network.virtual_ip
    if vip is None or vip.mode is VipMode.BGP or platform_of(context.cluster).own_address:
        return
    for node in carriers(context):
        if node.facts is not None and _carrier(vip, node) is None:
            where = f"its interface {vip.interface}" if vip.interface else "its networks"
            yield (
                f"{node.name}: {where} cannot carry the virtual address {vip.address}; choose an address of the "
                "network of these hosts, or name the interface in network.virtualIp.interface"
            )


def without_bootstrap(context: Context) -> Iterable[Draft]:
    """When the control plane stands, what only the first start needed is no longer behind the address."""
    vip = context.cluster.network.virtual_ip
    if context.started or not context.bootstrap or vip is None or vip.provider is not VipProvider.KEEPALIVED:
        return
    for node in carriers(context):
        if node.facts is not None:
            yield Draft(
                "unbalance",
                node.name,
                "take the bootstrap machine out of the load balancer",
                _balanced(context, vip, node, starting=False),
                needs=(f"start/{context.first.name}", f"endpoint/{node.name}"),
                timeout=300,
                estimate=2,
                forced=True,
            )


def ports(context: Context) -> dict[int, str]:
    """The TCP ports that a host beside the cluster listens on."""
    balanced = platform_of(context.cluster).balanced(context, starting=False)
    return {virtual_port(context): "haproxy", **{one.port: f"haproxy ({one.name})" for one in balanced}}


def _balanced(context: Context, vip: VirtualIp, node: Node, *, starting: bool) -> Program:
    own = _carrier(vip, node)
    all_of_them = [_carrier(vip, other) or _unseen(other) for other in carriers(context)]
    port, platform = context.cluster.kubernetes.api_server_port, platform_of(context.cluster)
    servers = (*context.bootstrap, *context.control_planes) if starting else context.control_planes
    balancer = Balancer(
        cluster=context.cluster.name,
        address=str(vip.address),
        port=virtual_port(context),
        router_id=vip.router_id or (ipaddress.ip_address(str(vip.address)).packed[-1] or 1),
        carriers=all_of_them,
        servers=[(n.name, joined(known_address(n), port)) for n in servers if known_address(n)],
        services=[
            Service(one.name, one.port, one.servers, sticky=one.sticky)
            for one in platform.balanced(context, starting=starting)
        ],
    )
    operations = (Claim(context.cluster.name), _free(context, vip), *balancer.operations(own or _unseen(node)))
    return Program("serve the address of the API", context.cluster.name, operations)


def _static_pod(context: Context, vip: VirtualIp, node: Node) -> Program:
    platform = platform_of(context.cluster)
    operations: tuple[Operation, ...] = (
        _free(context, vip),
        Directory(platform.static_pods, mode="755"),
        _manifest(context, vip, node, platform.kubeconfig),
    )
    return Program("serve the address of the API", context.cluster.name, operations)


def _manifest(context: Context, vip: VirtualIp, node: Node, kubeconfig: str) -> File:
    platform, carrier = platform_of(context.cluster), _carrier(vip, node)
    document = kube_vip.pod(
        vip,
        tag=context.tags[kube_vip.IMAGE],
        interface=carrier.interface if carrier else str(vip.interface or ""),
        api_port=context.cluster.kubernetes.api_server_port,
        kubeconfig=kubeconfig,
        router_id=node_address(node),
    )
    return File(f"{platform.static_pods}/{kube_vip.MANIFEST}", yaml.safe_dump(document, sort_keys=False), mode="600")


def _free(context: Context, vip: VirtualIp) -> AddressFree:
    macs = sorted({node.facts.mac for node in carriers(context) if node.facts is not None and node.facts.mac})
    return AddressFree(str(vip.address), tuple(macs))


def _carrier(vip: VirtualIp, node: Node) -> Carrier | None:
    """The interface of a host that can carry the address: the named one, else the one whose network holds it."""
    network = known(node.facts.facts.network, _NO_NETWORK) if node.facts else _NO_NETWORK
    address = ipaddress.ip_address(str(vip.address))
    for interface in network.interfaces:
        if vip.interface not in {None, interface.name}:
            continue
        for text in interface.addresses:
            own = ipaddress.ip_interface(text)
            if own.version == address.version and address in own.network and own.ip != address:
                return Carrier(node.name, node_address(node), interface.name, own.network.prefixlen)
        if vip.mode is VipMode.BGP and interface.name == network.default_interface:
            return Carrier(node.name, node_address(node), interface.name, address.max_prefixlen)
    return None


def _unseen(node: Node) -> Carrier:
    """A host that cannot be asked now: the others still name it as their peer."""
    return Carrier(node.name, known_address(node), "", 0)
