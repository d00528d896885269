"""The certificates of a kubeadm cluster. After "Certificate Management with kubeadm" of kubernetes.io.

kubeadm renews those of a control plane host all at once, from the authorities that lie there; what runs has read them
at its start, so it is started again, etcd first. Kubelets renew their own client certificate as long as it is valid.
One that was away for too long is given a new one, made where the key of the authority is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from raijin.facts.certificates import Certificate
from raijin.model.duration import parse_duration
from raijin.operations.base import Operation, SecretRef
from raijin.operations.command import Command
from raijin.operations.file import File
from raijin.operations.program import Program
from raijin.operations.staticpod import StaticPod
from raijin.operations.wait import Wait
from raijin.plan.model import Call
from raijin.platforms.base import Context, Node
from raijin.platforms.kubeadm import apiserver
from raijin.platforms.kubeadm.paths import (
    ADMIN_CONF,
    CONFIG_FILE,
    CRI_SOCKET,
    ETCD_PKI,
    KUBELET_PKI,
    KUBERNETES,
    MANIFESTS,
    PKI,
    SUPER_ADMIN_CONF,
)
from raijin.platforms.kubeadm.settings import file_at
from raijin.platforms.kubeadm.upgrade import control_plane_version
from raijin.platforms.renewal import DONE, Keeper, begin, begun_on, end, value_of

AUTHORITIES = (f"{PKI}/ca.crt", f"{ETCD_PKI}/ca.crt", f"{PKI}/front-proxy-ca.crt")
CONTROLLER_CONF, SCHEDULER_CONF = f"{KUBERNETES}/controller-manager.conf", f"{KUBERNETES}/scheduler.conf"
_API = tuple(
    f"{PKI}/{name}.crt"
    for name in ("apiserver", "apiserver-etcd-client", "apiserver-kubelet-client", "front-proxy-client")
)
_ETCD = tuple(f"{ETCD_PKI}/{name}.crt" for name in ("server", "peer", "healthcheck-client"))
_CONFS = (ADMIN_CONF, SUPER_ADMIN_CONF, CONTROLLER_CONF, SCHEDULER_CONF)
RENEWED = frozenset((*_API, *_ETCD, *_CONFS))
"""What `kubeadm certs renew all` makes anew, as far as it is there."""
KUBELET_CLIENT, KUBELET_SERVER = f"{KUBELET_PKI}/kubelet-client-current.pem", f"{KUBELET_PKI}/kubelet.crt"
_KUBELET_OWN = f"{KUBELET_PKI}/kubelet-server-current.pem"
READMITTED = f"{KUBELET_PKI}/kubelet-client-raijin.pem"
DEFAULT_DAYS = 365.0
SECONDS = 300
# Name of the container and what it has read, in the order in which they are started again.
_PODS = (
    ("etcd", (*_ETCD, AUTHORITIES[1])),
    ("kube-apiserver", (*_API, *AUTHORITIES)),
    ("kube-controller-manager", (CONTROLLER_CONF, AUTHORITIES[0], AUTHORITIES[2])),
    ("kube-scheduler", (SCHEDULER_CONF,)),
    ("kube-vip", (ADMIN_CONF, SUPER_ADMIN_CONF)),
)


class KubeadmCertificates:
    """See `platforms.renewal.Certificates`."""

    def keeper(self, certificate: Certificate) -> Keeper | None:
        if certificate.path in AUTHORITIES:
            return Keeper.AUTHORITY
        if certificate.path in RENEWED or certificate.path == KUBELET_SERVER:
            return Keeper.RAIJIN
        return Keeper.ITSELF if certificate.path in {KUBELET_CLIENT, _KUBELET_OWN} else None

    def days(self, context: Context) -> float:
        settings = context.cluster.kubernetes.kubeadm.cluster_configuration
        return period_days(settings.get("certificateValidityPeriod"), DEFAULT_DAYS)

    def unfinished(self, node: Node) -> bool:
        return begun_on(node)

    def renew(self, context: Context, node: Node, wanted: Sequence[Certificate]) -> Program:
        paths = {certificate.path for certificate in wanted}
        operations: list[Operation] = []
        if KUBELET_CLIENT in paths:  # first: without its kubelet no static pod comes back
            operations += readmitted(context, node, _value(wanted, {KUBELET_CLIENT}))
        if KUBELET_SERVER in paths:
            again = f"rm -f {KUBELET_SERVER} {KUBELET_PKI}/kubelet.key && systemctl restart kubelet"
            value = _value(wanted, {KUBELET_SERVER})
            operations += [
                Command("let the kubelet make its own", ("sh", "-c", again), marker="kubelet-serving", value=value),
                Wait("the kubelet has made its own", path=KUBELET_SERVER),
            ]
        if node.control_plane and (paths & RENEWED or self.unfinished(node)):
            operations += _control_plane(context, node, _value(wanted, RENEWED))
        return Program("renew the certificates", context.cluster.name, tuple(operations))

    def readmit(self, context: Context, node: Node) -> Call | None:
        door = node.name if node.control_plane else context.first.name
        return Call("kubeadm.readmit", {"door": door})

    def discard(self, context: Context, node: Node) -> Call | None:
        del context, node
        return Call("kubeadm.discard", {})


def period_days(period: object, default: float) -> float:
    """A validity period of kubeadm's configuration; the default where there is none, or one that we cannot read."""
    try:
        return parse_duration(period).total_seconds() / 86_400 if period else default
    except ValueError:  # kubeadm reads more forms than we do
        return default


def client_secret(cluster: str, host: str) -> str:
    """The name under which a kubelet's new certificate and key are kept until it has them."""
    return f"cluster/{cluster}/kubelet/{host}"


def _value(wanted: Iterable[Certificate], paths: Iterable[str]) -> str:
    """Of a marker, for those of these paths; empty for none."""
    named = set(paths)
    found = [c for c in wanted if c.path in named]
    return value_of(found) if found else ""


def _control_plane(context: Context, node: Node, value: str) -> Iterable[Operation]:
    yield begin()
    if value:
        yield from made_anew(context, node, "make new certificates", marker=DONE, value=value)
    yield from static_pods(node)
    yield apiserver.answers(context)
    yield end()


def made_anew(context: Context, node: Node, title: str, *, marker: str, value: str) -> Iterable[Operation]:
    """All that kubeadm makes on a control plane host, by the authorities that lie there."""
    yield from file_at(context, node, control_plane_version(node) or context.cluster.kubernetes_version)
    renew = ("kubeadm", "certs", "renew", "all", "--config", CONFIG_FILE)
    yield Command(title, renew, marker=marker, value=value, timeout=SECONDS)


def static_pods(node: Node) -> Iterable[StaticPod]:
    """Those of a control plane host, with all that they read at their start."""
    files = node.facts.files if node.facts else frozenset[str]()
    for name, watches in _PODS:
        if f"{MANIFESTS}/{name}.yaml" in files:
            yield StaticPod(name, CRI_SOCKET, watches)


def readmitted(context: Context, node: Node, value: str) -> Iterable[Operation]:
    """The kubelet reads a link, and wants it to be one; when it renews the certificate, it sets the link anew."""
    yield File(READMITTED, SecretRef(client_secret(context.cluster.name, node.name)), mode="600")
    use = f"ln -sfn {READMITTED} {KUBELET_CLIENT} && systemctl restart kubelet"
    yield Command("let the kubelet use it", ("sh", "-c", use), marker="kubelet-client", value=value)
    yield Wait("the kubelet answers", port=10248, timeout=120)


CERTIFICATES = KubeadmCertificates()
