"""A make-believe OKD site on loopback: machines that fetch their Ignition configuration, and the API that they make.

The API is a store of objects behind HTTPS; kubelets ask for certificates as real ones do. No etcd, no scheduler.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tests.unit.listening import Answering, listening
from tests.unit.transport.test_kube import certified

from raijin.platforms.okd.approval import API as REQUESTS
from raijin.platforms.okd.approval import BOOTSTRAPPER, BOOTSTRAPPER_GROUPS, CLIENT, SERVING

Document = dict[str, Any]
NODES = "/api/v1/nodes"
RELEASE = "4.22.0-okd-scos.7"
VERSIONS = "/apis/config.openshift.io/v1/clusterversions"
OPERATORS = "/apis/config.openshift.io/v1/clusteroperators"
POOLS = "/apis/machineconfiguration.openshift.io/v1/machineconfigpools"
SCHEDULERS = "/apis/config.openshift.io/v1/schedulers"
BOOTSTRAP = "/api/v1/namespaces/kube-system/configmaps/bootstrap"
PAUSE = 0.02


def request_of(common: str, organizations: tuple[str, ...] = ("system:nodes",), *names: x509.GeneralName) -> str:
    """A certificate request, as kubelets put it into the API."""
    subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, one) for one in organizations]
    subject.append(x509.NameAttribute(NameOID.COMMON_NAME, common))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    key = ec.generate_private_key(ec.SECP256R1())
    return base64.b64encode(builder.sign(key, SHA256()).public_bytes(Encoding.PEM)).decode()


class OkdSite:
    """objects: of the API, by path. up: whether the API answers. masters, workers: their addresses, by name."""

    def __init__(self, masters: dict[str, str], workers: dict[str, str], bootstrap: tuple[str, str]) -> None:
        self.masters, self.workers, self.bootstrap = masters, workers, bootstrap
        self.objects: dict[str, Document] = {f"{NODES.rpartition('/')[0]}/namespaces/kube-system": {}}
        self.up, self.ended, self.port, self.ignition = False, threading.Event(), 0, 0
        self.kubeconfig, self.fetched, self.ports = "", dict[str, Document](), dict[str, frozenset[int]]()
        self.changed: list[str] = []
        self.threads: list[threading.Thread] = []

    # Machines

    def boot(self, *names: str) -> None:
        """Switch machines on: each goes on trying until it has its configuration."""
        for name in names:
            self.threads.append(threading.Thread(target=self._live, args=(name,), daemon=True))
            self.threads[-1].start()

    def _live(self, name: str) -> None:
        address = {**self.masters, **self.workers, self.bootstrap[0]: self.bootstrap[1]}[name]
        while not self.ended.is_set() and name not in self.fetched:
            self._fetch(name, address)
            time.sleep(PAUSE)
        if name == self.bootstrap[0]:
            self.up = True
        elif name in self.masters:
            self._until(lambda: self.up)
            self.node(name, address, "control-plane", ready=True)
            if all(f"{NODES}/{one}" in self.objects for one in self.masters):
                self.objects[BOOTSTRAP] = {"metadata": {"name": "bootstrap"}, "data": {"status": "complete"}}
        else:
            self._until(lambda: BOOTSTRAP in self.objects)
            self._kubelet(name, address)
        if not self.ended.is_set():
            self._operators()

    def _fetch(self, name: str, address: str) -> None:
        connection = HTTPConnection("127.0.0.1", self.ignition, source_address=(address, 0), timeout=5)
        try:
            connection.request("GET", f"/{name}.ign")
            answer = connection.getresponse()
            if answer.status == 200:
                self.fetched[name] = json.loads(answer.read())
        except (OSError, HTTPException):
            return  # nobody offers anything yet
        finally:
            connection.close()

    def _kubelet(self, name: str, address: str) -> None:
        self.ask(name, CLIENT, BOOTSTRAPPER, sorted(BOOTSTRAPPER_GROUPS), ["digital signature", "client auth"])
        self.node(name, address, "worker", ready=False)
        names = (x509.DNSName(name), x509.IPAddress(ipaddress.ip_address(address)))
        groups = ["system:nodes", "system:authenticated"]
        self.ask(name, SERVING, f"system:node:{name}", groups, ["digital signature", "server auth"], *names)
        self.node(name, address, "worker", ready=True)

    def ask(self, name: str, signer: str, user: str, groups: list[str], usages: list[str], *names: Any) -> None:
        """Ask for a certificate, and wait for it."""
        path = f"{REQUESTS}/csr-{len(self.objects)}"
        spec = {"signerName": signer, "username": user, "groups": groups, "usages": usages}
        spec["request"] = request_of(f"system:node:{name}", ("system:nodes",), *names)
        self.objects[path] = {"metadata": {"name": path.rpartition("/")[2]}, "spec": spec, "status": {}}
        self._until(lambda: bool(self.objects[path]["status"].get("conditions")))

    def node(self, name: str, address: str, role: str, *, ready: bool) -> None:
        state = {"type": "Ready", "status": str(ready), "message": "the network is not ready"}
        old = self.objects.get(f"{NODES}/{name}", {})
        labels = {**old.get("metadata", {}).get("labels", {}), f"node-role.kubernetes.io/{role}": ""}
        status = {"conditions": [state], "addresses": [{"type": "InternalIP", "address": address}]}
        metadata = {**old.get("metadata", {}), "name": name, "labels": labels}
        self.objects[f"{NODES}/{name}"] = {"metadata": metadata, "spec": {}, "status": status}

    def _operators(self) -> None:
        names = {*self.masters, *(name for name in self.workers if name in self.fetched)}
        ready = all(f"{NODES}/{one}" in self.objects for one in names)
        conditions = [{"type": "Available", "status": str(ready)}, {"type": "Progressing", "status": str(not ready)}]
        whole = [*conditions, {"type": "Degraded", "status": "False"}]
        self.objects[f"{OPERATORS}/ingress"] = {"metadata": {"name": "ingress"}, "status": {"conditions": whole}}
        status = {"history": [{"version": RELEASE, "state": "Completed"}], "conditions": conditions[:1]}
        self.objects[f"{VERSIONS}/version"] = {"metadata": {"name": "version"}, "spec": {}, "status": status}

    def _until(self, holds: Any) -> None:
        while not holds() and not self.ended.is_set():
            time.sleep(PAUSE)

    # The API

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Document | str]:
        if method == "GET" and path.endswith("/proxy/healthz"):
            return 200, "ok"
        if method == "PUT" and path.endswith("/approval"):
            path = path.removesuffix("/approval")
        if method in {"PUT", "PATCH"}:
            self.changed.append(path)
            merged = _merged(self.objects.get(path, {}), yaml.safe_load(body))
            self.objects[path] = merged
            return 200, _whole(path, merged)
        if method == "DELETE":
            self.changed.append(f"gone {path}")
            return (200, _whole(path, self.objects.pop(path))) if path in self.objects else (404, _missing())
        if path in self.objects:
            return 200, _whole(path, self.objects[path])
        listed = [_whole(name, item) for name, item in self.objects.items() if name.rpartition("/")[0] == path]
        if listed or path in {NODES, REQUESTS, OPERATORS, POOLS, SCHEDULERS}:
            return 200, {"metadata": {}, "items": listed}
        return 404, _missing()

    @contextmanager
    def serving(self, folder: Path) -> Iterator[OkdSite]:
        site = self

        class Handler(Answering):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                if not site.up:
                    self.close_connection = True
                    return
                status, told = site.answer(self.command, urlsplit(self.path).path, body)
                content = told.encode() if isinstance(told, str) else json.dumps(told).encode()
                self.reply(status, content, {"content-type": "application/json"})

            do_GET = do_PUT = do_PATCH = do_DELETE = do_POST = handle_any  # noqa: N815

        certificate, key = certified()
        (folder / "server.pem").write_bytes(certificate + key)
        self.kubeconfig = _kubeconfig(certificate)
        with listening(Handler, folder / "server.pem") as self.port:
            try:
                yield self
            finally:
                self.ended.set()
                for machine in self.threads:
                    machine.join(5)


def _kubeconfig(certificate: bytes) -> str:
    ca = base64.b64encode(certificate).decode()
    cluster = {"server": "https://api.okd.example.org:6443", "certificate-authority-data": ca}
    return yaml.safe_dump({
        "apiVersion": "v1", "kind": "Config", "current-context": "admin",
        "clusters": [{"name": "okd", "cluster": cluster}],
        "contexts": [{"name": "admin", "context": {"cluster": "okd", "user": "admin"}}],
        "users": [{"name": "admin", "user": {"token": "the-token-of-an-administrator"}}],
    })  # fmt: skip


def _merged(old: Any, new: Any) -> Any:
    """A JSON merge patch."""
    if not isinstance(new, dict):
        return new
    old = old if isinstance(old, dict) else {}
    gone = {key for key, value in new.items() if value is None}
    return {
        **{key: value for key, value in old.items() if key not in gone},
        **{key: _merged(old.get(key), value) for key, value in new.items() if key not in gone},
    }


def _whole(path: str, item: Document) -> Document:
    name = path.rpartition("/")[2]
    return {**item, "metadata": {"name": name, **item.get("metadata", {})}}


def _missing() -> Document:
    return {"kind": "Status", "apiVersion": "v1", "message": "not found", "reason": "NotFound", "code": 404}
