"""The certificates of K3s and RKE2. After "k3s certificate" of docs.k3s.io, "Certificate Management" of docs.rke2.io.

The program makes them at its start: those that are missing, and those that have less than 120 days left (90 before the
releases of May 2025), of which it keeps the keys. `certificate rotate` takes away all that it makes, while it is
stopped, so that keys are new too: servers first, one at a time, then agents. An agent is given its own by a server each
time that it starts, also when the old ones have expired.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from raijin.facts.certificates import Certificate
from raijin.operations.base import Operation
from raijin.operations.command import Command
from raijin.operations.program import Program
from raijin.operations.unit import Unit
from raijin.platforms.base import Context, Node
from raijin.platforms.rancher.layout import Distribution
from raijin.platforms.rancher.members import address, answers
from raijin.platforms.renewal import DONE, Keeper, begin, begun_on, end, value_of

DAYS = 365.0
STOP_SECONDS = 120
AUTHORITIES = ("client-ca.crt", "server-ca.crt", "request-header-ca.crt", "etcd/server-ca.crt", "etcd/peer-ca.crt")
# What `certificate rotate` takes away (k3s pkg/util/services, FilesForServices), below server/tls; {} is the product.
_SERVER = (
    "client-admin.crt", "client-auth-proxy.crt", "client-controller.crt", "client-kube-apiserver.crt",
    "client-kube-proxy.crt", "client-scheduler.crt", "client-{}-cloud-controller.crt", "client-{}-controller.crt",
    "serving-kube-apiserver.crt", "etcd/client.crt", "etcd/server-client.crt", "etcd/peer-server-client.crt",
)  # fmt: skip
_AGENT = ("client-kubelet.crt", "serving-kubelet.crt", "client-kube-proxy.crt", "client-{}-controller.crt")
# Renewed at a start, and by `certificate rotate` only since the releases of May 2024; and the one that the supervisor
# serves with, which its listener renews while it runs (dynamiclistener, Config.ExpirationDaysCheck).
_BY_ITSELF = ("client-supervisor.crt", "dynamic-cert.json")
# $0: the unit, $1: the program. It is started whatever became of the rotation: the old ones may still be good.
ROTATE = 'systemctl stop "$0" || exit; "$1" certificate rotate; done=$?; systemctl start "$0" || exit; exit "$done"'


class RancherCertificates:
    """See `platforms.renewal.Certificates`."""

    def __init__(self, distribution: Distribution) -> None:
        tls, agent, product = f"{distribution.server_data}/tls", f"{distribution.data}/agent", distribution.product
        self.distribution = distribution
        self.authorities = frozenset(f"{tls}/{name}" for name in AUTHORITIES)
        self.by_itself = frozenset(f"{tls}/{name}" for name in _BY_ITSELF)
        self.renewed = frozenset(
            (
                *(f"{tls}/{name.format(product)}" for name in _SERVER),
                *(f"{agent}/{name.format(product)}" for name in _AGENT),
                distribution.kubeconfig,  # written at each start, with the administrator's
            )
        )

    def keeper(self, certificate: Certificate) -> Keeper | None:
        if certificate.path in self.authorities:
            return Keeper.AUTHORITY
        if certificate.path in self.renewed:
            return Keeper.RAIJIN
        return Keeper.ITSELF if certificate.path in self.by_itself else None

    def days(self, context: Context) -> float:
        del context
        return DAYS

    def unfinished(self, node: Node) -> bool:
        return begun_on(node)

    def renew(self, context: Context, node: Node, wanted: Sequence[Certificate]) -> Program:
        return Program("renew the certificates", context.cluster.name, tuple(self._operations(context, node, wanted)))

    def _operations(self, context: Context, node: Node, wanted: Sequence[Certificate]) -> Iterable[Operation]:
        unit, seconds = self.distribution.unit(node), self.distribution.start_seconds
        yield begin()
        if wanted:
            yield Command(
                "make new certificates",
                ("sh", "-c", ROTATE, unit, self.distribution.program),
                marker=DONE,
                value=value_of(wanted),
                timeout=seconds + STOP_SECONDS,
            )
        yield Unit(unit, enabled=None, timeout=seconds)
        yield from answers(self.distribution, server=node.control_plane)
        yield from address(context, self.distribution, node)
        yield end()

    def readmit(self, context: Context, node: Node) -> None:
        """An agent is let in by its token, not by the certificate that it had."""
        del context, node

    def discard(self, context: Context, node: Node) -> None:
        del context, node
