"""The server as an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.concurrency import run_in_threadpool

from raijin import __version__
from raijin.api import problems
from raijin.api.caller import Gate, Known
from raijin.api.dashboard import dashboard
from raijin.api.describing import LOOKING, complete
from raijin.api.guard import Guard
from raijin.api.metrics import CONTENT_TYPE, Metrics
from raijin.api.routes import access as accounts
from raijin.api.routes import audit, clusters, definitions, runs, system, utilisation
from raijin.api.tail import Tail
from raijin.app.access import Access
from raijin.app.roles import Role
from raijin.app.schedules import wanted
from raijin.app.service import Service
from raijin.app.settings import ServerSettings
from raijin.web.assets import Assets

PREFIX = "/api/v1"
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
DESCRIPTION = """On-premises Kubernetes from the power button to day two.

Long work answers 202 with a run, which `GET /api/v1/runs/{run}/events` follows. Every error is a problem document
(RFC 9457) with the code that the command line would end with."""


def application(
    service: Service, *, settings: ServerSettings | None = None, access: Access | None = None, secure: bool = False
) -> FastAPI:
    """access: None for a server that asks nobody who they are, which answers to names of this machine alone."""
    settings = settings or ServerSettings()
    api = FastAPI(
        title="Raijin", version=__version__, description=DESCRIPTION, lifespan=_lifespan(service, settings),
        openapi_url=f"{PREFIX}/openapi.json", docs_url=None, redoc_url=None,
    )  # fmt: skip
    api.state.service = service
    api.state.gate = Gate(access, settings.requests_per_minute, settings.logins_per_minute, secure)
    api.state.tail = Tail(service.events_after, service.last_event)
    problems.install(api)
    for part in (clusters, utilisation, runs, definitions, system, accounts, audit):
        api.include_router(part.router, prefix=PREFIX)
    metrics = Metrics(lambda: service.numbers() | {"raijin_event_listeners": {"sse": api.state.tail.listeners}})
    _health(api, service, metrics)
    api.include_router(dashboard(Assets()))
    setattr(api, "openapi", lambda: _described(api))  # noqa: B010  (FastAPI's documented way to change it)
    hosts = LOCAL_NAMES if access is None else None
    api.add_middleware(Guard, largest=settings.largest_request, hosts=hosts, secure=secure, observe=metrics.observe)
    return api


def _lifespan(service: Service, settings: ServerSettings) -> Any:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(service.start)
        works = service.background.works
        if works is not None:
            await service.background.result(works.schedule(wanted(settings)))
        try:
            yield
        finally:
            await asyncio.to_thread(service.stop)

    return lifespan


def _health(api: FastAPI, service: Service, metrics: Metrics) -> None:
    @api.get("/metrics", tags=["server"], responses=LOOKING, response_class=PlainTextResponse)
    def scraped(caller: Known) -> PlainTextResponse:
        """Metrics in Prometheus's format."""
        caller.require_any(Role.VIEWER)
        return PlainTextResponse(metrics.text(), media_type=CONTENT_TYPE)

    @api.get("/healthz", tags=["server"])
    async def healthz() -> Mapping[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @api.get("/readyz", tags=["server"], responses={503: {"description": "It cannot serve now, and why."}})
    async def readyz() -> JSONResponse:
        """The state can be read, and a runner lives."""
        faults = await run_in_threadpool(service.faults)
        return JSONResponse(
            {"status": "ready" if not faults else "not ready", "faults": faults}, 503 if faults else 200
        )


def _described(api: FastAPI) -> dict[str, Any]:
    if not api.openapi_schema:
        document = get_openapi(
            title=api.title, version=api.version, description=api.description, routes=api.routes,
            tags=[{"name": name, "description": text} for name, text in TAGS.items()],
        )  # fmt: skip
        api.openapi_schema = complete(document)
    return api.openapi_schema


TAGS = {
    "clusters": "What clusters are, and what shall become of them.",
    "runs": "What was asked, how it goes, how it went.",
    "definitions": "The files that clusters are made from.",
    "hosts": "The machines.",
    "access": "Who may do what.",
    "audit": "Who did what.",
    "server": "The server itself.",
}
