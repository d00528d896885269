"""kube-vip as a static pod: the control plane hosts elect one of them by a lease, and that one carries the address.

After `kube-vip manifest pod --controlplane` of v1.2 (pkg/kubevip/config_generator.go, Apache-2.0), written as data.
"""

from __future__ import annotations

from typing import Any

from raijin.artifacts.needs import Choice
from raijin.model.virtual_ip import VipMode, VipProvider, VirtualIp

Document = dict[str, Any]
IMAGE = "ghcr.io/kube-vip/kube-vip"
# Newest seen at 2026-08: the tag in its repository.
VERSION = "v1.2.3"
MANIFEST = "kube-vip.yaml"
KUBECONFIG = "/etc/kubernetes/admin.conf"
"""Where kube-vip looks for its kubeconfig inside the pod."""
# Seconds. The lease of a dead holder is taken over one retry after `duration` at the latest. A holder that cannot renew
# it for `deadline` gives the address up: with 2 it did so, in the lab, whenever an etcd on a busy disk was slow.
LEASE = {"vip_leaseduration": "4", "vip_renewdeadline": "3", "vip_retryperiod": "1"}


def image(choice: Choice) -> str:
    return f"{IMAGE}:{choice.tag(IMAGE, VERSION)}"


def serves(vip: VirtualIp | None) -> bool:
    return vip is not None and vip.provider is VipProvider.KUBE_VIP


def pod(vip: VirtualIp, *, tag: str, interface: str, api_port: int, kubeconfig: str, router_id: str) -> Document:
    """The static pod of one host.

    interface: of that host. kubeconfig: its path on the host; it may name the virtual address, which kube-vip reads as
    this host itself (the alias below). router_id: an address of the host, for BGP.
    """
    arp = vip.mode is VipMode.ARP
    environment = {
        "vip_arp": _word(arp),
        "port": str(vip.port or api_port),
        "vip_interface": interface if arp else "lo",
        "vip_subnet": "128" if ":" in str(vip.address) else "32",
        "cp_enable": "true",
        "cp_namespace": "kube-system",
        "vip_leaderelection": _word(arp),
        "vip_leasename": "plndr-cp-lock",
        **LEASE,
        "address": str(vip.address),
        **({} if arp else _bgp(vip, router_id)),
    }
    node = {"name": "vip_nodename", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "kube-vip", "namespace": "kube-system"},
        "spec": {
            "containers": [
                {
                    "name": "kube-vip",
                    "image": f"{IMAGE}:{tag}",
                    "imagePullPolicy": "IfNotPresent",
                    "args": ["manager"],
                    "env": [*({"name": name, "value": value} for name, value in environment.items()), node],
                    "securityContext": {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"], "drop": ["ALL"]}},
                    "volumeMounts": [{"name": "kubeconfig", "mountPath": KUBECONFIG}],
                }
            ],
            "hostAliases": [{"hostnames": ["kubernetes"], "ip": "127.0.0.1"}],
            "hostNetwork": True,
            "priorityClassName": "system-node-critical",
            "volumes": [{"name": "kubeconfig", "hostPath": {"path": kubeconfig, "type": "File"}}],
        },
    }


def _word(value: bool) -> str:
    return "true" if value else "false"


def _bgp(vip: VirtualIp, router_id: str) -> dict[str, str]:
    """Every host announces the address; routers choose. Peers are `address:as:password:multihop` (config_bgp.go)."""
    if vip.bgp is None:
        return {}
    peers = [f"{_bracketed(str(peer.address))}:{peer.asn}::{_word(peer.multihop)}" for peer in vip.bgp.peers]
    return {
        "bgp_enable": "true",
        "bgp_routerid": router_id,
        "bgp_as": str(vip.bgp.asn),
        "bgp_peers": ",".join(peers),
    }


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
