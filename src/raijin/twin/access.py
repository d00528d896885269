"""The authority of a simulated cluster, and the kubeconfigs that go with it."""

from __future__ import annotations

import base64
import datetime as dt
from functools import cache

import yaml

AUTHORITY_DAYS, LEAF_DAYS = 3650, 365


def certificate() -> str:
    """Of the authority of the simulated cluster, as PEM: joining hosts know a cluster by its key."""
    return issued(AUTHORITY_DAYS)


@cache
def issued(days: int) -> str:
    """A certificate that ends in so many days, as PEM; the same for all: who signed it matters to nobody here."""
    from cryptography import x509  # noqa: PLC0415  (a slow import, for few uses)
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "rehearsal")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - dt.timedelta(hours=1))
    signed = made.not_valid_after(now + dt.timedelta(days=days)).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def kubeconfig(ca: str, server: str) -> str:
    """An administrator's. server: its URL."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "default",
                "cluster": {
                    "certificate-authority-data": base64.b64encode(ca.encode()).decode(),
                    "server": server,
                },
            }
        ],
        "users": [{"name": "admin", "user": {"token": "of-a-rehearsal"}}],
        "contexts": [{"name": "admin", "context": {"cluster": "default", "user": "admin"}}],
        "current-context": "admin",
    }
    return yaml.safe_dump(document, sort_keys=False)
