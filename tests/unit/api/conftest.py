"""A server in this process, without a socket: the application on a store in a folder, asked through ASGI."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx2
import pytest

from raijin.api.application import application
from raijin.app.access import Access
from raijin.app.background import Background
from raijin.app.changes import session_for
from raijin.app.service import Service
from raijin.app.settings import ServerSettings

SITE = """\
# our machines
kind: Site
hosts:
  - {name: n1, address: 192.0.2.11}
  - {name: n2, address: 192.0.2.12}
  - {name: n3, address: 192.0.2.13}
  - {name: n4, address: 192.0.2.14}
"""
CLUSTER: dict[str, Any] = {
    "name": "lab",
    "type": "VANILLA",
    "version": "v1.34.2",
    "nodeGroups": [
        {"name": "control-plane", "role": "CONTROL_PLANE", "hosts": ["n1"]},
        {"name": "workers", "role": "WORKER", "hosts": ["n2"]},
    ],
}


@dataclass
class Queue:
    """In the place of the engine: it notes what it was asked for, and does nothing."""

    runs: list[str] = field(default_factory=list)
    tasks: set[object] = field(default_factory=set)
    durable: None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    async def enqueue(self, run: str) -> None:
        self.runs.append(run)

    async def again(self, run: str, attempt: int) -> None:
        self.runs.append(f"{run} again {attempt}")

    async def schedule(self, wanted: object) -> None:
        del wanted


@dataclass
class Server:
    service: Service
    client: httpx2.AsyncClient
    queue: Queue
    access: Access | None = None

    async def ask(self, method: str, path: str, **more: Any) -> httpx2.Response:
        return await self.client.request(method, f"/api/v1{path}", **more)

    async def get(self, path: str, **more: Any) -> httpx2.Response:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, document: Any = None, **more: Any) -> httpx2.Response:
        return await self.ask("POST", path, **({"json": document} if document is not None else {}), **more)

    def keep(self, run: str) -> str:
        """What a runner writes of the change that a run is for, when its plan stands: the cluster's new text."""
        record = self.service.runs.get(run)
        session_for(self.service, record).keep()
        return self.service.store.cluster(record.cluster)[0].path.read_text()

    def put_file(self, name: str, text: str) -> None:
        self.service.store.write(name, text)


@pytest.fixture
async def start(home: Path) -> AsyncIterator[Callable[..., Any]]:
    """Starts servers, and ends them with the test."""
    closing: list[tuple[Any, httpx2.AsyncClient]] = []

    async def begin(
        *, ask: bool = False, settings: ServerSettings | None = None, base: str = "http://localhost"
    ) -> Server:
        queue = Queue()
        service = Service(home, home / "definitions")
        service.__dict__["background"] = Background(queue)  # type: ignore[arg-type]
        access = Access(service.database, home) if ask else None
        api = application(service, settings=settings, access=access)
        context = api.router.lifespan_context(api)
        await context.__aenter__()
        client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=api, raise_app_exceptions=False), base_url=base)
        closing.append((context, client))
        return Server(service, client, queue, access)

    yield begin
    for context, client in closing:
        await client.aclose()
        await context.__aexit__(None, None, None)


@pytest.fixture
async def server(start: Callable[..., Any]) -> Server:
    """A server that asks nobody, with a Site of four hosts."""
    made: Server = await start()
    made.put_file("site", SITE)
    return made


@pytest.fixture
def cluster() -> dict[str, Any]:
    """A cluster on two of the four."""
    return {**CLUSTER, "nodeGroups": [dict(group) for group in CLUSTER["nodeGroups"]]}


def problem_of(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["type"] == f"urn:raijin:error:{code}"
    assert document["status"] == status
    assert document["request_id"] == response.headers["x-request-id"]
    return document


@pytest.fixture
def problem() -> Callable[..., dict[str, Any]]:
    """`problem(response, 404, "not-found")` asserts that it is that problem document, and returns it."""
    return problem_of
