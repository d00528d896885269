"""The Kubernetes API against a small HTTPS server: what is sent, and what each answer becomes."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.unit.listening import Answering, listening

from raijin.errors import KubernetesError, KubernetesUnavailable
from raijin.transport import kube as module
from raijin.transport.kube import Kube, describe, open_kube

NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "alpha"}}
MAP = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "conf", "namespace": "kube-system"},
    "data": {"a": "b"},
}


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return yaml.safe_load(self.body)


@dataclass
class Api:
    """Answers are functions by (method, path); without one, 404 as Kubernetes says it."""

    port: int = 0
    kubeconfig: str = ""
    requests: list[Request] = field(default_factory=list)
    answers: dict[tuple[str, str], Callable[[Request], tuple[int, Any]]] = field(default_factory=dict)

    def answer(self, method: str, path: str, status: int, body: dict[str, Any] | str) -> None:
        self.answers[method, path] = lambda _: (status, body)

    def refuse(self, method: str, path: str, status: int, message: str = "no") -> None:
        body = {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "message": message,
            "reason": "R",
            "code": status,
        }
        self.answer(method, path, status, body)


def certified(address: str = "127.0.0.1") -> tuple[bytes, bytes]:
    """A key with a certificate for an address, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(hours=1))
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    made = made.add_extension(names, critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = made.sign(key, hashes.SHA256())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return signed.public_bytes(serialization.Encoding.PEM), key.private_bytes(*form)


def kubeconfig_of(certificate: bytes) -> str:
    ca = base64.b64encode(certificate).decode()
    cluster = {"name": "lab", "cluster": {"server": "https://192.0.2.1:6443", "certificate-authority-data": ca}}
    context = {"name": "admin@lab", "context": {"cluster": "lab", "user": "admin"}}
    return yaml.safe_dump({
        "apiVersion": "v1", "kind": "Config", "current-context": "admin@lab", "clusters": [cluster],
        "contexts": [context], "users": [{"name": "admin", "user": {"token": "the-token"}}],
    })  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(tmp_path_factory.mktemp("tls")) as api:
        yield api


@contextmanager
def serving(folder: Path, address: str = "127.0.0.1") -> Iterator[Api]:
    """An API on 127.0.0.1, whose certificate is for this address."""
    api = Api()

    class Handler(Answering):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, parts.path, parse_qs(parts.query), headers, body)
            api.requests.append(request)
            missing = {"kind": "Status", "apiVersion": "v1", "message": "not found", "reason": "NotFound", "code": 404}
            status, answer = api.answers.get((self.command, parts.path), lambda _: (404, missing))(request)
            content = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
            kind = "text/plain" if isinstance(answer, str) else "application/json"
            self.reply(status, content, {"content-type": kind})

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815

    certificate, key = certified(address)
    path = folder / "server.pem"
    path.write_bytes(certificate + key)
    with listening(Handler, path) as port:
        api.port, api.kubeconfig = port, kubeconfig_of(certificate)
        yield api


@pytest.fixture
def api(server: Api) -> Api:
    server.requests.clear()
    server.answers.clear()
    return server


@pytest.fixture
async def kube(api: Api):
    async with open_kube(api.kubeconfig, ("127.0.0.1", api.port), "lab") as opened:
        yield opened


def node(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}


async def test_the_api_is_reached_by_the_tunnel_with_the_credentials_of_the_kubeconfig(api: Api, kube: Kube) -> None:
    api.answer("GET", "/api/v1/nodes", 200, {"kind": "NodeList", "metadata": {}, "items": [node("alpha")]})
    (found,) = await kube.list_nodes()
    assert found["metadata"]["name"] == "alpha"
    assert api.requests[0].headers["authorization"] == "Bearer the-token"


async def test_a_long_list_comes_in_pages(api: Api, kube: Kube) -> None:
    def page(request: Request) -> tuple[int, dict[str, Any]]:
        more = "continue" not in request.query
        metadata = {"continue": "next"} if more else {}
        return 200, {"kind": "NodeList", "metadata": metadata, "items": [node("alpha" if more else "beta")]}

    api.answers["GET", "/api/v1/nodes"] = page
    assert [item["metadata"]["name"] for item in await kube.list_nodes()] == ["alpha", "beta"]


async def test_pods_of_a_node(api: Api, kube: Kube) -> None:
    api.answer("GET", "/api/v1/pods", 200, {"kind": "PodList", "metadata": {}, "items": []})
    assert await kube.list_pods(node="alpha") == []
    assert api.requests[0].query["fieldSelector"] == ["spec.nodeName=alpha"]


async def test_what_is_not_there_is_none(api: Api, kube: Kube) -> None:
    assert await kube.get(NODE) is None
    api.answer("GET", "/api/v1/nodes/alpha", 200, NODE)
    assert (await kube.get(NODE) or {})["metadata"]["name"] == "alpha"
    assert await kube.get(MAP) is None
    assert api.requests[-1].path == "/api/v1/namespaces/kube-system/configmaps/conf"


@pytest.mark.parametrize("dry", [False, True])
async def test_documents_are_applied_by_the_server_as_raijin(api: Api, kube: Kube, dry: bool) -> None:
    path = "/api/v1/namespaces/kube-system/configmaps/conf"
    api.answer("PATCH", path, 200, MAP)
    assert (await kube.apply(MAP, dry_run=dry))["data"] == {"a": "b"}
    (request,) = api.requests
    assert request.headers["content-type"] == "application/apply-patch+yaml"
    assert (request.query["fieldManager"], request.query["force"]) == (["raijin"], ["true"])
    assert request.query.get("dryRun") == (["All"] if dry else None)
    assert request.document == MAP


async def test_deleting_twice(api: Api, kube: Kube) -> None:
    api.answer("DELETE", "/api/v1/nodes/alpha", 200, {"kind": "Status", "apiVersion": "v1", "status": "Success"})
    assert await kube.delete(NODE)
    api.answers.clear()
    assert not await kube.delete(NODE)


async def test_a_node_is_changed_by_a_merge_patch(api: Api, kube: Kube) -> None:
    api.answer("PATCH", "/api/v1/nodes/alpha", 200, NODE)
    await kube.patch_node("alpha", {"metadata": {"labels": {"gone": None, "new": "x"}}})
    (request,) = api.requests
    assert request.headers["content-type"] == "application/merge-patch+json"
    assert request.document == {"metadata": {"labels": {"gone": None, "new": "x"}}}


EVICTION = "/api/v1/namespaces/web/pods/one/eviction"


async def test_evicting_asks_and_a_budget_may_say_not_now(api: Api, kube: Kube) -> None:
    api.answer("POST", EVICTION, 201, {"kind": "Status", "apiVersion": "v1", "status": "Success"})
    assert await kube.evict("web", "one", grace_seconds=5)
    body = api.requests[0].document
    assert (body["kind"], body["metadata"]["name"]) == ("Eviction", "one")
    assert body["deleteOptions"]["gracePeriodSeconds"] == 5
    api.refuse("POST", EVICTION, 429, "Cannot evict pod as it would violate the pod's disruption budget.")
    assert not await kube.evict("web", "one")
    api.answers.clear()
    assert await kube.evict("web", "one"), "a pod that is gone is evicted"
    api.refuse("POST", EVICTION, 403)
    with pytest.raises(KubernetesError):
        await kube.evict("web", "one")


ANSWERS = {400: False, 403: True, 409: False, 422: False, 429: True, 500: True, 503: True}


@pytest.mark.parametrize(("status", "transient"), ANSWERS.items())
async def test_which_answers_may_be_asked_again(api: Api, kube: Kube, status: int, transient: bool) -> None:
    api.refuse("PATCH", "/api/v1/namespaces/kube-system/configmaps/conf", status, "the API says no")
    with pytest.raises(KubernetesError, match="lab: applying ConfigMap kube-system/conf: the API says no") as caught:
        await kube.apply(MAP)
    assert caught.value.transient is transient
    assert isinstance(caught.value, KubernetesUnavailable) is transient


async def test_no_answer_may_be_asked_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.2)
    async with open_kube(api.kubeconfig, ("127.0.0.1", 9), "lab") as kube:  # the discard port: nobody listens
        with pytest.raises(KubernetesUnavailable, match="listing nodes: the API does not answer"):
            await kube.list_nodes()
    waiting = threading.Event()
    api.answers["GET", "/api/v1/nodes"] = lambda _: (200 if waiting.wait(2) else 500, {})
    async with open_kube(api.kubeconfig, ("127.0.0.1", api.port), "lab") as kube:
        with pytest.raises(KubernetesUnavailable, match="does not answer"):
            await kube.list_nodes()
    waiting.set()


async def test_another_cluster_at_the_address_is_permanent(api: Api) -> None:
    """Somebody else answers there: asking again cannot help, and must not be tried with our token."""
    other, _ = certified()
    async with open_kube(kubeconfig_of(other), ("127.0.0.1", api.port), "lab") as kube:
        with pytest.raises(KubernetesError, match="certificate") as caught:
            await kube.list_nodes()
    assert api.requests == []
    assert not caught.value.transient


async def test_another_cluster_at_the_address_gets_nothing(api: Api) -> None:
    other, _ = certified()
    async with open_kube(kubeconfig_of(other), ("127.0.0.1", api.port), "lab") as kube:
        with pytest.raises(KubernetesError, match=r"(?i)certificate"):
            await kube.list_nodes()
    assert api.requests == []


UNKNOWN = {"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "w"}}


async def test_a_kind_that_nobody_knows_is_said_when_applied(kube: Kube) -> None:
    with pytest.raises(KubernetesError, match="applying Widget w"):
        await kube.apply(UNKNOWN)


@pytest.mark.parametrize("verb", ["get", "apply", "delete"])
async def test_a_kind_that_kubernetes_itself_does_not_have_is_said(kube: Kube, verb: str) -> None:
    with pytest.raises(KubernetesError, match="Widget w"):
        await getattr(kube, verb)({**UNKNOWN, "apiVersion": "apps/v1"})


async def test_objects_of_a_kind_that_is_not_defined_are_not_there(api: Api, kube: Kube) -> None:
    assert await kube.get(UNKNOWN) is None
    assert not await kube.delete(UNKNOWN)
    assert not await kube.serves(UNKNOWN)
    assert await kube.list("example.org/v1", "Widget", {"a": "b"}) == []
    assert {request.path.removesuffix("/w") for request in api.requests} == {"/apis/example.org/v1/widgets"}


async def test_a_group_that_the_api_does_not_serve_is_answered_in_plain_text(api: Api, kube: Kube) -> None:
    """As a real API server does; only objects of a group that it serves are answered in its own form."""
    for path in ("/apis/example.org/v1/widgets/w", "/apis/example.org/v1/widgets"):
        for method in ("GET", "DELETE", "PATCH"):
            api.answers[method, path] = lambda _: (404, "404 page not found")
    assert await kube.get(UNKNOWN) is None
    assert not await kube.delete(UNKNOWN)
    assert not await kube.serves(UNKNOWN)
    assert await kube.list("example.org/v1", "Widget", {"a": "b"}) == []
    with pytest.raises(KubernetesError, match=r"applying Widget w: .*404 page not found") as caught:
        await kube.apply(UNKNOWN)
    assert not caught.value.transient


async def test_objects_of_a_kind_that_somebody_has_defined(api: Api, kube: Kube) -> None:
    policy = {"apiVersion": "example.org/v1", "kind": "Policy", "metadata": {"name": "p", "namespace": "web"}}
    path = "/apis/example.org/v1/namespaces/web/policies/p"
    api.answer("PATCH", path, 200, policy)
    assert await kube.apply({**policy, "spec": {"x": [1]}}) == policy
    assert api.requests[-1].document == {**policy, "spec": {"x": [1]}}
    api.answer("GET", "/apis/example.org/v1/policies", 200, {"kind": "PolicyList", "metadata": {}, "items": []})
    assert await kube.serves(policy)


async def test_a_list_by_label_names_the_kind_of_each_object(api: Api, kube: Kube) -> None:
    bare = {"metadata": {"name": "conf", "namespace": "kube-system"}, "data": {"a": "b"}}
    api.answer("GET", "/api/v1/configmaps", 200, {"kind": "ConfigMapList", "metadata": {}, "items": [bare]})
    assert await kube.list("v1", "ConfigMap", {"raijin.dev/part": "network"}) == [MAP]
    assert api.requests[-1].query["labelSelector"] == ["raijin.dev/part=network"]


@pytest.mark.parametrize(
    ("kind", "plural"),
    [("IPPool", "ippools"), ("NetworkPolicy", "networkpolicies"), ("IngressClass", "ingressclasses"), ("Key", "keys")],
)
def test_plurals(kind: str, plural: str) -> None:
    assert module.plural_of(kind) == plural


@pytest.mark.parametrize("text", ["", "- a list", "clusters: {}", "{", "clusters: []\nusers: []\ncontexts: []\n"])
async def test_a_kubeconfig_that_is_none(text: str) -> None:
    with pytest.raises(KubernetesError, match="the kubeconfig of lab cannot be read"):
        async with open_kube(text, ("127.0.0.1", 9), "lab"):
            pass


def test_documents_for_people() -> None:
    assert describe(NODE) == "Node alpha"
    assert describe(MAP) == "ConfigMap kube-system/conf"


async def test_a_server_may_also_have_the_name_of_the_kubeconfig(tmp_path: Path) -> None:
    """A cluster that somebody else has made knows nothing of 127.0.0.1; another cluster's server stays refused."""
    with serving(tmp_path, "192.0.2.1") as api:  # as kubeconfig_of has it
        api.answer("GET", "/version", 200, {"gitVersion": "v1.34.2"})
        async with open_kube(api.kubeconfig, ("127.0.0.1", api.port), "lab") as kube:
            assert "v1.34.2" in await kube.read("/version")
            assert await kube.get(NODE) is None
        strange = api.kubeconfig.replace("192.0.2.1", "192.0.2.2")
        async with open_kube(strange, ("127.0.0.1", api.port), "lab") as kube:
            with pytest.raises(KubernetesError, match="not this cluster's"):
                await kube.read("/version")


async def test_texts_are_read_as_they_are_and_refused_with_what_the_server_says(api: Api, kube: Kube) -> None:
    api.answer("GET", "/readyz", 500, "[+]ping ok\n[-]etcd failed: reason withheld")
    with pytest.raises(KubernetesUnavailable, match="etcd failed"):
        await kube.read("/readyz", verbose="")
    assert api.requests[0].headers["authorization"] == "Bearer the-token"
    path = "/api/v1/namespaces/default/pods/web/log"
    api.answer("GET", path, 200, "one\ntwo\n")
    assert await kube.read(path, tailLines=2) == "one\ntwo\n"
    assert [line async for line in kube.lines(path, follow="true")] == ["one", "two"]
    assert api.requests[-1].query["follow"] == ["true"]
    with pytest.raises(KubernetesError, match="not found"):
        [line async for line in kube.lines("/api/v1/namespaces/default/pods/gone/log")]


async def test_items_of_all_pages(api: Api, kube: Kube) -> None:
    def page(request: Request) -> tuple[int, dict[str, Any]]:
        first = "continue" not in request.query
        return 200, {"metadata": {"continue": "next"} if first else {}, "items": [{"n": 1 if first else 2}]}

    api.answers["GET", "/apis/apps/v1/deployments"] = page
    assert await kube.items("/apis/apps/v1/deployments") == [{"n": 1}, {"n": 2}]
