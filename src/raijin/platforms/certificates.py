"""Certificates inside a cluster, made when a plan is carried out: a new key goes into a Secret, and nowhere else.

The authority and its key are in a Secret too, so that whoever goes on later signs as the same. How long a certificate
is valid stands on its Secret, so that a plan sees it without reading any.
"""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import dataclass
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from raijin.errors import KubernetesError
from raijin.facts.cluster import PART_LABEL
from raijin.observe.masking import MASKER
from raijin.plan.handlers import CallContext, Handlers
from raijin.platforms.access import open_access
from raijin.transport.kube import Document, Kube, describe

VALID_NOTE = "raijin.dev/valid-until"
"""Annotation of a Secret that Raijin keeps: the day (ISO 8601) on which its certificate ends."""
AUTHORITY_DAYS, CERTIFICATE_DAYS = 3650, 1095
RENEWED_BEFORE = dt.timedelta(days=60)
_BACKDATED = dt.timedelta(hours=1)
"""Clocks of hosts differ a little."""


@dataclass(frozen=True, slots=True)
class Signer:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def ending(live: Document | None, moment: float) -> str:
    """Why a certificate has to be made: `absent`, or the day on which it ends; empty when it is good.

    A Secret without our note is somebody else's, and good. moment: seconds since the epoch.
    """
    if live is None:
        return "absent"
    day = str((live["metadata"].get("annotations") or {}).get(VALID_NOTE, ""))
    if not day:
        return ""
    end = dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC)
    return day if end - RENEWED_BEFORE < dt.datetime.fromtimestamp(moment, dt.UTC) else ""


async def keep_certificates(context: CallContext) -> None:
    """kube.certificates: those that are not there, or end soon; all of an authority when that itself had to be new."""
    every = cast("list[dict[str, Any]]", context.arguments["certificates"])
    async with open_access(context) as kube:
        for authority in {one["authority"]["secret"]: one["authority"] for one in every}.values():
            own = [one for one in every if one["authority"] == authority]
            due = [one for one in own if await _is_due(kube, one)]
            if not due:
                continue
            signer, new = await _signer(kube, authority)
            for one in own if new else due:
                context.say(f"making {describe(secret_of(one['namespace'], one['secret']))}")
                await kube.apply(leaf(one, signer, context.text("part")))


async def _is_due(kube: Kube, wanted: dict[str, Any]) -> bool:
    live = await kube.get(secret_of(wanted["namespace"], wanted["secret"]))
    return bool(ending(live, _now().timestamp()))


def secret_of(namespace: str, name: str) -> Document:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}}


async def _signer(kube: Kube, authority: dict[str, Any]) -> tuple[Signer, bool]:
    """The authority that the cluster has, if it will outlive what it signs; else a new one, and that it is new."""
    named = secret_of(authority["namespace"], authority["secret"])
    live = await kube.get(named)
    if live is not None:
        signer = _read(live)
        if signer.certificate.not_valid_after_utc > _now() + dt.timedelta(days=CERTIFICATE_DAYS):
            return signer, False
    signer = new_authority(authority["common_name"])
    files = {"ca.crt": _pem(signer.certificate), "ca.key": _key_pem(signer.key)}
    await kube.apply({**named, "type": "Opaque", "data": _encoded(files)})
    return signer, True


def _read(live: Document) -> Signer:
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


def new_authority(common_name: str) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = _builder(name, name, key, key, AUTHORITY_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs=True), critical=True)
    return Signer(builder.sign(key, hashes.SHA256()), key)


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
    key: ec.EllipticCurvePrivateKey,
    signing: ec.EllipticCurvePrivateKey,
    days: int,
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


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    text = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    MASKER.add(text.decode())
    return text


def _encoded(files: dict[str, bytes]) -> dict[str, str]:
    encoded = {name: base64.b64encode(content).decode() for name, content in files.items()}
    for name, value in encoded.items():
        if name.endswith(".key"):
            MASKER.add(value)
    return encoded


HANDLERS: Handlers = {"kube.certificates": keep_certificates}

BY_HAND = {
    "kube.certificates": "Make a key and a certificate for each of these Secrets, signed by one authority of the "
    "cluster (`openssl req -x509`, `kubectl create secret tls`):",
}
