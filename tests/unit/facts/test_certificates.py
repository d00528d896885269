"""Certificates of hosts, read without a library, beside what the library reads."""

from __future__ import annotations

import base64
import datetime as dt
import json
import subprocess
from pathlib import Path

import pytest
from cryptography import x509 as library
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from raijin.facts import x509
from raijin.facts.certificates import PATTERNS, SNIPPET, Certificate, in_kubeconfig, parse

DAY = 86_400
NOW = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(
    *,
    subject: str = "kube-apiserver",
    issuer: str = "kubernetes",
    begins: dt.datetime = NOW,
    days: float = 365,
    ca: bool = False,
    bare: bool = False,
) -> str:
    names = [
        library.Name(
            [
                library.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"),
                library.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )
        for name in (subject, issuer)
    ]
    builder = (
        library.CertificateBuilder()
        .subject_name(names[0])
        .issuer_name(names[1])
        .public_key(KEY.public_key())
        .serial_number(7)
        .not_valid_before(begins)
        .not_valid_after(begins + dt.timedelta(days=days))
    )
    if not bare:
        identifier = library.SubjectKeyIdentifier.from_public_key(KEY.public_key())
        authority = library.AuthorityKeyIdentifier.from_issuer_public_key(KEY.public_key())
        for extension, critical in (
            (library.BasicConstraints(ca=ca, path_length=None), True),
            (library.SubjectAlternativeName([library.DNSName("api.example.org")]), False),
            (identifier, False),
            (authority, False),
        ):
            builder = builder.add_extension(extension, critical=critical)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def read(pem: str) -> x509.Fields:
    return x509.read(next(x509.blocks(pem)))


@settings(max_examples=30)
@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=16),
    st.integers(0, 4_000_000_000),
    st.floats(1, 9000),
    st.booleans(),
    st.booleans(),
)
def test_it_reads_what_the_library_reads(name: str, start: int, days: float, ca: bool, bare: bool) -> None:
    begins = dt.datetime.fromtimestamp(start, dt.UTC)
    pem = certificate(subject=name, issuer=name[::-1], begins=begins, days=int(days), ca=ca, bare=bare)
    found, known = read(pem), library.load_pem_x509_certificate(pem.encode())
    assert found.subject == name
    assert found.issuer == name[::-1]
    assert found.begins == known.not_valid_before_utc.timestamp()
    assert found.ends == known.not_valid_after_utc.timestamp()
    assert found.ca is (ca and not bare)
    own = library.SubjectKeyIdentifier.from_public_key(KEY.public_key()).digest.hex()
    assert (found.key, found.signer) == (("", "") if bare else (own, own))


@given(st.integers(0, 400), st.binary(max_size=30))
def test_what_is_no_certificate_is_refused_in_words(cut: int, noise: bytes) -> None:
    der = next(x509.blocks(certificate()))
    for broken in (der[:cut], noise, der[: cut // 2] + noise + der[cut // 2 :]):
        try:
            x509.read(broken)
        except ValueError:
            continue
        assert len(broken) >= 300, "only bytes that nobody looks at may differ"


def test_the_host_prints_no_key(tmp_path: Path) -> None:
    """The very script of the facts, on files as kubeadm, the kubelet, K3s and RKE2 write them."""
    key = KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()
    client = certificate(subject="system:node:n1")
    encoded = {name: base64.b64encode(text.encode()).decode() for name, text in (("pem", client), ("key", key))}
    files = {
        "etc/kubernetes/pki/ca.crt": certificate(subject="new", ca=True) + certificate(subject="old", ca=True),
        "etc/kubernetes/pki/apiserver.crt": certificate() + certificate(subject="between", ca=True),
        "etc/kubernetes/pki/etcd/server.crt": certificate(subject="n1", issuer="etcd-ca"),
        "etc/kubernetes/pki/broken.crt": "-----BEGIN CERTIFICATE-----\nAAAA\n",
        "etc/kubernetes/pki/empty.crt": "",
        "etc/kubernetes/admin.conf": f"users:\n- user:\n    client-certificate-data: {encoded['pem']}\n"
        f"    client-key-data: {encoded['key']}\n",
        "etc/kubernetes/kubelet.conf": "users:\n- user:\n    client-certificate: /var/lib/kubelet/pki/x.pem\n",
        "var/lib/kubelet/pki/kubelet-client-current.pem": client + key,
        "var/lib/rancher/k3s/server/tls/serving-kube-apiserver.crt": certificate() + certificate(subject="ca", ca=True),
        "var/lib/rancher/k3s/server/tls/etcd/client.crt": certificate(subject="etcd-client", issuer="etcd-server"),
        "var/lib/rancher/k3s/server/tls/client-admin.key": key,
        "var/lib/rancher/k3s/server/tls/dynamic-cert.json": json.dumps(
            {"kind": "Secret", "data": {"tls.crt": encoded["pem"], "tls.key": encoded["key"]}}, separators=(",", ":")
        )
        + "\n",
        "etc/rancher/k3s/k3s.yaml": f"    client-certificate-data: {encoded['pem']}\n"
        f"    client-key-data: {encoded['key']}\n",
        "var/lib/rancher/rke2/agent/client-kubelet.crt": client,
        "var/lib/rancher/rke2/agent/client-kubelet.key": key,
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    script = SNIPPET
    for pattern in PATTERNS:
        script = script.replace(f" {pattern}", f" {tmp_path}{pattern}")
    done = subprocess.run(["/bin/sh", "-uc", script], capture_output=True, text=True, check=True)
    assert "KEY-----" not in done.stdout
    assert encoded["key"][:40] not in done.stdout
    found = parse(done.stdout.replace(str(tmp_path), ""))
    assert [(c.name, c.subject, c.issuer) for c in found if not c.fault] == [
        ("apiserver.crt", "kube-apiserver", "kubernetes"),
        ("ca.crt", "new", "kubernetes"),
        ("ca.crt", "old", "kubernetes"),
        ("etcd/server.crt", "n1", "etcd-ca"),
        ("admin.conf", "system:node:n1", "kubernetes"),
        ("kubelet-client-current.pem", "system:node:n1", "kubernetes"),
        ("serving-kube-apiserver.crt", "kube-apiserver", "kubernetes"),
        ("etcd/client.crt", "etcd-client", "etcd-server"),
        ("dynamic-cert.json", "system:node:n1", "kubernetes"),
        ("k3s.yaml", "system:node:n1", "kubernetes"),
        ("client-kubelet.crt", "system:node:n1", "kubernetes"),
    ]
    assert [(c.path, c.fault) for c in found if c.fault] == [
        ("/etc/kubernetes/pki/broken.crt", "it is no certificate: it is cut short")
    ]


def test_a_host_without_any_says_nothing() -> None:
    assert parse("") == ()
    with pytest.raises(ValueError, match="could not be read"):
        parse("file /etc/kubernetes/pki/ca.crt\nunread\n")


def test_the_certificate_of_a_kubeconfig() -> None:
    data = base64.b64encode(certificate(subject="admin").encode()).decode()
    found = in_kubeconfig(f"users:\n- user:\n    client-certificate-data: {data}\n")
    assert found is not None
    assert found.subject == "admin"
    assert in_kubeconfig("users: []\n") is None


@pytest.mark.parametrize(
    ("days", "left", "threshold", "due"),
    [
        (365, 89, 90, True),
        (365, 91, 90, False),
        (365, -1, 90, True),
        (1, 0.5, 90, False),
        (1, 0.3, 90, True),
        (3650, 100, 90, False),
        (365, 89, 30, False),
        (365, 364, float("inf"), False),
    ],
)
def test_when_it_is_due(days: float, left: float, threshold: float, due: bool) -> None:
    """Below ninety days, or below a third of a shorter life: one of a day is not renewed at every apply."""
    now = 1_800_000_000.0
    one = Certificate("/a.crt", begins=now + (left - days) * DAY, ends=now + left * DAY)
    assert one.is_due(now, threshold) is due
    assert one.is_expired(now) is (left < 0)
    assert not Certificate("/a.crt", fault="unreadable").is_due(now, threshold)
