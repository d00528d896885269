"""The server does what its OpenAPI document says: schemathesis makes requests from it, right and wrong ones.

No request may end in a defect, answer with a status or type that the document does not name, or send a document of
another shape. Streams without an end are left out.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from raijin.api.application import application
from raijin.app.background import Background
from raijin.app.service import Service
from raijin.app.settings import ServerSettings

load_all_checks()
WANTED = [
    CHECKS.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    )
]
SITE = """\
kind: Site
hosts: [{name: n1, address: 192.0.2.11}, {name: n2, address: 192.0.2.12}]
"""
CLUSTER = """\
kind: Cluster
name: production
type: VANILLA
version: v1.34.2
nodeGroups: [{name: control-plane, role: CONTROL_PLANE, hosts: [n1]}]
"""


class Nothing:
    """In the place of the engine: what is asked for is noted in the journal, and waits."""

    def __init__(self) -> None:
        self.tasks: set[object] = set()
        self.durable = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    async def enqueue(self, run: str) -> None:
        del run

    async def again(self, run: str, attempt: int) -> None:
        del run, attempt


@asynccontextmanager
async def outlived(_: object) -> AsyncIterator[None]:
    yield


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    home = tmp_path_factory.mktemp("home")
    service = Service(home, Path(home) / "definitions")
    service.__dict__["background"] = Background(Nothing())  # type: ignore[arg-type]
    service.start()
    service.store.write("site", SITE)
    service.store.write("production", CLUSTER)
    api = application(service, settings=ServerSettings(requestsPerMinute=1_000_000))
    api.router.lifespan_context = outlived  # the client would start and stop the server for every request
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", api, headers={"host": "localhost"})
    yield schema
    service.stop()


ENDLESS_OR_HOSTS = re.compile(
    r"/(events|status|facts|plan|backups|kubeconfig|validate|readyz|utilisation|capacity|certificates"
    r"|overview|workers|etcd)$"
)
"""Streams without an end, what would go to hosts, and what says rightly that no runner is alive here."""


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
def test_the_server_does_what_its_document_says(described: Any, mode: GenerationMode) -> None:
    asked: list[str] = []
    for found in described.get_all_operations():
        operation = found.ok()
        if ENDLESS_OR_HOSTS.search(operation.path):
            continue

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        def conforms(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=WANTED, headers={"host": "localhost"})

        with contextlib.suppress(Unsatisfiable):  # an operation that nothing wrong can be asked of
            conforms()
            asked.append(operation.label)
    assert len(asked) >= 20, asked
