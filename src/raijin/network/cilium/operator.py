"""The operator: what is to be done once in a cluster and not on every node."""

from __future__ import annotations

from raijin.model.cluster import Cluster
from raijin.model.node_group import NO_NODES
from raijin.network import documents as data
from raijin.network.cilium.agent import apart
from raijin.network.cilium.names import (
    CONFIG_MAP,
    LAST_WORDS,
    NAMESPACE,
    OPERATOR,
    OPERATOR_IMAGE,
    labels,
    whereabouts,
)
from raijin.network.cni import Document, Wanted

HEALTH_PORT = 9234
_TOLERATED = (
    "node-role.kubernetes.io/control-plane",
    "node.kubernetes.io/not-ready",
    "node.cilium.io/agent-not-ready",
)
_CONFIG = "/tmp/cilium/config-map"  # noqa: S108  (in the pod)


def deployment(wanted: Wanted, stamp: str) -> Document:
    replicas = _replicas(wanted.cluster)
    selector = {"io.cilium/app": "operator", "name": OPERATOR}
    own = {**selector, **labels(OPERATOR)}
    pod: Document = {
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_operator(wanted)],
        "hostNetwork": True,
        "restartPolicy": "Always",
        "priorityClassName": "system-cluster-critical",
        "serviceAccountName": OPERATOR,
        "affinity": apart(selector),
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": key, "operator": "Exists"} for key in _TOLERATED],
        "volumes": [{"name": "cilium-config-path", "configMap": {"name": CONFIG_MAP}}],
    }
    # A pod alone has to leave its port to the next one first.
    going = {"maxSurge": "25%", "maxUnavailable": "50%" if replicas > 1 else "100%"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": data.metadata(OPERATOR, NAMESPACE, own),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": selector},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": going},
            "template": {
                "metadata": {"labels": own, "annotations": {data.CONFIGURATION_NOTE: stamp}},
                "spec": pod,
            },
        },
    }


def _replicas(cluster: Cluster) -> int:
    """Two, on different nodes, where there are two."""
    nodes = sum(group.size for group in cluster.node_groups if group.role not in NO_NODES)
    return min(nodes, 2) or 1


def _operator(wanted: Wanted) -> Document:
    return {
        "name": OPERATOR,
        "image": wanted.image(OPERATOR_IMAGE),
        "imagePullPolicy": "IfNotPresent",
        "command": ["cilium-operator-generic"],
        "args": [f"--config-dir={_CONFIG}"],
        "env": whereabouts(wanted),
        "ports": [{"name": "health", "containerPort": HEALTH_PORT, "hostPort": HEALTH_PORT, "protocol": "TCP"}],
        "livenessProbe": _probe(initialDelaySeconds=60, periodSeconds=10),
        "readinessProbe": _probe(periodSeconds=5, failureThreshold=5),
        "volumeMounts": [data.mount("cilium-config-path", _CONFIG, readOnly=True)],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        **LAST_WORDS,
    }


def _probe(**numbers: int) -> Document:
    get = {"host": "127.0.0.1", "path": "/healthz", "port": HEALTH_PORT, "scheme": "HTTP"}
    return {"httpGet": get, "timeoutSeconds": 3, **numbers}
