"""Certificate requests of kubelets: what is signed, and everything that is not."""

from __future__ import annotations

import base64
import ipaddress
from typing import Any

import pytest
from cryptography import x509
from tests.unit.platforms.okd_site import request_of

from raijin.platforms.okd.approval import API, BOOTSTRAPPER, CLIENT, SERVING, approve, judge, pending

EXPECTED = {"w1": ["192.0.2.91"], "w2.example.org": ["192.0.2.92"]}
GROUPS = ["system:serviceaccounts:openshift-machine-config-operator", "system:serviceaccounts", "system:authenticated"]
NODES = ["system:nodes", "system:authenticated"]


def client(node: str = "w1", text: str = "", **spec: Any) -> dict[str, Any]:
    whole = {
        "signerName": CLIENT,
        "username": BOOTSTRAPPER,
        "groups": GROUPS,
        "usages": ["digital signature", "client auth"],
        "request": text or request_of(f"system:node:{node}"),
    }
    return {"metadata": {"name": "csr-1"}, "spec": {**whole, **spec}, "status": {}}


def serving(node: str = "w1", *names: x509.GeneralName, **spec: Any) -> dict[str, Any]:
    names = names or (x509.DNSName(node), x509.IPAddress(ipaddress.ip_address(EXPECTED[node][0])))
    whole = {
        "signerName": SERVING,
        "username": f"system:node:{node}",
        "groups": NODES,
        "usages": ["digital signature", "server auth"],
        "request": request_of(f"system:node:{node}", ("system:nodes",), *names),
    }
    return {"metadata": {"name": "csr-2"}, "spec": {**whole, **spec}, "status": {}}


@pytest.mark.parametrize(
    "request_",
    [
        client(),
        client("w2.example.org"),
        client(usages=["digital signature", "key encipherment", "client auth"]),
        serving(),
        serving("w2.example.org", x509.DNSName("w2"), x509.IPAddress(ipaddress.ip_address("192.0.2.92"))),
    ],
)
def test_what_a_new_node_of_the_definition_asks_for_is_signed(request_: dict[str, Any]) -> None:
    assert judge(request_, EXPECTED, nodes=()).fault == ""


ELSEWHERE = x509.IPAddress(ipaddress.ip_address("192.0.2.99"))


@pytest.mark.parametrize(
    ("request_", "fault"),
    [
        (client("w3"), "w3 is no node that is expected"),
        (client(text=request_of("admin", ("system:masters",))), "it is not for a node"),
        (client(text=request_of("system:node:w1", ("system:masters",))), "its organization is not system:nodes"),
        (client(text=request_of("system:node:w1", ("system:nodes", "system:masters"))), "its organization is not"),
        (
            client(text=request_of("system:node:w1", ("system:nodes",), x509.DNSName("api"))),
            "it asks for further names",
        ),
        (client(username="system:node:w2"), "system:node:w2 asks for it, and not the node bootstrapper"),
        (client(groups=[*GROUPS, "system:masters"]), "and not the node bootstrapper"),
        (client(usages=["digital signature", "client auth", "cert sign"]), "it asks for other usages"),
        (client(usages=["digital signature", "server auth"]), "it asks for other usages"),
        (client(text="bm90aGluZw=="), "it cannot be read"),
        (serving(username="system:node:w2.example.org"), "asks for the certificate of w1"),
        (serving(groups=["system:authenticated"]), "not of the group of nodes"),
        (serving("w1", x509.DNSName("w1"), ELSEWHERE), "it asks for 192.0.2.99"),
        (serving("w1", x509.DNSName("api.okd.example.org")), "it asks for api.okd.example.org"),
        (serving("w1", x509.UniformResourceIdentifier("https://w1")), "names of another kind"),
        (serving(usages=["digital signature", "client auth"]), "it asks for other usages"),
    ],
)
def test_what_is_left_alone_and_why(request_: dict[str, Any], fault: str) -> None:
    assert fault in judge(request_, EXPECTED, nodes=()).fault


def test_the_name_of_a_node_that_is_there_is_not_given_away_again() -> None:
    assert judge(client(), EXPECTED, nodes=["w1"]).fault == "there is a node w1 already"
    assert judge(serving(), EXPECTED, nodes=["w1"]).fault == ""


def test_a_signature_by_another_key_is_seen() -> None:
    der = bytearray(base64.b64decode(base64.b64decode(request_of("system:node:w1")).split(b"-----")[2]))
    der[-1] ^= 1
    begin, end = (b"-----%s CERTIFICATE REQUEST-----\n" % word for word in (b"BEGIN", b"END"))
    pem = begin + base64.encodebytes(bytes(der)) + end
    broken = client(text=base64.b64encode(pem).decode())
    assert judge(broken, EXPECTED, nodes=()).fault == "its signature is wrong"


def test_only_undecided_requests_of_kubelets_are_looked_at() -> None:
    decided = {**client(), "status": {"conditions": [{"type": "Denied"}]}}
    other = client(signerName="kubernetes.io/kube-apiserver-client")
    mine = client()
    assert pending([decided, other, mine]) == [mine]


class Api:
    def __init__(self, *requests: dict[str, Any]) -> None:
        self.requests, self.put_at = requests, list[tuple[str, dict[str, Any]]]()

    async def items(self, path: str) -> list[dict[str, Any]]:
        assert path == API
        return list(self.requests)

    async def put(self, path: str, document: dict[str, Any]) -> None:
        self.put_at.append((path, document))


async def test_an_approval_is_put_beside_the_request_and_nothing_else_is_touched() -> None:
    mine = client()
    api = Api(mine, client("w9"))
    verdicts = await approve(api, EXPECTED, nodes=())  # type: ignore[arg-type]
    assert [bool(verdict.fault) for verdict in verdicts] == [False, True]
    ((path, document),) = api.put_at
    assert path == f"{API}/csr-1/approval"
    assert document["spec"] == mine["spec"]
    (condition,) = document["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("Approved", "True")
