"""Cilium as a container network: eBPF for pods, policies and, unless told otherwise, services."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from raijin.artifacts.needs import Choice
from raijin.model.cluster import Cluster
from raijin.model.cni import CniName
from raijin.network import documents as data
from raijin.network.certificates import Certificate
from raijin.network.cilium import agent, configuration, hubble, operator
from raijin.network.cilium.names import (
    AGENT,
    IMAGE,
    NAMESPACE,
    OLDEST,
    OPERATOR,
    OPERATOR_IMAGE,
    RELAY_IMAGE,
    VERSION,
)
from raijin.network.cilium.rights import rights
from raijin.network.cni import ContainerNetwork, Document, Live, Part, Wanted

KERNEL = (5, 10)
"""Documentation/operations/system_requirements.rst of v1.20."""
CLUSTER_HEALTH_PORT = 4240


class CiliumNetwork(ContainerNetwork):
    """The agent on every node and the operator; the kinds that Cilium keeps its data in, its operator defines."""

    name = CniName.CILIUM
    main_image = IMAGE

    def refused(self, cluster: Cluster) -> Iterable[Part]:
        for key, value in cluster.network.cni.configuration.items():
            if value is None or isinstance(value, (dict, list)):
                yield f"network.cni.configuration.{key}", "a setting of cilium-config is one word or number"

    def images(self, cluster: Cluster, choice: Choice) -> tuple[str, ...]:
        relay = [RELAY_IMAGE] if cluster.network.cni.cilium.hubble.relay else []
        tag = choice.tag(IMAGE, VERSION)
        return tuple(f"{image}:{tag}" for image in (IMAGE, OPERATOR_IMAGE, *relay))

    def documents(self, wanted: Wanted) -> list[Document]:
        settings = configuration.document(wanted)
        stamp = data.fingerprint(settings["data"])
        return [
            *rights(),
            settings,
            agent.daemon_set(wanted, stamp),
            operator.deployment(wanted, stamp),
            *(hubble.relay(wanted) if wanted.cluster.network.cni.cilium.hubble.relay else ()),
        ]

    def workloads(self, cluster: Cluster) -> tuple[Document, ...]:
        del cluster
        kinds = (("DaemonSet", AGENT), ("Deployment", OPERATOR))
        return tuple(
            {"apiVersion": "apps/v1", "kind": kind, "metadata": data.metadata(name, NAMESPACE)} for kind, name in kinds
        )

    def least_kernel(self, cluster: Cluster) -> tuple[int, int]:
        del cluster
        return KERNEL

    def ports(self, wanted: Wanted) -> Mapping[int, str]:
        relay = wanted.cluster.network.cni.cilium.hubble.relay
        own = [CLUSTER_HEALTH_PORT, agent.HEALTH_PORT, operator.HEALTH_PORT]
        return dict.fromkeys([*own, *([configuration.HUBBLE_PORT] if relay else [])], "Cilium")

    def conflicts(self, wanted: Wanted, live: Live) -> Iterable[str]:
        version = wanted.version(IMAGE)
        if version < OLDEST:
            yield f"Cilium {version} is older than {OLDEST}, the oldest that Raijin knows how to run"
        yield from configuration.identity_conflicts(wanted, live)

    def lingers(self, cluster: Cluster) -> str:
        del cluster
        return "eBPF programs"

    def certificates(self, cluster: Cluster) -> tuple[Certificate, ...]:
        return hubble.certificates(cluster)


CILIUM = CiliumNetwork()
