"""cilium-config: the flags of agent and operator. Only what differs from their own defaults (Documentation/cmdref)."""

from __future__ import annotations

from collections.abc import Iterable

from raijin.model.cluster import Cluster
from raijin.model.cni import Cilium, Encryption, Routing
from raijin.network.cilium.names import CONFIG_MAP, NAMESPACE, SECRETS
from raijin.network.cni import Document, Live, Wanted

HUBBLE_PORT = 4244
TLS_FOLDER = "/var/lib/cilium/tls/hubble"

# As the chart sets them; the flags' own defaults are those of a kvstore, of older datapaths, of a program on a host.
_BASE = {
    "identity-allocation-mode": "crd",
    "ipam": "kubernetes",
    "bpf-root": "/sys/fs/bpf",
    "cgroup-root": "/run/cilium/cgroupv2",
    "procfs": "/host/proc",
    "cni-exclusive": "true",
    "write-cni-conf-when-ready": "/host/etc/cni/net.d/05-cilium.conflist",
    "preallocate-bpf-maps": "false",
    "monitor-aggregation": "medium",
    "monitor-aggregation-flags": "all",
    "enable-well-known-identities": "false",
    "dnsproxy-enable-transparent-mode": "true",
    "set-cilium-node-taints": "true",
    "operator-api-serve-addr": "127.0.0.1:9234",
    "enable-policy-secrets-sync": "true",
    "policy-secrets-only-from-secrets-namespace": "true",
    "policy-secrets-namespace": SECRETS,
    "debug": "false",
}


def configuration(wanted: Wanted) -> dict[str, str]:
    """The content of cilium-config; what the definition adds wins."""
    cni = wanted.cluster.network.cni
    settings = {
        **_BASE,
        **identity(wanted.cluster),
        **_families(wanted),
        **_routing(wanted, cni.cilium),
        "kube-proxy-replacement": _word(cni.cilium.kube_proxy_replacement),
        "enable-l7-proxy": _word(cni.cilium.l7_proxy),
        **({"enable-wireguard": "true"} if cni.cilium.encryption is Encryption.WIREGUARD else {}),
        **({"mtu": str(cni.cilium.mtu)} if cni.cilium.mtu else {}),
        **_hubble(cni.cilium),
    }
    return settings | {key: _text(value) for key, value in cni.configuration.items()}


def identity(cluster: Cluster) -> dict[str, str]:
    """Who the cluster is to others: it stands in identities, so it does not change while the cluster lives."""
    return {"cluster-name": cluster.name, "cluster-id": str(cluster.network.cni.cilium.cluster_id)}


def identity_conflicts(wanted: Wanted, live: Live) -> Iterable[str]:
    running = (live.get(f"ConfigMap {NAMESPACE}/{CONFIG_MAP}") or {}).get("data", {})
    for key, want in identity(wanted.cluster).items():
        have = running.get(key, want)
        if have != want:
            yield f"Cilium runs with {key} {have}, and every pod is known by it: it cannot change to {want}"


def _families(wanted: Wanted) -> dict[str, str]:
    found = {}
    for version in (4, 6):
        there = wanted.pods_of(version) is not None
        found[f"enable-ipv{version}"] = _word(there)
        if there:
            found[f"k8s-require-ipv{version}-pod-cidr"] = "true"
    return found


def _routing(wanted: Wanted, cilium: Cilium) -> dict[str, str]:
    if cilium.routing is Routing.TUNNEL:
        return {"routing-mode": "tunnel", "tunnel-protocol": cilium.tunnel.value.lower()}
    return {
        "routing-mode": "native",
        **{f"ipv{network.version}-native-routing-cidr": str(network) for network in wanted.pods},
        # Nodes of one network are routed to directly; what lies behind a router is the router's to know.
        "auto-direct-node-routes": "true",
        "direct-routing-skip-unreachable": "true",
    }


def _hubble(cilium: Cilium) -> dict[str, str]:
    if not cilium.hubble.enabled:
        return {"enable-hubble": "false"}
    found = {"enable-hubble": "true", "hubble-socket-path": "/var/run/cilium/hubble.sock"}
    if cilium.hubble.relay:
        found |= {
            "hubble-listen-address": f":{HUBBLE_PORT}",
            "hubble-disable-tls": "false",
            "hubble-tls-cert-file": f"{TLS_FOLDER}/server.crt",
            "hubble-tls-key-file": f"{TLS_FOLDER}/server.key",
            "hubble-tls-client-ca-files": f"{TLS_FOLDER}/client-ca.crt",
        }
    return found


def document(wanted: Wanted) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": CONFIG_MAP, "namespace": NAMESPACE},
        "data": configuration(wanted),
    }


def _word(value: bool) -> str:
    return "true" if value else "false"


def _text(value: object) -> str:
    """Values of a ConfigMap are text; a YAML `true` means the flag's."""
    return _word(value) if isinstance(value, bool) else str(value)
