"""What was seen of a cluster, before anybody judges it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from raijin.facts.etcd import EtcdState
from raijin.platforms.view import HostView
from raijin.transport.document import Document
from raijin.validation.subject import Subject


class Part(StrEnum):
    """What can be looked at; each check needs some of them."""

    HOSTS = "hosts"
    API = "api"
    ETCD = "etcd"
    NODES = "nodes"
    PODS = "pods"
    WORKLOADS = "workloads"
    OPERATORS = "operators"
    NAMESPACES = "namespaces"
    RIGHTS = "rights"
    JOBS = "jobs"
    CLAIMS = "claims"
    CLASSES = "classes"
    SERVICES = "services"
    ENDPOINTS = "endpoints"
    INGRESSES = "ingresses"
    DNS = "dns"


LISTS: Mapping[Part, tuple[str, ...]] = {
    Part.NODES: ("/api/v1/nodes",),
    Part.PODS: ("/api/v1/pods",),
    Part.WORKLOADS: ("/apis/apps/v1/deployments", "/apis/apps/v1/daemonsets", "/apis/apps/v1/statefulsets"),
    Part.OPERATORS: ("/apis/config.openshift.io/v1/clusteroperators",),
    Part.NAMESPACES: ("/api/v1/namespaces",),
    Part.RIGHTS: ("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",),
    Part.JOBS: ("/apis/batch/v1/jobs",),
    Part.CLAIMS: ("/api/v1/persistentvolumeclaims",),
    Part.CLASSES: ("/apis/storage.k8s.io/v1/storageclasses",),
    Part.SERVICES: ("/api/v1/services",),
    Part.ENDPOINTS: ("/apis/discovery.k8s.io/v1/endpointslices",),
    Part.INGRESSES: ("/apis/networking.k8s.io/v1/ingresses",),
}
"""The parts that are lists of the API. Kinds are not in their items: they are told by the path."""
KINDS = {"deployments": "Deployment", "daemonsets": "DaemonSet", "statefulsets": "StatefulSet", "jobs": "Job"}


@dataclass(frozen=True, slots=True)
class Seen:
    """hosts: facts, or why there are none. api: by control plane host, what is wrong with its API server (empty:
    nothing). endpoint: the same of the address of all. etcd: None when no member could be asked. lists: what the API
    told; failures: by part, why it did not. dns: by the address of a name service, what is wrong with its answer
    (empty: nothing). at: seconds since the epoch.
    """

    subject: Subject
    at: float
    hosts: Mapping[str, HostView | str] = field(default_factory=dict)
    api: Mapping[str, str] = field(default_factory=dict)
    endpoint: str = ""
    version: str = ""
    etcd: EtcdState | None = None
    lists: Mapping[Part, Sequence[Document]] = field(default_factory=dict)
    failures: Mapping[Part, str] = field(default_factory=dict)
    dns: Mapping[str, str] = field(default_factory=dict)

    @property
    def sqlite(self) -> bool:
        """Whether a control plane host was seen that keeps the cluster in SQLite, so that there is no etcd to ask."""
        views = (self.hosts.get(name) for name in self.subject.control_planes)
        return any(self.subject.platform.parts(view).sqlite for view in views if isinstance(view, HostView))

    def items(self, part: Part) -> Sequence[Document]:
        return self.lists.get(part, ())
