"""What container networks leave on a host: folders that they fill, interfaces, routes, rules of the packet filter.

Pods take their own interfaces with them. eBPF programs of Calico's eBPF data plane and of Cilium stay attached until
the host is restarted; a plan that takes such a host out says so (lifecycle/network.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from raijin.operations.base import Operation
from raijin.operations.chains import ChainsAbsent
from raijin.operations.command import Command
from raijin.operations.link import LinkAbsent
from raijin.operations.routes import RoutesAbsent

FOLDERS = (
    "/var/lib/cni",
    "/etc/cni/net.d",
    "/opt/cni/bin",
    "/run/flannel",
    "/run/calico",
    "/run/nodeagent",
    "/var/lib/calico",
    "/var/log/calico",
    "/run/cilium",
)
_LINKS = (
    "cni0",
    "flannel.1",
    "flannel-v6.1",
    "flannel-wg",
    "flannel-wg-v6",
    "flannel.ipip",
    "flannel0",
    "vxlan.calico",
    "vxlan-v6.calico",
    "wireguard.cali",
    "wg-v6.cali",
    "bpfin.cali",
    "cilium_host",
    "cilium_vxlan",
    "cilium_geneve",
    "cilium_wg0",
    "kube-ipvs0",
)
"""The other end of a pair (bpfout.cali, cilium_net) goes with the one that is named."""
_CHAINS = ("KUBE-", "FLANNEL-", "CNI-", "cali-", "CILIUM_", "OLD_CILIUM_")
_ROUTE_MAKERS = ("80",)
"""The protocol number of Felix's routes (its dataplanedefs.DefaultRouteProto), among them the holes for its blocks."""
_NETNS = "ls /run/netns/cni-* >/dev/null 2>&1"
_NO_NETNS = 'for n in /run/netns/cni-*; do umount "$n" 2>/dev/null; rm -f -- "$n" || exit 1; done'
END_NETWORKS = Command("remove the networks of the pods", ("sh", "-c", _NO_NETNS), unless=("sh", "-c", f"! {_NETNS}"))
"""The network namespaces of pods are mounts that outlive their processes."""
_IPSETS = "ipset list -n 2>/dev/null | grep -E '^(KUBE-|cali)'"
_NO_IPSETS = f'for s in $({_IPSETS}); do ipset destroy "$s" || exit 1; done'
END_SETS = Command("remove the sets of addresses", ("sh", "-c", _NO_IPSETS), unless=("sh", "-c", f"! {_IPSETS}"))
"""Of kube-proxy, Calico and controllers of network policies."""


def networks_gone(pod_networks: Iterable[object], *, links: Iterable[str] = ()) -> Iterator[Operation]:
    """What takes it all away but the folders, once no container runs. links: more of them than any network makes."""
    yield END_NETWORKS
    yield from (LinkAbsent(name) for name in (*_LINKS, *links))
    yield RoutesAbsent(_ROUTE_MAKERS, tuple(map(str, pod_networks)))
    yield ChainsAbsent(_CHAINS)
    yield END_SETS  # after the rules that name them
