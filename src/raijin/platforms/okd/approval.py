"""Certificates that kubelets ask for: which are signed, and which are left alone. Nothing is ever signed blindly.

On machines of one's own nobody approves the requests of new nodes: the machine approver knows only machines that the
cluster made itself. The rules are its own (openshift/cluster-machine-approver, pkg/controller/csr_check.go), with the
definition in the place of its machines: the names and addresses that it says are those that a request may ask for.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography.x509 import CertificateSigningRequest

    from raijin.transport.kube import Kube

Document = dict[str, Any]
API = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
SERVING = "kubernetes.io/kubelet-serving"
NODE = "system:node:"
NODES = "system:nodes"
AUTHENTICATED = "system:authenticated"
BOOTSTRAPPER = "system:serviceaccount:openshift-machine-config-operator:node-bootstrapper"
BOOTSTRAPPER_GROUPS = frozenset(
    {"system:serviceaccounts:openshift-machine-config-operator", "system:serviceaccounts", AUTHENTICATED}
)
USAGES = {
    CLIENT: (frozenset({"digital signature", "client auth"}),),
    SERVING: (frozenset({"digital signature", "server auth"}),),
}
"""`key encipherment` may stand beside them: kubelets of RSA keys ask for it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """About one pending request. node: whom it is about. fault: why it is not signed; empty when it is."""

    request: str
    node: str
    serving: bool
    fault: str = ""


def pending(requests: Iterable[Document]) -> list[Document]:
    """The requests of kubelets that nobody has decided about."""
    return [
        request
        for request in requests
        if request["spec"].get("signerName") in USAGES and not (request.get("status") or {}).get("conditions")
    ]


def judge(request: Document, expected: Mapping[str, Sequence[str]], nodes: Iterable[str]) -> Verdict:
    """expected: by the names of nodes that may come, their addresses. nodes: those that are there already."""
    name, spec = str(request["metadata"]["name"]), request["spec"]
    serving = spec["signerName"] == SERVING
    try:
        asked = _parsed(str(spec["request"]))
        common = _names(asked, "COMMON_NAME")
    except ValueError as error:
        return Verdict(name, "", serving, f"it cannot be read: {error}")
    node = common[0].removeprefix(NODE) if len(common) == 1 and common[0].startswith(NODE) else ""
    fault = (
        _form(spec, asked, node)
        or ("" if node in expected else f"{node or 'its name'} is no node that is expected now")
        or (_serving(spec, asked, node, expected[node]) if serving else _client(spec, asked, node, nodes))
    )
    return Verdict(name, node, serving, fault)


async def approve(kube: Kube, expected: Mapping[str, Sequence[str]], nodes: Iterable[str]) -> list[Verdict]:
    """Sign what may be signed, and say about all that is pending what became of it."""
    known, verdicts = frozenset(nodes), list[Verdict]()
    for request in pending(await kube.items(API)):
        verdict = judge(request, expected, known)
        verdicts.append(verdict)
        if not verdict.fault:
            await kube.put(f"{API}/{verdict.request}/approval", approved(request))
    return verdicts


def approved(request: Document) -> Document:
    """The request with our word in it, as the subresource `approval` takes it (certificates.k8s.io/v1)."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    condition = {
        "type": "Approved",
        "status": "True",
        "reason": "RaijinApprove",
        "message": "the node is in the definition, and asks for nothing but its own names and addresses",
        "lastUpdateTime": moment,
    }
    whole = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", **request}
    return {**whole, "status": {**(request.get("status") or {}), "conditions": [condition]}}


def _form(spec: Document, asked: CertificateSigningRequest, node: str) -> str:
    """What holds for both kinds."""
    usages = frozenset(spec.get("usages") or ()) - {"key encipherment"}
    if not asked.is_signature_valid:
        return "its signature is wrong"
    if not node:
        return "it is not for a node"
    if _names(asked, "ORGANIZATION_NAME") != [NODES]:
        return f"its organization is not {NODES}"
    if usages not in USAGES[spec["signerName"]]:
        return f"it asks for other usages: {', '.join(sorted(usages))}"
    return ""


def _client(spec: Document, asked: CertificateSigningRequest, node: str, nodes: Iterable[str]) -> str:
    """The first certificate of a new node: whoever holds the bootstrap's token may ask, for a name that is free."""
    if spec.get("username") != BOOTSTRAPPER or frozenset(spec.get("groups") or ()) != BOOTSTRAPPER_GROUPS:
        return f"{spec.get('username')} asks for it, and not the node bootstrapper"
    if any(_alternative(asked)):
        return "it asks for further names"
    return f"there is a node {node} already" if node in nodes else ""


def _serving(spec: Document, asked: CertificateSigningRequest, node: str, addresses: Sequence[str]) -> str:
    """What a kubelet shows to those who call it: the node itself asks, for its own names and addresses."""
    if spec.get("username") != f"{NODE}{node}":
        return f"{spec.get('username')} asks for the certificate of {node}"
    if not frozenset({NODES, AUTHENTICATED}) <= frozenset(spec.get("groups") or ()):
        return "whoever asks is not of the group of nodes"
    names, found, others = _alternative(asked)
    if others:
        return "it asks for names of another kind"
    strange = sorted(set(names) - {node, node.partition(".")[0]}) + sorted(set(found) - set(addresses))
    return f"it asks for {', '.join(strange)}, which the definition does not give to {node}" if strange else ""


def _parsed(text: str) -> CertificateSigningRequest:
    from cryptography import x509  # noqa: PLC0415  (only where requests are judged)

    return x509.load_pem_x509_csr(base64.b64decode(text))


def _names(asked: CertificateSigningRequest, kind: str) -> list[str]:
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    return [str(name.value) for name in asked.subject.get_attributes_for_oid(getattr(NameOID, kind))]


def _alternative(asked: CertificateSigningRequest) -> tuple[list[str], list[str], list[str]]:
    """DNS names, IP addresses, and the types of all other names."""
    from cryptography import x509  # noqa: PLC0415

    try:
        value = asked.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [], [], []
    names = [str(name) for name in value.get_values_for_type(x509.DNSName)]
    addresses = [str(address) for address in value.get_values_for_type(x509.IPAddress)]
    others = [type(one).__name__ for one in value if not isinstance(one, (x509.DNSName, x509.IPAddress))]
    return names, addresses, others
