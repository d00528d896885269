"""Authorities of K3s and RKE2 that follow those before them. Imported when a plan is carried out, not to make one.

After "Rotating Self-Signed CA Certificates" of docs.k3s.io ("Default CA Topology"): a new root signs an intermediate
authority, which signs everything; the root before it signs the new root too, so that who knows the old one follows.
"""

from __future__ import annotations

import datetime as dt

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from raijin.errors import OperationFailed
from raijin.platforms.signing import PrivateKey, authority_builder, certificate_text, key_text

DAYS = 7300.0
_KEY_END = " PRIVATE KEY-----"


def successor(name: str, certificates: str, keys: str, moment: dt.datetime) -> tuple[str, str]:
    """The files of the authority that follows the one in these: certificates, and keys, each as PEM.

    name: of it, as `k3s-server`. Raises OperationFailed for one whose root is not here.
    """
    old, old_key = _root(name, certificates, keys)
    stamp = int(moment.timestamp())
    root_key, own_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name, own_name = (_named(f"{name}-{part}@{stamp}") for part in ("root", "ca"))
    itself = authority_builder(root_name, root_name, root_key, root_key, DAYS).sign(root_key, hashes.SHA256())
    crossed = authority_builder(root_name, old.subject, root_key, old_key, DAYS).sign(old_key, hashes.SHA256())
    own = authority_builder(own_name, root_name, own_key, root_key, DAYS).sign(root_key, hashes.SHA256())
    certificates = "".join(map(certificate_text, (own, itself, crossed, old)))
    return certificates, "".join(map(key_text, (own_key, root_key)))


def _root(name: str, certificates: str, keys: str) -> tuple[x509.Certificate, PrivateKey]:
    """The only one of its file, or, where it was replaced before, the second: the root that signed the first."""
    try:
        every = x509.load_pem_x509_certificates(certificates.encode())
        place = 0 if len(every) == 1 else 1
        key = serialization.load_pem_private_key(_split(keys)[place].encode(), None)
    except (ValueError, IndexError, TypeError) as error:
        raise OperationFailed(
            f"the root of the authority {name} is not on this host: it is one of your own",
            remedy="replace it by the root that you have, after 'Rotating Custom CA Certificates' of the documentation",
        ) from error
    if (
        not isinstance(key, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey))
        or key.public_key() != every[place].public_key()
    ):
        raise OperationFailed(
            f"the key of the authority {name} is not that of its certificate",
            remedy="see the files of that name on the host",
        )
    return every[place], key


def _split(keys: str) -> list[str]:
    """One text for each key."""
    found, text = list[str](), list[str]()
    for line in keys.splitlines(keepends=True):
        text.append(line)
        if line.startswith("-----END") and _KEY_END in line:
            found.append("".join(text))
            text = []
    return found


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
