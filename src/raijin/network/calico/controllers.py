"""calico-kube-controllers and Typha: what runs beside the nodes. After manifests/calico-typha.yaml of v3.32."""

from __future__ import annotations

from raijin.network import documents as data
from raijin.network.calico.images import CONTROLLERS, FIRST_WITH_LOAD_BALANCER, TYPHA, image, version
from raijin.network.calico.node import api
from raijin.network.calico.rights import CONTROLLERS as ACCOUNT
from raijin.network.calico.rights import NAMESPACE
from raijin.network.calico.rights import NODE as NODE_ACCOUNT
from raijin.network.cni import Document, Wanted

TYPHA_NAME = "calico-typha"
TYPHA_PORT = 5473
TYPHA_HEALTH_PORT = 9098
_LAST_WORDS = {"terminationMessagePolicy": "FallbackToLogsOnError"}


def controllers(wanted: Wanted) -> list[Document]:
    """One pod that cleans up after nodes that are gone, and what keeps it from being drained away twice."""
    enabled = "node,loadbalancer" if version(wanted) >= FIRST_WITH_LOAD_BALANCER else "node"
    container: Document = {
        "name": ACCOUNT,
        "image": image(wanted, CONTROLLERS),
        "imagePullPolicy": "IfNotPresent",
        "env": data.values({"ENABLED_CONTROLLERS": enabled, "DATASTORE_TYPE": "kubernetes"}),
        "livenessProbe": {
            "exec": {"command": ["/usr/bin/check-status", "-l"]},
            "periodSeconds": 10,
            "initialDelaySeconds": 10,
            "failureThreshold": 6,
            "timeoutSeconds": 10,
        },
        "readinessProbe": {"exec": {"command": ["/usr/bin/check-status", "-r"]}, "periodSeconds": 10},
        "securityContext": {"runAsNonRoot": True},
        **_LAST_WORDS,
    }
    pod: Document = {
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [
            {"key": "CriticalAddonsOnly", "operator": "Exists"},
            {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"},
        ],
        "serviceAccountName": ACCOUNT,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "priorityClassName": "system-cluster-critical",
        "containers": [container],
    }
    return [_deployment(ACCOUNT, 1, {"type": "Recreate"}, pod), _budget(ACCOUNT)]


def typha(wanted: Wanted, replicas: int) -> list[Document]:
    """Between the API servers and the nodes: it watches once for many."""
    container: Document = {
        "name": TYPHA_NAME,
        "image": image(wanted, TYPHA),
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": TYPHA_PORT, "hostPort": TYPHA_PORT, "name": TYPHA_NAME, "protocol": "TCP"}],
        "env": [
            *data.values(
                {
                    "TYPHA_LOGSEVERITYSCREEN": "info",
                    "TYPHA_LOGFILEPATH": "none",
                    "TYPHA_LOGSEVERITYSYS": "none",
                    "TYPHA_CONNECTIONREBALANCINGMODE": "kubernetes",
                    "TYPHA_DATASTORETYPE": "kubernetes",
                    "TYPHA_HEALTHENABLED": "true",
                    "TYPHA_SHUTDOWNTIMEOUTSECS": "300",
                }
            ),
            *api(wanted),
        ],
        "livenessProbe": _probe("/liveness", initialDelaySeconds=30, periodSeconds=30),
        "readinessProbe": _probe("/readiness", periodSeconds=10),
        "securityContext": {"runAsNonRoot": True, "allowPrivilegeEscalation": False},
        **_LAST_WORDS,
    }
    pod: Document = {
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "hostNetwork": True,
        "terminationGracePeriodSeconds": 300,
        "tolerations": [
            {"key": "CriticalAddonsOnly", "operator": "Exists"},
            {"effect": "NoSchedule", "operator": "Exists"},
            {"effect": "NoExecute", "operator": "Exists"},
        ],
        "serviceAccountName": NODE_ACCOUNT,
        "priorityClassName": "system-cluster-critical",
        "securityContext": {"fsGroup": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "100%", "maxUnavailable": 1}}
    labels = {"k8s-app": TYPHA_NAME}
    port = {"name": TYPHA_NAME, "port": TYPHA_PORT, "protocol": "TCP", "targetPort": TYPHA_NAME}
    service: Document = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": data.metadata(TYPHA_NAME, NAMESPACE, labels),
        "spec": {"ports": [port], "selector": labels},
    }
    return [service, _deployment(TYPHA_NAME, replicas, strategy, pod), _budget(TYPHA_NAME)]


def _probe(path: str, **seconds: int) -> Document:
    return {"httpGet": {"host": "localhost", "path": path, "port": TYPHA_HEALTH_PORT}, "timeoutSeconds": 10, **seconds}


def _deployment(name: str, replicas: int, strategy: Document, pod: Document) -> Document:
    labels = {"k8s-app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": data.metadata(name, NAMESPACE, labels),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "strategy": strategy,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def _budget(name: str) -> Document:
    labels = {"k8s-app": name}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": data.metadata(name, NAMESPACE, labels),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": labels}},
    }
