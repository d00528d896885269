"""What looks like a secret goes, wherever it stands; what only has a similar name stays."""

from __future__ import annotations

import json

import pytest

from raijin.observe.masking import MASK
from raijin.observe.redaction import bare, redact

SECRET = "s3cr3tValue0123456789abcdef"
PLACES = [
    f"password: {SECRET}",
    f'"password": "{SECRET}"',
    f"DB_PASSWORD={SECRET} started",
    f"client-key-data: {SECRET}",
    f"kubeadm join 192.0.2.1:6443 --token {SECRET} --discovery-token-ca-cert-hash sha256:0",
    f"Authorization: Bearer {SECRET}",
    f"GET / bearer {SECRET}",
    f"postgres://app:{SECRET}@db.example.org/x",
    f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
    f"-----BEGIN PRIVATE KEY-----\n{SECRET}",
    f"secretKey: {SECRET}".replace("secretKey", "secret-key").replace("secret-key", "accessKey"),
    f"certificateKey: {SECRET}",
]


@pytest.mark.parametrize("text", PLACES)
def test_it_is_hidden(text: str) -> None:
    said = redact(f"before {text} after")
    assert SECRET not in said
    assert said.startswith("before ")
    assert MASK in said


def test_tokens_and_keys_of_known_forms() -> None:
    token = "abcdef.0123456789abcdef"
    assert redact(f"token id {token} used") == f"token id abcdef.{MASK} used"
    for secret in (
        "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ",
        "eyJhbGciOiJSUzI1NiIs.eyJpc3MiOiJrdWJl.c2lnbmF0dXJl",
        f"K10{'0' * 64}::server:abc",
    ):
        assert redact(f"x {secret} y") == f"x {MASK} y"


@pytest.mark.parametrize(
    "text",
    [
        "secretName: web-tls",
        "mounted volume for secret kube-root-ca.crt",
        "file kube-apiserver.0123456789abcdef.log",
        "https://192.0.2.1:6443/readyz",
        'kind: "PodDisruptionBudget"',
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_objects_lose_variables_and_what_was_applied() -> None:
    pod = {
        "metadata": {
            "name": "web",
            "managedFields": [{"manager": "kubectl"}],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": SECRET, "a": "b"},
        },
        "spec": {"containers": [{"name": "c", "env": [{"name": "MODE", "value": SECRET}, {"name": "X", "value": ""}]}]},
    }
    foreign = bare(pod, known=False)
    assert SECRET not in json.dumps(foreign)
    assert foreign["metadata"] == {"name": "web", "annotations": {"a": "b"}}
    assert foreign["spec"]["containers"][0]["name"] == "c"
    ours = {"env": [{"name": "ETCD_PASSWORD", "value": SECRET}, {"name": "NODE", "value": "n1"}]}
    assert bare(ours, known=True)["env"] == [{"name": "ETCD_PASSWORD", "value": MASK}, {"name": "NODE", "value": "n1"}]
