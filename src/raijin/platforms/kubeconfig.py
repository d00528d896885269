"""Kubeconfigs as texts: what is in them, and the names under which they are handed to people."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import yaml

from raijin.errors import KubernetesError
from raijin.transport.yamls import read_yaml


def kubeconfig_secret(cluster: str) -> str:
    """The name under which a cluster's kubeconfig is kept."""
    return f"cluster/{cluster}/kubeconfig"


def parsed(kubeconfig: str) -> dict[str, Any]:
    content = read_yaml(kubeconfig)
    if not isinstance(content, dict):
        raise KubernetesError("the kubeconfig is not a mapping")
    return content


def renamed(kubeconfig: str, cluster: str, endpoint: str) -> str:
    """The same credentials under names that do not collide in a merged file (kubeadm calls every cluster alike)."""
    content = read_yaml(kubeconfig)
    try:
        inner = {**content["clusters"][0]["cluster"], "server": f"https://{endpoint}"}
        user = content["users"][0]["user"]
    except (KeyError, IndexError, TypeError) as error:
        raise KubernetesError(f"the kubeconfig of {cluster} has an unknown form") from error
    admin = f"{cluster}-admin"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": inner}],
        "users": [{"name": admin, "user": user}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": admin}}],
        "current-context": cluster,
    }
    return yaml.safe_dump(document, sort_keys=False)


def ca_certificate(kubeconfig: dict[str, object]) -> bytes:
    """The PEM of the cluster's certificate authority in a parsed kubeconfig."""
    clusters = kubeconfig["clusters"]
    if not isinstance(clusters, list):
        raise KubernetesError("the kubeconfig has no clusters")
    return base64.b64decode(clusters[0]["cluster"]["certificate-authority-data"])


def ca_hash(pem: bytes) -> str:
    """`sha256:...` of the public key, by which joining nodes know the cluster (kubeadm: discovery token CA hash)."""
    from cryptography import x509  # noqa: PLC0415  (plans import this module, and only joining hosts need this)
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    key = x509.load_pem_x509_certificate(pem).public_key()
    return f"sha256:{hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()}"


def private_part(kubeconfig: str) -> str:
    """The private key in a kubeconfig, as it is written there (to be masked); empty when there is none."""
    lines = (line.partition(":")[2].strip() for line in kubeconfig.splitlines() if "client-key-data" in line)
    return next(lines, "")
