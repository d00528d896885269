"""Calico as a container network: addresses, routes or tunnels, and policies, from one project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from raijin.artifacts.needs import Choice
from raijin.model.cluster import Cluster
from raijin.model.cni import Calico, CniName, Dataplane, Encapsulation, Encryption
from raijin.network import documents as data
from raijin.network.calico import images as programs
from raijin.network.calico.controllers import TYPHA_NAME, TYPHA_PORT, controllers, typha
from raijin.network.calico.definitions import definitions
from raijin.network.calico.node import (
    HEALTH_PORT,
    VOLUMES,
    agent,
    api,
    chain_of,
    daemon_set,
    installer,
    mounts_bpf,
)
from raijin.network.calico.rights import CONTROLLERS, NAMESPACE, NODE, rights
from raijin.network.calico.settings import pool_conflicts, resources, speaks_bgp
from raijin.network.cni import ContainerNetwork, Document, Live, Part, Wanted

BGP_PORT = 179
WIREGUARD_KERNEL = (5, 6)
EBPF_KERNEL = (5, 10)
"""What the eBPF data plane asks for (docs.tigera.io, "Install in eBPF mode", v3.32)."""
_HOST_LOCAL = data.host_path("host-local-net-dir", "/var/lib/cni/networks")


class CalicoNetwork(ContainerNetwork):
    """Calico by its plain manifests, without the operator: what runs is what stands here, and a plan can show it."""

    name = CniName.CALICO
    main_image = programs.MAIN_IMAGE

    def refused(self, cluster: Cluster) -> Iterable[Part]:
        for index, peer in enumerate(cluster.network.cni.calico.bgp.peers):
            if peer.password is not None:
                path = f"network.cni.calico.bgp.peers[{index}].password"
                yield path, "passwords of BGP sessions are not set yet: they would stand in the plan"

    def images(self, cluster: Cluster, choice: Choice) -> tuple[str, ...]:
        names = [programs.PLUGIN, programs.NODE, programs.CONTROLLERS]
        return programs.images(choice, *names, *([programs.TYPHA] if cluster.network.cni.calico.typha else []))

    def documents(self, wanted: Wanted) -> list[Document]:
        calico = wanted.cluster.network.cni.calico
        return [
            *definitions(),
            *resources(wanted),
            *rights(NODE, addresses=True),
            *(typha(wanted, calico.typha) if calico.typha else ()),
            _node(wanted, calico),
            *controllers(wanted),
        ]

    def workloads(self, cluster: Cluster) -> tuple[Document, ...]:
        deployments = [CONTROLLERS, *([TYPHA_NAME] if cluster.network.cni.calico.typha else [])]
        kinds = [("DaemonSet", NODE), *(("Deployment", name) for name in deployments)]
        return tuple(
            {"apiVersion": "apps/v1", "kind": kind, "metadata": data.metadata(name, NAMESPACE)} for kind, name in kinds
        )

    def least_kernel(self, cluster: Cluster) -> tuple[int, int]:
        calico = cluster.network.cni.calico
        if calico.dataplane is Dataplane.EBPF:
            return EBPF_KERNEL
        return WIREGUARD_KERNEL if calico.encryption is Encryption.WIREGUARD else (0, 0)

    def ports(self, wanted: Wanted) -> Mapping[int, str]:
        calico = wanted.cluster.network.cni.calico
        return {
            HEALTH_PORT: "Calico",
            **({BGP_PORT: "BGP"} if speaks_bgp(calico) else {}),
            **({TYPHA_PORT: "Typha"} if calico.typha else {}),
        }

    def conflicts(self, wanted: Wanted, live: Live) -> Iterable[str]:
        yield from version_conflicts(wanted)
        yield from pool_conflicts(wanted, live)

    def lingers(self, cluster: Cluster) -> str:
        calico = cluster.network.cni.calico
        if calico.dataplane is Dataplane.EBPF:
            return "eBPF programs"
        return "the interface tunl0" if calico.encapsulation is Encapsulation.IPIP else ""


CALICO = CalicoNetwork()


def version_conflicts(wanted: Wanted) -> Iterable[str]:
    """What the version that was chosen cannot do."""
    version, calico = programs.version(wanted), wanted.cluster.network.cni.calico
    if version < programs.OLDEST:
        yield f"Calico {version} is older than {programs.OLDEST}, the oldest that Raijin knows how to run"
    elif calico.dataplane is Dataplane.NFTABLES and version < programs.FIRST_WITH_NFTABLES:
        yield f"Calico {version} has no nftables data plane: {programs.FIRST_WITH_NFTABLES} and later have"


def _node(wanted: Wanted, calico: Calico) -> Document:
    four, six = wanted.pods_of(4), wanted.pods_of(6)
    bird = speaks_bgp(calico)
    addresses: Document = {"type": "calico-ipam"}
    if six:
        addresses |= {"assign_ipv4": "true" if four else "false", "assign_ipv6": "true"}
    environment = {
        "CALICO_NETWORKING_BACKEND": "bird" if bird else "vxlan",
        "CLUSTER_TYPE": "k8s,bgp" if bird else "k8s",
        **_own_address("IP", wanted=four is not None),
        **(_own_address("IP6", wanted=True) if six else {}),
        # BIRD takes its id from the IPv4 address, if there is one.
        **({"CALICO_ROUTER_ID": "hash"} if bird and not four else {}),
        "NO_DEFAULT_POOLS": "true",
        **_mtus(calico.mtu or 0),
        **({"FELIX_TYPHAK8SSERVICENAME": TYPHA_NAME} if calico.typha else {}),
    }
    init = [
        _upgrades_addresses(wanted, "bird" if bird else "vxlan"),
        installer(wanted, "10-calico.conflist", chain_of(addresses, calico.mtu or 0)),
        mounts_bpf(wanted),
    ]
    container = agent(wanted, data.values(environment), bird=bird)
    return daemon_set(NODE, init, [container], [*VOLUMES, _HOST_LOCAL])


def _own_address(variable: str, *, wanted: bool) -> dict[str, str]:
    """The address of a node is the one that Kubernetes knows it by, not the first that is found on it."""
    if not wanted:
        return {variable: "none"}
    return {variable: "autodetect", f"{variable}_AUTODETECTION_METHOD": "kubernetes-internal-ip"}


def _mtus(mtu: int) -> dict[str, str]:
    """0: found by Felix, from what the host's interface lets through and what is put around packets."""
    names = ("FELIX_IPINIPMTU", "FELIX_VXLANMTU", "FELIX_VXLANMTUV6", "FELIX_WIREGUARDMTU", "FELIX_WIREGUARDMTUV6")
    return dict.fromkeys(names, str(mtu))


def _upgrades_addresses(wanted: Wanted, backend: str) -> Document:
    """Takes over addresses that host-local has given, where pods were there before Calico was."""
    return {
        "name": "upgrade-ipam",
        "image": programs.image(wanted, programs.PLUGIN),
        "imagePullPolicy": "IfNotPresent",
        "command": ["/opt/cni/bin/calico-ipam", "-upgrade"],
        "env": [
            data.from_field("KUBERNETES_NODE_NAME", "spec.nodeName"),
            *data.values({"CALICO_NETWORKING_BACKEND": backend}),
            *api(wanted),
        ],
        "volumeMounts": [
            data.mount("host-local-net-dir", "/var/lib/cni/networks"),
            data.mount("cni-bin-dir", "/host/opt/cni/bin"),
        ],
        "securityContext": {"privileged": True},
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
