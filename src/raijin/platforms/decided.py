"""What the first start decides for as long as a cluster lives, whatever distribution it is."""

from __future__ import annotations

from raijin.operations.base import Operation
from raijin.operations.fixed import Fixed
from raijin.platforms.base import Context


def fixed(context: Context) -> tuple[Operation, ...]:
    """For a control plane host to remember."""
    network, remedy = context.cluster.network, "write the old value back, or make a new cluster"
    return (
        Fixed("pod-network", network.pod_cidr, "the network of the pods", remedy),
        Fixed("service-network", network.service_cidr, "the network of the services", remedy),
        Fixed("dns-domain", network.dns_domain, "the DNS domain of the cluster", remedy),
    )
