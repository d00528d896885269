"""install-config.yaml, built as data: what `openshift-install` is told of a cluster on machines of one's own.

Source: pkg/types of openshift/installer v1.5.0-alpha.2 (the fields), its docs/user/metal/install_upi.md (`platform:
none`, compute without replicas of its own), and OKD's page of the same installation.
"""

from __future__ import annotations

from typing import Any

from raijin.model.cluster import Cluster, NodeRole
from raijin.platforms.okd.settings import Settings, hosts_of_role, settings_of

Document = dict[str, Any]
PULL_SECRET = "(kept) pull secret"  # noqa: S105
"""The word in its place, as long as the document stands in a plan."""
HOST_PREFIX = 23
"""What the installer takes for an IPv4 pod network; 64 for IPv6."""


def install_config(cluster: Cluster) -> Document:
    settings = settings_of(cluster)
    document: Document = {
        "apiVersion": "v1",
        "metadata": {"name": cluster.name},
        "baseDomain": settings.base_domain.rstrip("."),
        "platform": {"none": {}},
        "controlPlane": {
            "name": "master",
            "replicas": len(hosts_of_role(cluster, NodeRole.CONTROL_PLANE)),
            "architecture": "amd64",
        },
        # Nobody makes machines here: workers join by themselves, and the installer counts none.
        "compute": [{"name": "worker", "replicas": 0, "architecture": "amd64"}],
        "networking": _networking(cluster, settings),
        "pullSecret": PULL_SECRET,
    }
    return document | _optional(settings)


def _networking(cluster: Cluster, settings: Settings) -> Document:
    network = cluster.network
    written = "node_cidr_mask_size" in network.model_fields_set
    prefix = {4: network.node_cidr_mask_size if written else HOST_PREFIX, 6: 64}
    return {
        "networkType": "OVNKubernetes",
        "clusterNetwork": [{"cidr": str(net), "hostPrefix": prefix[net.version]} for net in network.pod_networks],
        "serviceNetwork": [str(net) for net in network.service_networks],
        "machineNetwork": [{"cidr": str(net)} for net in settings.machine_networks],
    }


def _optional(settings: Settings) -> Document:
    found: Document = {}
    if settings.ssh_key:
        found["sshKey"] = settings.ssh_key
    if settings.additional_trust_bundle:
        found["additionalTrustBundle"] = settings.additional_trust_bundle
        found["additionalTrustBundlePolicy"] = settings.additional_trust_bundle_policy
    if settings.image_digest_sources:
        found["imageDigestSources"] = [
            {"source": item.source, "mirrors": list(item.mirrors)} for item in settings.image_digest_sources
        ]
    if settings.proxy is not None:
        words = {"httpProxy": settings.proxy.http_proxy, "httpsProxy": settings.proxy.https_proxy}
        words["noProxy"] = settings.proxy.no_proxy
        found["proxy"] = {name: str(value) for name, value in words.items() if value}
    return found


def masters_schedulable(cluster: Cluster) -> bool:
    """With no replicas of compute the installer says yes by itself; with workers it has to be said no."""
    chosen = settings_of(cluster).masters_schedulable
    workers = any(hosts_of_role(cluster, role) for role in (NodeRole.WORKER, NodeRole.INFRA, NodeRole.STORAGE))
    return chosen if chosen is not None else not workers


def manifests(cluster: Cluster) -> dict[str, Document]:
    """Further documents of the first start, by their file in `openshift/` of the installer's folder."""
    return {
        f"99_raijin_{index:02}_{str(document['kind']).lower()}.yaml": dict(document)
        for index, document in enumerate(settings_of(cluster).manifests)
    }
