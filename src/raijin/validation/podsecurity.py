"""pod-security: pods that reach into their host, in namespaces whose label does not say that they may.

Rules: Kubernetes, "Pod Security Standards" (what Baseline forbids: privileged containers, namespaces and ports of the
host, hostPath) and "Pod Security Admission" (the label); CIS Kubernetes Benchmark 1.10, 5.2.1 to 5.2.5 and 5.2.11.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from raijin.transport.document import Document
from raijin.validation.finding import Finding, Grade, few
from raijin.validation.nodes import unseen
from raijin.validation.seen import Part, Seen
from raijin.validation.workloads import is_system

NAME = "pod-security"
LABEL = "pod-security.kubernetes.io/enforce"
_HOSTS = {"hostNetwork": "the host's network", "hostPID": "its processes", "hostIPC": "its shared memory"}


def pod_security(seen: Seen) -> Iterable[Finding]:
    blind = unseen(NAME, seen, Part.PODS) or unseen(NAME, seen, Part.NAMESPACES)
    if blind is not None:
        yield blind
        return
    labelled = {
        str(item["metadata"]["name"])
        for item in seen.items(Part.NAMESPACES)
        if (item["metadata"].get("labels") or {}).get(LABEL)
    }
    found: dict[str, list[str]] = {}
    for item in seen.items(Part.PODS):
        namespace = str(item["metadata"]["namespace"])
        if is_system(namespace) or namespace in labelled or item.get("status", {}).get("phase") == "Succeeded":
            continue
        reaches = sorted(set(_reaches(item.get("spec") or {})))
        if reaches:
            found.setdefault(namespace, []).append(f"{item['metadata']['name']} ({', '.join(reaches)})")
    for namespace, pods in sorted(found.items()):
        text = f"pods reach into their host, and no label says that they may: {few(sorted(pods), 3)} (CIS 5.2)"
        remedy = f"`kubectl label namespace {namespace} {LABEL}=privileged`, or `baseline` once no pod needs it"
        yield Finding(NAME, namespace, Grade.WARNING, text, remedy)
    if not found:
        text = "no pod of a namespace without the label reaches into its host; the cluster's own are not looked at"
        yield Finding(NAME, seen.subject.cluster, Grade.OK, text)


def _reaches(spec: Document) -> Iterator[str]:
    yield from (text for name, text in _HOSTS.items() if spec.get(name))
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(kind) or ():
            if (container.get("securityContext") or {}).get("privileged"):
                yield "privileged"
            if any(port.get("hostPort") for port in container.get("ports") or ()):
                yield "a port of the host"
    if any("hostPath" in volume for volume in spec.get("volumes") or ()):
        yield "folders of the host"
