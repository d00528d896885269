"""Hubble's relay: one service that asks the agents of all nodes for their flows, over TLS that both sides prove."""

from __future__ import annotations

import yaml

from raijin.model.cluster import Cluster
from raijin.network import documents as data
from raijin.network.certificates import Authority, Certificate
from raijin.network.cilium.agent import projected
from raijin.network.cilium.configuration import HUBBLE_PORT
from raijin.network.cilium.names import (
    AGENT,
    CLIENT_SECRET,
    LAST_WORDS,
    NAMESPACE,
    RELAY,
    RELAY_IMAGE,
    SERVER_SECRET,
    labels,
)
from raijin.network.cni import Document, Wanted

PORT, HEALTH_PORT = 4245, 4222
_TLS = "/var/lib/hubble-relay/tls"
_USER = 65532
AUTHORITY = Authority(NAMESPACE, "cilium-ca", "Cilium CA")
"""The name under which a mesh of clusters shares it."""


def certificates(cluster: Cluster) -> tuple[Certificate, ...]:
    """The agents as servers, and the relay as the client that they let in. The names are Hubble's own."""
    if not cluster.network.cni.cilium.hubble.relay:
        return ()
    return (
        Certificate(NAMESPACE, SERVER_SECRET, f"*.{cluster.name}.hubble-grpc.cilium.io", AUTHORITY, server=True),
        Certificate(NAMESPACE, CLIENT_SECRET, "*.hubble-relay.cilium.io", AUTHORITY, server=False),
    )


def relay(wanted: Wanted) -> list[Document]:
    own = {"k8s-app": RELAY, **labels(RELAY)}
    peer = f"hubble-peer.{NAMESPACE}.svc.{wanted.cluster.network.dns_domain}.:443"
    settings = {
        "cluster-name": wanted.cluster.name,
        "peer-service": peer,
        "listen-address": f":{PORT}",
        "tls-hubble-client-cert-file": f"{_TLS}/client.crt",
        "tls-hubble-client-key-file": f"{_TLS}/client.key",
        "tls-hubble-server-ca-files": f"{_TLS}/hubble-server-ca.crt",
        # People reach it by `kubectl port-forward`, which is encrypted already.
        "disable-server-tls": True,
    }
    files = {"config.yaml": yaml.safe_dump(settings, sort_keys=False)}
    account: Document = {**data.service_account(RELAY, NAMESPACE, own), "automountServiceAccountToken": False}
    return [
        account,
        data.config_map(f"{RELAY}-config", NAMESPACE, files, own),
        _service("hubble-peer", AGENT, labels("hubble-peer"), 443, HUBBLE_PORT, internalTrafficPolicy="Local"),
        _service(RELAY, RELAY, own, 80, PORT),
        _deployment(wanted, own, data.fingerprint(files)),
    ]


def _service(name: str, app: str, own: dict[str, str], port: int, target: int, **more: str) -> Document:
    ports = [{"name": "grpc", "port": port, "protocol": "TCP", "targetPort": target}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": data.metadata(name, NAMESPACE, own),
        "spec": {"selector": {"k8s-app": app}, "ports": ports, **more},
    }


def _deployment(wanted: Wanted, own: dict[str, str], stamp: str) -> Document:
    container: Document = {
        "name": RELAY,
        "image": wanted.image(RELAY_IMAGE),
        "imagePullPolicy": "IfNotPresent",
        "command": ["hubble-relay"],
        "args": ["serve"],
        "ports": [{"name": "grpc", "containerPort": PORT, "protocol": "TCP"}],
        "startupProbe": _probe(initialDelaySeconds=10, failureThreshold=20, periodSeconds=3),
        "livenessProbe": _probe(initialDelaySeconds=10, failureThreshold=12, periodSeconds=10, timeoutSeconds=10),
        "readinessProbe": _probe(timeoutSeconds=3),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
        },
        "volumeMounts": [
            data.mount("tmp-volume", "/tmp"),  # noqa: S108  (in the pod)
            data.mount("config", "/etc/hubble-relay", readOnly=True),
            data.mount("tls", _TLS, readOnly=True),
        ],
        **LAST_WORDS,
    }
    secret = {CLIENT_SECRET: {"tls.crt": "client.crt", "tls.key": "client.key", "ca.crt": "hubble-server-ca.crt"}}
    pod: Document = {
        "securityContext": {"fsGroup": _USER, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "restartPolicy": "Always",
        "serviceAccountName": RELAY,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "volumes": [
            {"name": "tmp-volume", "emptyDir": {}},
            {"name": "config", "configMap": {"name": f"{RELAY}-config"}},
            projected("tls", secret, optional=False),
        ],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": data.metadata(RELAY, NAMESPACE, own),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"k8s-app": RELAY}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
            "template": {"metadata": {"labels": own, "annotations": {data.CONFIGURATION_NOTE: stamp}}, "spec": pod},
        },
    }


def _probe(**numbers: int) -> Document:
    return {"grpc": {"port": HEALTH_PORT}, **numbers}
