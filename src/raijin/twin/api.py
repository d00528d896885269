"""The API server of a simulated cluster: the requests that Raijin makes, answered as Kubernetes answers them.

Server-side apply, merge patches, lists by node, eviction. A resource that is not known, or a request of another kind,
is answered with status 400 and a text that names it: an error that ends the step, never a guess.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from raijin.transport.document import Document
from raijin.transport.twin import Asked, Told
from raijin.transport.yamls import read_yaml
from raijin.twin import metrics, nameservice
from raijin.twin.cluster import KUBELET_SERVING, NODES, Cluster

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite

# (group, plural) -> kind, whether it is in a namespace. After the API reference of Kubernetes 1.34.
KINDS: Mapping[tuple[str, str], tuple[str, bool]] = {
    ("", "namespaces"): ("Namespace", False),
    ("", "nodes"): ("Node", False),
    ("", "pods"): ("Pod", True),
    ("", "configmaps"): ("ConfigMap", True),
    ("", "secrets"): ("Secret", True),
    ("", "services"): ("Service", True),
    ("", "serviceaccounts"): ("ServiceAccount", True),
    ("", "endpoints"): ("Endpoints", True),
    ("", "persistentvolumes"): ("PersistentVolume", False),
    ("", "persistentvolumeclaims"): ("PersistentVolumeClaim", True),
    ("", "resourcequotas"): ("ResourceQuota", True),
    ("", "limitranges"): ("LimitRange", True),
    ("apps", "daemonsets"): ("DaemonSet", True),
    ("apps", "deployments"): ("Deployment", True),
    ("apps", "statefulsets"): ("StatefulSet", True),
    ("batch", "jobs"): ("Job", True),
    ("batch", "cronjobs"): ("CronJob", True),
    ("policy", "poddisruptionbudgets"): ("PodDisruptionBudget", True),
    ("rbac.authorization.k8s.io", "clusterroles"): ("ClusterRole", False),
    ("rbac.authorization.k8s.io", "clusterrolebindings"): ("ClusterRoleBinding", False),
    ("rbac.authorization.k8s.io", "roles"): ("Role", True),
    ("rbac.authorization.k8s.io", "rolebindings"): ("RoleBinding", True),
    ("storage.k8s.io", "storageclasses"): ("StorageClass", False),
    ("storage.k8s.io", "csidrivers"): ("CSIDriver", False),
    ("scheduling.k8s.io", "priorityclasses"): ("PriorityClass", False),
    ("networking.k8s.io", "networkpolicies"): ("NetworkPolicy", True),
    ("networking.k8s.io", "ingresses"): ("Ingress", True),
    ("networking.k8s.io", "ingressclasses"): ("IngressClass", False),
    ("apiextensions.k8s.io", "customresourcedefinitions"): ("CustomResourceDefinition", False),
    ("apiregistration.k8s.io", "apiservices"): ("APIService", False),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"): ("ValidatingWebhookConfiguration", False),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"): ("MutatingWebhookConfiguration", False),
    ("discovery.k8s.io", "endpointslices"): ("EndpointSlice", True),
    ("coordination.k8s.io", "leases"): ("Lease", True),
    ("certificates.k8s.io", "certificatesigningrequests"): ("CertificateSigningRequest", False),
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a request goes. name: empty for all of a kind. sub: a subresource, as in pods/NAME/eviction."""

    path: str
    kind: str
    namespace: str
    name: str
    sub: str


class _Refused(Exception):
    """A request that is answered with a status of failure."""

    def __init__(self, status: int, message: str, reason: str = "BadRequest") -> None:
        super().__init__(message)
        self.status, self.reason = status, reason


def answer(site: TwinSite, cluster: Cluster, asked: Asked) -> Told:
    aside = _beside_objects(site, cluster, asked.path) if asked.method == "GET" else None
    if aside is not None:
        return aside
    try:
        place = _place(cluster, asked.path)
        if place.sub:
            return _subresource(site, cluster, asked, place)
        handler = _METHODS.get(asked.method)
        if handler is None:
            raise _unknown(asked)
        return handler(site, cluster, asked, place)
    except _Refused as refused:
        status, message = refused.status, str(refused)
        body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": status}
        return Told(status, {**body, "reason": refused.reason, "metadata": {}})


def _beside_objects(site: TwinSite, cluster: Cluster, path: str) -> Told | None:
    """What is asked of the server that is none of its objects; None for those."""
    if path in {"/readyz", "/livez", "/healthz"}:
        return Told(200, "ok")
    if path == "/version":
        return Told(200, {"gitVersion": site.platform.api_version(site), "major": "1"})
    if path.startswith(metrics.PATH):
        return metrics.told(cluster, path.removeprefix(metrics.PATH))
    if path.startswith(f"{NODES}/") and path.endswith("/proxy/healthz"):
        return _kubelet(site, path.split("/")[4])
    return None


def _kubelet(site: TwinSite, name: str) -> Told:
    """A kubelet, by way of the API server: it must live, and have a certificate to serve with."""
    host = site.hosts.get(name)
    if host is not None and 10250 in site.platform.ports(site, host) and host.entry(KUBELET_SERVING) is not None:
        return Told(200, "ok")
    refused = "remote error: tls: internal error"
    return Told(503, {"kind": "Status", "apiVersion": "v1", "message": refused, "code": 503, "metadata": {}})


def _unknown(asked: Asked) -> _Refused:
    return _Refused(400, f"the rehearsal does not model {asked.method} {asked.path}")


def _place(cluster: Cluster, path: str) -> _Place:
    parts = path.strip("/").split("/")
    core = parts[0] == "api"
    group, rest = ("", parts[2:]) if core else (parts[1] if len(parts) > 1 else "", parts[3:])
    if parts[0] not in {"api", "apis"} or not rest:
        raise _Refused(400, f"the rehearsal does not model the path {path}")
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    known = KINDS.get((group, rest[0])) or cluster.kinds.get((group, rest[0]))
    if known is None and "." in group and not group.endswith("k8s.io"):
        # As Kubernetes says it of a kind of somebody else's that nobody has defined there.
        raise _Refused(404, "the server could not find the requested resource", "NotFound")
    if known is None:
        raise _Refused(400, f"the rehearsal does not model the resource {rest[0]} of {group or 'the core API'}")
    name, sub = (rest[1] if len(rest) > 1 else ""), (rest[2] if len(rest) > 2 else "")
    own = path if not sub else path.rpartition("/")[0]
    return _Place(own.rstrip("/"), known[0], namespace, name, sub)


def _get(site: TwinSite, cluster: Cluster, asked: Asked, place: _Place) -> Told:
    if place.name:
        return Told(200, _shown(site, cluster, _found(cluster, place)))
    start = f"{place.path}/"
    if place.path == "/api/v1/pods" or (place.kind == "Pod" and place.namespace):
        found = [pod for pod in cluster.pods() if place.namespace in {"", pod["metadata"]["namespace"]}]
    elif place.kind == "EndpointSlice":
        found = [part for part in nameservice.slices(cluster) if place.namespace in {"", part["metadata"]["namespace"]}]
    elif not place.namespace and any(kind == (place.kind, True) for kind in KINDS.values()):
        plural = f"/{place.path.rpartition('/')[2]}/"
        found = [document for path, document in cluster.objects.items() if plural in path]
    else:
        found = [document for path, document in cluster.objects.items() if path.startswith(start)]
    items = [_shown(site, cluster, document) for document in found if _selected(document, asked.query)]
    version = "v1" if asked.path.startswith("/api/") else "/".join(asked.path.split("/")[2:4])
    return Told(200, {"kind": f"{place.kind}List", "apiVersion": version, "metadata": {}, "items": items})


def _selected(document: Document, query: Mapping[str, str]) -> bool:
    """By fields and labels that must be equal; the other parameters page and watch, and a rehearsal does not."""
    for item in filter(None, query.get("fieldSelector", "").split(",")):
        field, _, value = item.partition("=")
        have: Any = document
        for part in field.split("."):
            have = (have or {}).get(part)
        if have != value.lstrip("="):
            return False
    labels = document["metadata"].get("labels") or {}
    for item in filter(None, query.get("labelSelector", "").split(",")):
        key, equals, value = item.partition("=")
        if not equals or key.endswith("!") or " in " in item:
            raise _Refused(400, f"the rehearsal does not model the selector {item}")
        if labels.get(key) != value.lstrip("="):
            return False
    return True


def _patch(site: TwinSite, cluster: Cluster, asked: Asked, place: _Place) -> Told:
    live = cluster.objects.get(place.path)
    if asked.content_type.startswith("application/apply-patch"):
        document = read_yaml(asked.body)
        dry = "dryRun" in asked.query
        made = _merged(live, cluster.applied.get(place.path), document)
        if place.namespace and f"/api/v1/namespaces/{place.namespace}" not in cluster.objects:
            raise _Refused(404, f'namespaces "{place.namespace}" not found', "NotFound")
        if not dry:
            cluster.applied[place.path] = document
            made = cluster.put(place.path, made)
            _notice(site, cluster, made)
        return Told(200 if live else 201, _shown(site, cluster, made))
    if asked.content_type.startswith("application/merge-patch"):
        if live is None:
            raise _missing(place)
        made = cluster.put(place.path, _merge_patch(live, json.loads(asked.body)))
        return Told(200, _shown(site, cluster, made))
    raise _Refused(400, f"the rehearsal does not model patches of the type {asked.content_type}")


def _notice(site: TwinSite, cluster: Cluster, document: Document) -> None:
    """What follows from an object: a kind of its own, or pods on every node."""
    if document["kind"] == "CustomResourceDefinition":
        spec = document["spec"]
        cluster.kinds[spec["group"], spec["names"]["plural"]] = (spec["names"]["kind"], spec["scope"] == "Namespaced")
    if document["kind"] == "DaemonSet":
        for node in cluster.nodes():
            host = site.hosts.get(node["metadata"]["name"])
            if host is not None:
                cluster.spread(site, host)


def _post(site: TwinSite, cluster: Cluster, asked: Asked, place: _Place) -> Told:
    document = json.loads(asked.body)
    name = document["metadata"]["name"]
    path = f"{place.path}/{name}"
    if path in cluster.objects:
        raise _Refused(409, f'{place.kind} "{name}" already exists', "AlreadyExists")
    made = cluster.put(path, document)
    _notice(site, cluster, made)
    return Told(201, _shown(site, cluster, made))


def _delete(site: TwinSite, cluster: Cluster, asked: Asked, place: _Place) -> Told:
    del asked
    gone = _found(cluster, place)
    if place.path.startswith(f"{NODES}/"):
        cluster.delete_node(place.name)
    else:
        del cluster.objects[place.path]
        cluster.applied.pop(place.path, None)
    return Told(200, _shown(site, cluster, gone))


def _subresource(site: TwinSite, cluster: Cluster, asked: Asked, place: _Place) -> Told:
    if (asked.method, place.kind, place.sub) == ("PUT", "CertificateSigningRequest", "approval"):
        live = _found(cluster, place)
        return Told(200, cluster.put(place.path, {**live, "status": json.loads(asked.body)["status"]}))
    if (asked.method, place.kind, place.sub) != ("POST", "Pod", "eviction"):
        raise _unknown(asked)
    _found(cluster, place)
    if not cluster.evict(site, place.path):
        message = "Cannot evict pod as it would violate the pod's disruption budget."
        raise _Refused(429, message, "TooManyRequests")
    return Told(201, {"kind": "Status", "apiVersion": "v1", "status": "Success", "metadata": {}})


_METHODS = {"GET": _get, "PATCH": _patch, "POST": _post, "DELETE": _delete}


def _found(cluster: Cluster, place: _Place) -> Document:
    live = cluster.objects.get(place.path)
    if live is None:
        raise _missing(place)
    return live


def _missing(place: _Place) -> _Refused:
    return _Refused(404, f'{place.kind} "{place.name}" not found', "NotFound")


def _merged(live: Document | None, before: Document | None, document: Document) -> Document:
    """Server-side apply of the only manager that applies: fields that it no longer names go, those of others stay."""
    base = _without(copy.deepcopy(live), before or {}, document) if live else {}
    made: Document = _laid_over(base, document)
    return made


def _without(live: Any, before: Any, wanted: Any) -> Any:
    if isinstance(live, dict) and isinstance(before, dict):
        for key, value in before.items():
            later = wanted.get(key) if isinstance(wanted, dict) else None
            if later is None and key in live and not isinstance(value, dict):
                del live[key]
            elif key in live:
                live[key] = _without(live[key], value, later or {})
    return live


def _laid_over(base: Any, document: Any) -> Any:
    if isinstance(base, dict) and isinstance(document, dict):
        return {**base, **{key: _laid_over(base.get(key), value) for key, value in document.items()}}
    return copy.deepcopy(document)


def _merge_patch(live: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    made = dict(live) if isinstance(live, dict) else {}
    for key, value in patch.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = _merge_patch(made.get(key), value)
    return made


def _shown(site: TwinSite, cluster: Cluster, document: Document) -> Document:
    """An object with the status that it has now."""
    kind, spec = document["kind"], document.get("spec") or {}
    if kind == "Node":
        return _node(site, cluster, document)
    count = len(list(cluster.nodes()))
    if kind == "DaemonSet":
        status: Document = dict.fromkeys(("desiredNumberScheduled", "currentNumberScheduled"), count)
        alive = sum(_alive(site, node["metadata"]["name"]) for node in cluster.nodes())
        status |= dict.fromkeys(("numberReady", "numberAvailable", "updatedNumberScheduled"), alive)
        status["numberMisscheduled"] = 0
    elif kind in {"Deployment", "StatefulSet"}:
        numbers = ("replicas", "readyReplicas", "availableReplicas", "updatedReplicas")
        status = dict.fromkeys(numbers, spec.get("replicas", 1))
        status["conditions"] = [{"type": "Available", "status": "True"}]
    elif kind == "CustomResourceDefinition":
        return {**document, "status": {"conditions": [{"type": "Established", "status": "True"}]}}
    else:
        return document
    generation = document["metadata"].get("generation", 1)
    metadata = {**document["metadata"], "generation": generation}
    return {**document, "metadata": metadata, "status": {**status, "observedGeneration": generation}}


def _alive(site: TwinSite, name: str) -> bool:
    host = site.hosts.get(name)
    return host is not None and host.up and site.platform.lives(host)


def _node(site: TwinSite, cluster: Cluster, document: Document) -> Document:
    reason = cluster.ready(site, document["metadata"]["name"])
    # A kubelet that is heard of no more leaves its node as Unknown; one that says why not, as False.
    bad = "False" if _alive(site, document["metadata"]["name"]) else "Unknown"
    condition = {"type": "Ready", "status": bad if reason else "True", "message": reason or "kubelet is ready"}
    condition |= {"reason": "KubeletNotReady" if reason else "KubeletReady"}
    return {**document, "status": {**document.get("status", {}), "conditions": [condition]}}
