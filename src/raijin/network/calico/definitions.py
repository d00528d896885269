"""The kinds that Calico keeps its data in (group crd.projectcalico.org), as of v3.32.

Their schemas are open: the API server takes any field, and does not say so when one is misspelt. calicoctl checks what
people write before it sends it, and Calico's programs check what they read. The defaults of the real schemas are here,
because Calico counts on them.
"""

from __future__ import annotations

from typing import Any

from raijin.network.cni import Document
from raijin.transport.document import plural_of

GROUP = "crd.projectcalico.org"
API = f"{GROUP}/v1"
_GLOBAL = (
    "BGPConfiguration",
    "BGPFilter",
    "BGPPeer",
    "BlockAffinity",
    "CalicoNodeStatus",
    "ClusterInformation",
    "FelixConfiguration",
    "GlobalNetworkPolicy",
    "GlobalNetworkSet",
    "HostEndpoint",
    "IPAMBlock",
    "IPAMConfig",
    "IPAMHandle",
    "IPPool",
    "IPReservation",
    "KubeControllersConfiguration",
    "StagedGlobalNetworkPolicy",
    "Tier",
)
_NAMESPACED = (
    "NetworkPolicy",
    "NetworkSet",
    "StagedKubernetesNetworkPolicy",
    "StagedNetworkPolicy",
)
_WITH_STATUS = ("KubeControllersConfiguration",)
# Of `spec`, in the schemas of v3.32.1.
_DEFAULTS: dict[str, dict[str, str]] = {
    "BGPConfiguration": {"logSeverityScreen": "Info", "serviceLoadBalancerAggregation": "Enabled"},
    "FelixConfiguration": {"nftablesMode": "Auto"},
    "GlobalNetworkPolicy": {"tier": "default"},
    "IPPool": {"assignmentMode": "Automatic"},
    "KubeControllersConfiguration": {"healthChecks": "Enabled"},
    "NetworkPolicy": {"tier": "default"},
    "StagedGlobalNetworkPolicy": {"stagedAction": "Set", "tier": "default"},
    "StagedKubernetesNetworkPolicy": {"stagedAction": "Set"},
    "StagedNetworkPolicy": {"stagedAction": "Set", "tier": "default"},
    "Tier": {"defaultAction": "Deny"},
}


def definitions() -> list[Document]:
    return [
        *(_definition(kind, "Cluster") for kind in _GLOBAL),
        *(_definition(kind, "Namespaced") for kind in _NAMESPACED),
    ]


def _definition(kind: str, scope: str) -> Document:
    plural = plural_of(kind)
    version: Document = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": _schema(kind)}}
    if kind in _WITH_STATUS:
        version["subresources"] = {"status": {}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()},
            "scope": scope,
            "versions": [version],
        },
    }


def _schema(kind: str) -> dict[str, Any]:
    spec: dict[str, Any] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    if kind in _DEFAULTS:
        spec["properties"] = {field: {"type": "string", "default": value} for field, value in _DEFAULTS[kind].items()}
    return {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"spec": spec}}
