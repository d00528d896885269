"""The audit trail: who did what, when, from where, on what, with which result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from raijin.api.asked import Served
from raijin.api.caller import Known
from raijin.api.describing import LOOKING
from raijin.app.auditing import written
from raijin.app.compliance import compliance
from raijin.app.roles import Role
from raijin.app.service import Service
from raijin.state.audit import Audit

router = APIRouter(prefix="/audit", tags=["audit"])
Word = Annotated[str, Query(pattern=r"^[A-Za-z0-9 ._@()*-]{0,80}$")]
Moment = Annotated[float | None, Query(ge=0, le=1e11, description="Unix time.")]
TYPES = {"jsonl": "application/jsonl", "csv": "text/csv", "report": "text/markdown"}
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "The entries.", "content": {name: {"schema": {"type": "string"}} for name in TYPES.values()}}
}


class Wanted:
    """Which entries. Words must be said exactly so; the empty one leaves it open."""

    def __init__(
        self,
        who: Word = "",
        action: Word = "",
        target: Word = "",
        result: Word = "",
        run: Word = "",
        cluster: Annotated[
            str, Query(pattern=r"^[-a-z0-9.]{0,253}$", description="What was done to it, and to no user of its name.")
        ] = "",
        since: Moment = None,
        until: Moment = None,
        incidents: Annotated[bool, Query(description="Only security incidents.")] = False,
    ) -> None:
        words = {"who": who, "action": action, "target": target, "result": result, "run": run}
        self.filters = {"filters": words, "since": since, "until": until, "incidents": incidents, "cluster": cluster}


Asked = Annotated[Wanted, Depends()]
Before = Annotated[int, Query(ge=0, le=2**53, description="Go on before this number.")]
Limit = Annotated[int, Query(ge=1, le=1000)]


def _page(service: Service, before: int, limit: int, **filters: Any) -> tuple[list[dict[str, Any]], int]:
    """The newest first, and the number to go on before: 0 at the end."""
    trail = Audit(service.database, service.home)
    found = trail.entries(before=before, limit=limit + 1, newest=True, **filters)
    return [entry.to_json() for entry in found[:limit]], found[limit - 1].number if len(found) > limit else 0


@router.get("", responses=LOOKING)
def entries(caller: Known, service: Served, asked: Asked, before: Before = 0, limit: Limit = 100) -> dict[str, Any]:
    """Entries, the newest first."""
    caller.require(Role.ADMIN)
    found, more = _page(service, before, limit, **asked.filters)
    return {"entries": found, "next": more}


@router.get("/incidents", responses=LOOKING)
def incidents(
    caller: Known, service: Served, since: Moment = None, before: Before = 0, limit: Limit = 1000
) -> dict[str, Any]:
    """Refused logins and tokens, hosts with another key than they had: the newest first."""
    caller.require(Role.ADMIN)
    found, more = _page(service, before, limit, since=since, incidents=True)
    return {"incidents": found, "next": more}


@router.get("/verify", responses=LOOKING)
def verify(caller: Known, service: Served) -> dict[str, Any]:
    """Read the whole chain and compute every hash again."""
    caller.require(Role.ADMIN)
    found = Audit(service.database, service.home).verify()
    return {"intact": not found.faults, "entries": found.count, "faults": list(found.faults), "head": found.head}


@router.get("/export", responses={**LOOKING, **STREAM}, response_class=StreamingResponse)
def export(
    caller: Known,
    service: Served,
    asked: Asked,
    form: Annotated[Literal["jsonl", "csv", "report"], Query(alias="format")] = "jsonl",
) -> StreamingResponse:
    """The trail to take away: lines of JSON, a table, or a report for people."""
    caller.require(Role.ADMIN)
    service.note(caller, "audit-exported", form)
    trail = Audit(service.database, service.home)

    def lines() -> Iterator[str]:
        found = trail.all(**asked.filters)
        if form == "report":
            told = compliance(service.home, service.database, service.folder, list(found))
        else:
            told = written(found, form)
        for line in told:
            yield line + "\n"

    return StreamingResponse(lines(), media_type=TYPES[form])
