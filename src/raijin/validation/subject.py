"""Which cluster is looked at, and how it is reached: all that checks know of the definition, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from raijin.errors import PlanRefused
from raijin.facts.etcd import EtcdAccess, EtcdByCalls
from raijin.model.cluster import ClusterType
from raijin.network import container_network
from raijin.plan.model import Json
from raijin.platforms import platform_by, platform_of
from raijin.platforms.addresses import api_endpoint
from raijin.platforms.base import Context
from raijin.platforms.platform import Platform
from raijin.transport.document import Document


@dataclass(frozen=True, slots=True)
class Place:
    """A host that shall be a node. left_out: why nobody asks it, if nobody does (it is in quarantine)."""

    name: str
    control_plane: bool
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """version: of the definition, empty where it is not that of Kubernetes. endpoint: `host:port` of all API servers,
    empty when it is not known. kubeconfig: its path on control plane hosts. network: the workloads of the container
    network. domain: of its names. encrypted, audited: what the definition asks of the API servers. etcd: None where its
    hosts do not tell of it themselves. renew_below: days; with less a certificate is due.
    """

    cluster: str
    type: str
    version: str
    places: tuple[Place, ...]
    port: int
    kubeconfig: str
    endpoint: str = ""
    etcd: EtcdAccess | EtcdByCalls | None = None
    network: tuple[Document, ...] = ()
    renew_below: float = 90.0
    domain: str = "cluster.local"
    encrypted: bool = False
    audited: bool = False

    @property
    def platform(self) -> Platform:
        return platform_by(ClusterType(self.type))

    @property
    def control_planes(self) -> tuple[str, ...]:
        return tuple(place.name for place in self.places if place.control_plane and not place.left_out)

    def to_json(self) -> dict[str, Json]:
        return cast("dict[str, Json]", asdict(self))


def subject_of(context: Context, quarantined: Mapping[str, str] | None = None) -> Subject:
    """The cluster of a context. quarantined: hosts that are left alone, and why."""
    cluster, platform = context.cluster, platform_of(context.cluster)
    held, access = quarantined or {}, platform.etcd(cluster)
    try:
        endpoint = api_endpoint(context)
    except PlanRefused:
        endpoint = ""
    network = container_network(cluster)
    workloads = network.workloads(cluster) if network is not None and network.name not in platform.networks else ()
    return Subject(
        cluster=cluster.name,
        type=cluster.type.value,
        version=str(cluster.kubernetes_version) if cluster.type.of_kubernetes else "",
        places=tuple(Place(node.name, node.control_plane, held.get(node.name, "")) for node in context.nodes),
        port=cluster.kubernetes.api_server_port,
        kubeconfig=platform.kubeconfig,
        endpoint=endpoint,
        etcd=access,
        network=tuple(workloads),
        renew_below=cluster.policy.renewal_days,
        domain=cluster.network.dns_domain,
        encrypted=cluster.kubernetes.encryption is not None,
        audited=cluster.kubernetes.audit is not None,
    )


def subject_from(data: Mapping[str, Any]) -> Subject:
    """What `to_json` made."""
    access = data["etcd"]
    known = {
        **data,
        "places": tuple(Place(**place) for place in data["places"]),
        "etcd": (EtcdAccess if "endpoint" in access else EtcdByCalls)(**access) if access else None,
        "network": tuple(data["network"]),
    }
    return Subject(**known)
