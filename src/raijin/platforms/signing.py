"""Keys and what they sign, for certificates inside a cluster. Imported when a plan is carried out, not to make one."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from raijin.errors import KubernetesError
from raijin.facts.cluster import PART_LABEL
from raijin.observe.masking import MASKER
from raijin.platforms.certificates import CERTIFICATE_DAYS, VALID_NOTE, secret_of
from raijin.transport.document import Document, describe

AUTHORITY_DAYS = 3650
_CURVES: dict[str, ec.EllipticCurve] = {"ECDSA-P256": ec.SECP256R1(), "ECDSA-P384": ec.SECP384R1()}
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_BACKDATED = dt.timedelta(hours=1)
"""Clocks of hosts differ a little."""


@dataclass(frozen=True, slots=True)
class Signer:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def outlives_what_it_signs(self) -> bool:
        return self.certificate.not_valid_after_utc > _now() + dt.timedelta(days=CERTIFICATE_DAYS)


def new_authority(common_name: str) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = _builder(name, name, key, key, AUTHORITY_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs=True), critical=True)
    return Signer(builder.sign(key, hashes.SHA256()), key)


def new_root(common_name: str, algorithm: str, days: float) -> tuple[str, str]:
    """An authority as kubeadm makes it (util/pkiutil): certificate and key as PEM.

    algorithm: `RSA-2048`, `ECDSA-P256` and the like (kubeadm: encryptionAlgorithm). Raises KubernetesError for others.
    """
    kind, _, size = algorithm.partition("-")
    key: PrivateKey
    if kind == "RSA" and size.isdigit():
        key = rsa.generate_private_key(public_exponent=65537, key_size=int(size))
    elif algorithm in _CURVES:
        key = ec.generate_private_key(_CURVES[algorithm])
    else:
        raise KubernetesError(f"a key of {algorithm} cannot be made", remedy="choose another encryptionAlgorithm")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = authority_builder(name, name, key, key, days)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(common_name)]), critical=False)
    return certificate_text(builder.sign(key, hashes.SHA256())), key_text(key)


def authority_builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, signing: PrivateKey, days: float
) -> x509.CertificateBuilder:
    """Of an authority that signs for a cluster: itself, or signed by another one."""
    builder = _builder(subject, issuer, key, signing, days)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.add_extension(_usage(signs=True, enciphers=True), critical=True)


def certificate_text(certificate: x509.Certificate) -> str:
    return _pem(certificate).decode()


def key_text(key: PrivateKey) -> str:
    """As kubeadm and K3s write keys."""
    return _key_pem(key, serialization.PrivateFormat.TraditionalOpenSSL).decode()


def read_authority(live: Document) -> Signer:
    try:
        certificate, key = (base64.b64decode(live["data"][name]) for name in ("ca.crt", "ca.key"))
        private = serialization.load_pem_private_key(key, None)
        signer = x509.load_pem_x509_certificate(certificate)
    except (KeyError, TypeError, ValueError) as error:
        raise KubernetesError(
            f"{describe(live)} is no authority that can sign: {error}", remedy="delete it; the next run makes a new one"
        ) from error
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise KubernetesError(
            f"{describe(live)} has a key that is not of an elliptic curve", remedy="delete it, or bring certificates"
        )
    return Signer(signer, private)


def authority_secret(namespace: str, name: str, signer: Signer) -> Document:
    """The Secret in which an authority lies, so that whoever goes on later signs as the same."""
    files = {"ca.crt": _pem(signer.certificate), "ca.key": _key_pem(signer.key)}
    return {**secret_of(namespace, name), "type": "Opaque", "data": _encoded(files)}


def leaf(wanted: dict[str, Any], signer: Signer, part: str) -> Document:
    """The Secret with a new key and its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wanted["name"])])
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if wanted["server"] else [])]
    builder = _builder(name, signer.certificate.subject, key, signer.key, CERTIFICATE_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(wanted["name"])]), critical=False)
    builder = builder.add_extension(_usage(signs=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    certificate = builder.sign(signer.key, hashes.SHA256())
    document = secret_of(wanted["namespace"], wanted["secret"])
    document["metadata"] |= {
        "labels": {PART_LABEL: part},
        "annotations": {VALID_NOTE: certificate.not_valid_after_utc.date().isoformat()},
    }
    files = {"ca.crt": _pem(signer.certificate), "tls.crt": _pem(certificate), "tls.key": _key_pem(key)}
    return {**document, "type": "kubernetes.io/tls", "data": _encoded(files)}


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: PrivateKey,
    signing: PrivateKey,
    days: float,
) -> x509.CertificateBuilder:
    now, signer = _now(), x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(signer, critical=False)
    )


def _usage(*, signs: bool, enciphers: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=enciphers,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: PrivateKey, form: serialization.PrivateFormat = serialization.PrivateFormat.PKCS8) -> bytes:
    text = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    MASKER.add(text.decode())
    return text


def _encoded(files: dict[str, bytes]) -> dict[str, str]:
    encoded = {name: base64.b64encode(content).decode() for name, content in files.items()}
    for name, value in encoded.items():
        if name.endswith(".key"):
            MASKER.add(value)
    return encoded
