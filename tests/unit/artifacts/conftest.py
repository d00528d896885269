"""A web server and an OCI registry on loopback: real HTTP, with the faults that a test asks for."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from raijin.transport.http import Retry


@dataclass
class Route:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    faults: list[int] = field(default_factory=list)
    """For the next requests: a status to answer with, or a negative number: cut off after that many bytes."""


@dataclass
class Seen:
    method: str
    path: str
    headers: dict[str, str]


class Site:
    """Routes by path; `log` holds every request."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self.log: list[Seen] = []
        self.guard: Any = None
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.answer(self)

            do_HEAD = do_GET  # noqa: N815 - the base class looks the method up by this name

            def log_message(self, *_: object) -> None:
                return

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that hangs up is part of the tests, not news."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    def put(self, path: str, body: bytes, **more: Any) -> str:
        self.routes[path] = Route(body, **more)
        return self.url + path

    def paths(self) -> list[str]:
        return [seen.path for seen in self.log]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.log.append(Seen(request.command, request.path, {k.lower(): v for k, v in request.headers.items()}))
        denied = self.guard(request) if self.guard else None
        route = denied or self.routes.get(request.path) or Route(b"not here", 404)
        fault = route.faults.pop(0) if route.faults else 0
        if fault > 0:
            route = Route(b"fault", fault, {"Retry-After": "0"})
        status, body, headers = route.status, route.body, dict(route.headers)
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if asked and route.ranges and status == 200:
            start = int(asked[1])
            if start >= len(body):
                status, body = 416, b""
            else:
                headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
                status, body = 206, body[start:]
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if request.command == "HEAD":
            return
        if fault < 0:
            request.wfile.write(body[:-fault])
            request.close_connection = True
            return
        request.wfile.write(body)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


OCI = "application/vnd.oci.image"


class FakeRegistry(Site):
    """An OCI registry: `push` an image for some architectures; with `token` it wants a Bearer token for all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.token = ""

    def require_token(self, token: str) -> None:
        self.token = token
        self.put("/token", json.dumps({"token": token}).encode())

        def guard(request: BaseHTTPRequestHandler) -> Route | None:
            wanted = f"Bearer {self.token}"
            if not request.path.startswith("/v2/") or request.headers.get("Authorization") == wanted:
                return None
            challenge = f'Bearer realm="{self.url}/token",service="fake",scope="repository:any:pull"'
            return Route(b"", 401, {"WWW-Authenticate": challenge})

        self.guard = guard
        self.routes = {path: route for path, route in self.routes.items() if path != "/token"} | {
            f"/token?service=fake&scope=repository%3A{name}%3Apull": Route(json.dumps({"token": token}).encode())
            for name in ("k8s%2Fpause", "127.0.0.1_1%2Fk8s%2Fpause")
        }

    def blob(self, repository: str, content: bytes) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.put(f"/v2/{repository}/blobs/{digest}", content)
        return {"digest": digest, "size": len(content)}

    def manifest(self, repository: str, content: dict[str, Any], *names: str) -> dict[str, Any]:
        raw = json.dumps(content).encode()
        digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        headers = {"Content-Type": content["mediaType"], "Docker-Content-Digest": digest}
        for name in (digest, *names):
            self.put(f"/v2/{repository}/manifests/{name}", raw, headers=headers)
        return {"mediaType": content["mediaType"], "digest": digest, "size": len(raw)}

    def push(self, repository: str, tag: str, archs: tuple[str, ...] = ("amd64", "arm64")) -> dict[str, str]:
        """arch -> digest of its manifest."""
        shared = self.blob(repository, gzip.compress(b"shared base layer" * 1000, mtime=0))
        listed, digests = [], {}
        for arch in archs:
            config = {"architecture": arch, "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}
            own = self.blob(repository, gzip.compress(f"program for {arch}".encode() * 500, mtime=0))
            layer_type = f"{OCI}.layer.v1.tar+gzip"
            made = self.manifest(
                repository,
                {
                    "schemaVersion": 2,
                    "mediaType": f"{OCI}.manifest.v1+json",
                    "config": self.blob(repository, json.dumps(config).encode())
                    | {"mediaType": f"{OCI}.config.v1+json"},
                    "layers": [shared | {"mediaType": layer_type}, own | {"mediaType": layer_type}],
                },
            )
            digests[arch] = made["digest"]
            listed.append(made | {"platform": {"os": "linux", "architecture": arch}})
        attestation = {"digest": f"sha256:{'0' * 64}", "platform": {"os": "unknown", "architecture": "unknown"}}
        self.manifest(
            repository,
            {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": [attestation, *listed]},
            tag,
        )
        return digests


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    yield server
    server.close()


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    server = FakeRegistry()
    yield server
    server.close()


@pytest.fixture
def retry() -> Retry:
    """Patience that costs a test no time."""
    return Retry(attempts=3, first=0.001, cap=0.01)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"
