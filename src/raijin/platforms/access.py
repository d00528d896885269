"""Reaching a cluster's API through one of its control plane hosts, with the credentials that lie there."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from raijin.errors import HostError, KubernetesError, RaijinError
from raijin.observe.masking import MASKER
from raijin.transport.kube import Kube, open_kube
from raijin.transport.pool import Pool

ADMIN_CONF = "/etc/kubernetes/admin.conf"


async def read_kubeconfig(pool: Pool, host: str) -> str:
    """The administrator's kubeconfig of a kubeadm control plane host. Raises HostError."""
    connection = await pool.get(host)
    text = (await connection.read(ADMIN_CONF)).decode()
    MASKER.add(_private_part(text))
    return text


@asynccontextmanager
async def open_cluster(pool: Pool, hosts: Iterable[str], cluster: str, *, port: int = 6443) -> AsyncIterator[Kube]:
    """The API by way of the first of the hosts that has it. Raises the last host's error when none does."""
    last: RaijinError = KubernetesError(f"{cluster} has no control plane host", host=cluster)
    for host in hosts:
        try:
            kubeconfig = await read_kubeconfig(pool, host)
            connection = await pool.get(host)
        except HostError as error:
            last = error
            continue
        async with connection.tunnel("127.0.0.1", port) as address, open_kube(kubeconfig, address, cluster) as kube:
            yield kube
        return
    raise last


def ca_certificate(kubeconfig: dict[str, object]) -> bytes:
    """The PEM of the cluster's certificate authority in a parsed kubeconfig."""
    clusters = kubeconfig["clusters"]
    if not isinstance(clusters, list):
        raise KubernetesError("the kubeconfig has no clusters")
    return base64.b64decode(clusters[0]["cluster"]["certificate-authority-data"])


def ca_hash(pem: bytes) -> str:
    """`sha256:...` of the public key, by which joining nodes know the cluster (kubeadm: discovery token CA hash)."""
    key = x509.load_pem_x509_certificate(pem).public_key()
    return f"sha256:{hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()}"


def _private_part(kubeconfig: str) -> str:
    lines = (line.partition(":")[2].strip() for line in kubeconfig.splitlines() if "client-key-data" in line)
    return next(lines, "")
