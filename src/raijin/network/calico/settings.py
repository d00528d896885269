"""Calico's own resources that follow from the definition: address pools, Felix, BGP. After its API, v3 of v3.32."""

from __future__ import annotations

from collections.abc import Iterable

from raijin.model.cidr import IpNetwork
from raijin.model.cni import Calico, Dataplane, Encapsulation, Encryption
from raijin.network import documents as data
from raijin.network.calico.definitions import API
from raijin.network.cni import Document, Live, Wanted
from raijin.transport.document import describe

POOLS = {4: "default-ipv4-ippool", 6: "default-ipv6-ippool"}
"""The names that calico-node itself would give, by IP version."""
IPV6_BLOCK = 122
_NEVER, _ALWAYS, _CROSS = "Never", "Always", "CrossSubnet"


def resources(wanted: Wanted) -> list[Document]:
    """All of them, for a cluster whose pods Calico connects."""
    calico = wanted.cluster.network.cni.calico
    agents = resource("FelixConfiguration", "default", felix(wanted))
    return [*pools(wanted, calico), agents, *(_bgp(calico) if speaks_bgp(calico) else ())]


def pools(wanted: Wanted, calico: Calico) -> list[Document]:
    return [_pool(network, calico) for network in wanted.pods]


def speaks_bgp(calico: Calico) -> bool:
    return calico.encapsulation is not Encapsulation.VXLAN


def felix(wanted: Wanted) -> Document:
    """What the agent on each node does beside its defaults; the definition's own settings over it."""
    cni = wanted.cluster.network.cni
    calico, spec = cni.calico, common(wanted)
    if calico.dataplane is Dataplane.EBPF:
        spec["bpfEnabled"] = True
    if calico.dataplane is Dataplane.NFTABLES:
        spec["nftablesMode"] = "Enabled"
    if calico.encryption is Encryption.WIREGUARD:
        spec |= {"wireguardEnabled": True} if wanted.pods_of(4) else {}
        spec |= {"wireguardEnabledV6": True} if wanted.pods_of(6) else {}
    return data.merged(spec, cni.configuration)


def common(wanted: Wanted) -> Document:
    """What the manifests give Felix as variables; as a resource the definition can say otherwise."""
    return {
        "defaultEndpointToHostAction": "Accept",
        "healthEnabled": True,
        "ipv6Support": wanted.pods_of(6) is not None,
    }


def pool_conflicts(wanted: Wanted, live: Live) -> Iterable[str]:
    """Addresses and blocks of a pool are fixed: pods bear them (IPPoolSpec says so of `cidr` and `blockSize`)."""
    for pool in pools(wanted, wanted.cluster.network.cni.calico):
        running = (live.get(describe(pool)) or {}).get("spec", {})
        for field in ("cidr", "blockSize"):
            have, want = running.get(field), pool["spec"][field]
            if have is not None and have != want:
                name = pool["metadata"]["name"]
                yield f"its address pool {name} has {field} {have}, and a pool in use cannot change to {want}"


def _pool(network: IpNetwork, calico: Calico) -> Document:
    way = _CROSS if calico.cross_subnet else _ALWAYS
    vxlan, ipip = calico.encapsulation is Encapsulation.VXLAN, calico.encapsulation is Encapsulation.IPIP
    spec = {
        "cidr": str(network),
        "blockSize": calico.block_size if network.version == 4 else IPV6_BLOCK,
        "vxlanMode": way if vxlan else _NEVER,
        "ipipMode": way if ipip and network.version == 4 else _NEVER,
        "natOutgoing": calico.nat_outgoing,
        "nodeSelector": "all()",
    }
    return resource("IPPool", POOLS[network.version], spec)


def _bgp(calico: Calico) -> Iterable[Document]:
    spec = {"asNumber": calico.bgp.asn, "nodeToNodeMeshEnabled": calico.bgp.node_mesh}
    yield resource("BGPConfiguration", "default", spec)
    for peer in calico.bgp.peers:
        name = f"peer-{str(peer.address).replace('.', '-').replace(':', '-').strip('-')}"
        yield resource("BGPPeer", name, {"peerIP": str(peer.address), "asNumber": peer.asn})


def resource(kind: str, name: str, spec: Document) -> Document:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name}, "spec": spec}
