"""Pieces of documents that the container networks share: plain data, as the Kubernetes API reads it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

Document = dict[str, Any]
RBAC = "rbac.authorization.k8s.io"
CONFIGURATION_NOTE = "raijin.dev/configuration"
"""Annotation of a pod template: the fingerprint of what its pods read only when they start."""


def metadata(name: str, namespace: str = "", labels: Mapping[str, str] | None = None) -> Document:
    place = {"namespace": namespace} if namespace else {}
    return {"name": name, **place, **({"labels": dict(labels)} if labels else {})}


def service_account(name: str, namespace: str, labels: Mapping[str, str] | None = None) -> Document:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(name, namespace, labels)}


def config_map(name: str, namespace: str, data: Mapping[str, str], labels: Mapping[str, str] | None = None) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(name, namespace, labels),
        "data": dict(data),
    }


def rule(groups: str, resources: str, verbs: str, names: str = "") -> Document:
    """A rule of a role; each argument is a list of words. `core` is the group without a name."""
    found: Document = {
        "apiGroups": ["" if group == "core" else group for group in groups.split()],
        "resources": resources.split(),
        "verbs": verbs.split(),
    }
    return found | ({"resourceNames": names.split()} if names else {})


def cluster_role(name: str, rules: Iterable[Document], labels: Mapping[str, str] | None = None) -> Document:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": metadata(name, labels=labels),
        "rules": list(rules),
    }


def cluster_role_binding(
    name: str, role: str, account: tuple[str, str], labels: Mapping[str, str] | None = None
) -> Document:
    """account: namespace and name of a service account."""
    namespace, subject = account
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": metadata(name, labels=labels),
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": subject, "namespace": namespace}],
    }


def host_path(name: str, path: str, kind: str = "") -> Document:
    """A volume; kind: what the path must be, or be made (`DirectoryOrCreate`)."""
    return {"name": name, "hostPath": {"path": path, **({"type": kind} if kind else {})}}


def mount(name: str, path: str, **more: object) -> Document:
    return {"name": name, "mountPath": path, **more}


def from_field(name: str, path: str) -> Document:
    """An environment variable that says something of its own pod."""
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def values(variables: Mapping[str, str]) -> list[Document]:
    return [{"name": name, "value": value} for name, value in variables.items()]


def fingerprint(value: object) -> str:
    return f"{zlib.crc32(json.dumps(value, sort_keys=True).encode()):08x}"


def merged(generated: Document, added: Mapping[str, Any]) -> Document:
    """What the definition adds, over what Raijin generates: mappings merged, everything else replaced."""
    result = dict(generated)
    for key, value in added.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return result
