"""Runs: what was asked, how it goes, how it went."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from raijin.api.asked import Asking, Served
from raijin.api.caller import Known
from raijin.api.describing import CHANGING, LOOKING, accepted
from raijin.api.tail import Tail, as_sse
from raijin.api.wire import EventPage, RunDetails, RunPage, RunSummary
from raijin.app.roles import Role
from raijin.observe.events import Event, Kind

router = APIRouter(tags=["runs"])
RunId = Annotated[str, Path(max_length=64, description="The run, by its whole id.", examples=["20261127-142530-3f9a"])]
Last = Annotated[int | None, Header(alias="Last-Event-ID", ge=0, le=2**53, description="Go on after this event.")]
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "Events as they happen.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


@router.get("/runs", response_model=RunPage, responses=LOOKING)
def list_runs(
    caller: Known,
    service: Served,
    cluster: Annotated[str | None, Query(pattern=r"^[-a-z0-9.]{1,253}$")] = None,
    before: Annotated[str, Query(pattern=r"^[-0-9a-f]{0,64}$", description="Go on before this run.")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """The runs, the newest first."""
    if cluster:
        caller.require(Role.VIEWER, cluster)
    rows, more = service.run_list(cluster=cluster, limit=limit, before=before)
    return {"runs": [row for row in rows if caller.sees(row["cluster"])], "next": more}


@router.get("/runs/{run}", response_model=RunDetails, responses=LOOKING)
def get_run(run: RunId, caller: Known, service: Served) -> dict[str, Any]:
    """A run with its steps, timings and errors."""
    caller.require(Role.VIEWER, service.run(run).cluster)
    return service.run_details(run)


@router.get("/runs/{run}/plan", responses=LOOKING)
def get_plan(run: RunId, caller: Known, service: Served) -> dict[str, Any]:
    """The plan that the run carries out. Secrets are in it by name only."""
    caller.require(Role.VIEWER, service.run(run).cluster)
    return service.run_plan(run)


@router.post("/runs/{run}/cancel", response_model=RunSummary, responses=CHANGING)
def cancel(run: RunId, caller: Known, service: Served) -> dict[str, Any] | None:
    """Stop a run: nothing more is started, and each host ends the operation in hand."""
    record = service.run(run)
    caller.require(Role.OPERATOR, record.cluster)
    stopped = service.cancel(run)
    service.note(caller, "cancel", record.cluster, run=run)
    return service.run_json(stopped)


@router.post(
    "/runs/{run}/resume", response_model=RunSummary, status_code=202,
    responses={202: accepted("The run, going on."), **CHANGING},
)  # fmt: skip
def resume(run: RunId, asked: Asking) -> Response:
    """Go on where a run was killed, failed or cancelled: what is done stays done."""
    asked.require(Role.OPERATOR, asked.service.run(run).cluster)
    return asked.run(lambda: asked.service.resume(run))


@router.get("/runs/{run}/log", response_model=EventPage, responses=LOOKING)
def log(
    run: RunId,
    caller: Known,
    service: Served,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
    host: Annotated[str, Query(pattern=r"^[-a-z0-9.]{0,253}$", description="Only of this host.")] = "",
) -> dict[str, Any]:
    """The events of a run, in their order."""
    caller.require(Role.VIEWER, service.run(run).cluster)
    found = service.events(run, after=after, limit=limit)
    lines = [asdict(event) | {"id": number} for number, event in found if not host or event.host == host]
    return {"events": lines, "next": found[-1][0] if found else after}


@router.get("/runs/{run}/events", responses={**LOOKING, **STREAM}, response_class=StreamingResponse)
async def follow(run: RunId, request: Request, caller: Known, service: Served, last: Last = None) -> StreamingResponse:
    """The events of a run as they happen (SSE): first those after `Last-Event-ID`, then the new ones, to its end."""
    record = await run_in_threadpool(service.run, run)
    caller.require(Role.VIEWER, record.cluster)
    tail: Tail = request.app.state.tail

    async def lines() -> AsyncIterator[str]:
        sent = last or 0
        async with tail.listen() as coming:
            while True:
                ended = (await run_in_threadpool(service.run, run)).status.ended
                while page := await run_in_threadpool(service.events, run, after=sent, limit=1000):
                    for number, event in page:
                        sent = number
                        yield as_sse(number, event)
                if ended:
                    yield "event: end\ndata: {}\n\n"
                    return
                async for batch in coming:
                    if not batch:
                        yield ": still here\n\n"
                        break
                    mine = [item for item in batch if item[1].run == run and item[0] > sent]
                    if not mine:
                        continue
                    sent = mine[-1][0]
                    yield "".join(text for _, _, text in mine)
                    if any(event.kind is Kind.RUN_FINISHED for _, event, _ in mine):
                        break

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@router.get("/events", responses={**LOOKING, **STREAM}, response_class=StreamingResponse)
async def follow_all(request: Request, caller: Known, service: Served, last: Last = None) -> StreamingResponse:
    """The events of all runs that the caller may see, as they happen (SSE). With `Last-Event-ID`: those since."""
    caller.require_any(Role.VIEWER)
    tail: Tail = request.app.state.tail
    clusters: dict[str, str] = {}

    async def seen(event: Event) -> bool:
        if event.run not in clusters:
            clusters[event.run] = (await run_in_threadpool(service.run, event.run)).cluster
        return caller.sees(clusters[event.run])

    async def lines() -> AsyncIterator[str]:
        sent = last
        async with tail.listen() as coming:
            yield ": connected\n\n"  # from here on nothing is missed
            while sent is not None and (page := await run_in_threadpool(service.events_after, sent)):
                for number, event in page:
                    sent = number
                    if await seen(event):
                        yield as_sse(number, event)
            async for batch in coming:
                fresh = [text for number, event, text in batch if number > (sent or 0) and await seen(event)]
                if fresh:
                    yield "".join(fresh)
                elif not batch:
                    yield ": still here\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
