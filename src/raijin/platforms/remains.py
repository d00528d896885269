"""What container networks leave on a host: folders that they fill, interfaces, routes, rules of the packet filter.

Pods take their own interfaces with them. eBPF programs of Calico's eBPF data plane and of Cilium stay attached until
the host is restarted; a plan that takes such a host out says so (lifecycle/network.py).
"""

from __future__ import annotations

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
LINKS = (
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
)
"""The other end of a pair (bpfout.cali, cilium_net) goes with the one that is named."""
CHAINS = ("KUBE-", "FLANNEL-", "CNI-", "cali-", "CILIUM_", "OLD_CILIUM_")
ROUTE_MAKERS = ("80",)
"""The protocol number of Felix's routes (its dataplanedefs.DefaultRouteProto), among them the holes for its blocks."""
