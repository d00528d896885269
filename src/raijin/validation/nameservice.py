"""cluster-dns: whether the name service answers a question, asked from a host of the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from raijin.transport.document import Document
from raijin.validation.finding import Finding, Grade
from raijin.validation.nodes import unseen
from raijin.validation.seen import Part, Seen

NAME = "cluster-dns"
LABELS = (("k8s-app", "kube-dns"), ("dns.operator.openshift.io/owning-dns", "default"))
"""Of the Service of the name service: CoreDNS of kubeadm, K3s, RKE2 and Talos; OpenShift's DNS operator."""


def addresses(services: Sequence[Document]) -> list[str]:
    """The addresses of the cluster's name service, of every IP version that it has."""
    found = []
    for item in services:
        labels, spec = item["metadata"].get("labels") or {}, item.get("spec") or {}
        if any(labels.get(key) == value for key, value in LABELS):
            found += [str(ip) for ip in spec.get("clusterIPs") or [spec.get("clusterIP")] if ip and ip != "None"]
    return list(dict.fromkeys(found))


def question(domain: str) -> str:
    """A name that every cluster has: that of its own API."""
    return f"kubernetes.default.svc.{domain}"


def cluster_dns(seen: Seen) -> Iterable[Finding]:
    blind = unseen(NAME, seen, Part.SERVICES)
    if blind is not None:
        yield blind
        return
    name = question(seen.subject.domain)
    for address, fault in seen.dns.items():
        if fault:
            remedy = "look at its pods: `kubectl -n kube-system get pods -l k8s-app=kube-dns`"
            text = f"the name service does not tell the address of {name}: {fault}"
            yield Finding(NAME, address, Grade.FAILED, text, remedy)
        else:
            yield Finding(NAME, address, Grade.OK, f"the name service tells the address of {name}")
    if not seen.dns and addresses(seen.items(Part.SERVICES)):
        text = f"not asked: there is no way through the hosts of {seen.subject.type}; see system-workloads"
        yield Finding(NAME, seen.subject.cluster, Grade.OK, text)
    elif not seen.dns:
        text = "there is no Service of a name service (k8s-app=kube-dns)"
        yield Finding(NAME, seen.subject.cluster, Grade.WARNING, text, "`raijin apply`, or name another one yourself")
