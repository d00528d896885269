"""Names that Cilium's parts know each other by, its images, and where the API servers are for all of them."""

from __future__ import annotations

from raijin.model.version import Version
from raijin.network import documents as data
from raijin.network.cni import Document, Wanted

NAMESPACE = "kube-system"
SECRETS = "cilium-secrets"
"""The namespace of the secrets that policies and gateways may use; the agent reads those of no other."""
AGENT, OPERATOR, RELAY = "cilium", "cilium-operator", "hubble-relay"
CONFIG_MAP = "cilium-config"
HOME = "quay.io/cilium"
IMAGE = f"{HOME}/cilium"
OPERATOR_IMAGE = f"{HOME}/operator-generic"
RELAY_IMAGE = f"{HOME}/hubble-relay"
# Newest seen at 2026-11: the module github.com/cilium/cilium; its chart names this tag.
VERSION = "v1.20.2"
OLDEST = Version(1, 15, 0)
SERVER_SECRET, CLIENT_SECRET = "hubble-server-certs", "hubble-relay-client-certs"
LAST_WORDS = {"terminationMessagePolicy": "FallbackToLogsOnError"}


def labels(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "cilium"}


def whereabouts(wanted: Wanted, *, api: bool = True) -> list[Document]:
    """Variables that say a pod where it runs and, without a kube-proxy, where the API servers are."""
    host, port = wanted.api
    servers = data.values({"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": str(port)})
    return [
        data.from_field("K8S_NODE_NAME", "spec.nodeName"),
        data.from_field("CILIUM_K8S_NAMESPACE", "metadata.namespace"),
        *(servers if host and api else ()),
    ]
