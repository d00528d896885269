"""Hosts of the store, templates, the schema, and the server itself."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import PlainTextResponse

from raijin.api.asked import Served
from raijin.api.caller import Known
from raijin.api.describing import LOOKING
from raijin.app.checking import schema_document
from raijin.app.roles import Role
from raijin.app.sites import sites_of
from raijin.app.starting import starters, template_text

router = APIRouter()


@router.get("/hosts", tags=["hosts"], responses=LOOKING)
def hosts(
    caller: Known,
    service: Served,
    cluster: Annotated[str | None, Query(pattern=r"^[-a-z0-9]{1,63}$", description="Only of this cluster.")] = None,
    free: Annotated[bool, Query(description="Only those that no cluster holds.")] = False,
    after: Annotated[str, Query(pattern=r"^[-a-z0-9./]{0,320}$", description="Go on after this host.")] = "",
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
) -> dict[str, Any]:
    """The hosts that the Sites of the store define, and which cluster holds each."""
    caller.require_any(Role.VIEWER)
    rows, more = service.hosts(sees=caller.sees, cluster=cluster, free=free, after=after, limit=limit)
    return {"hosts": rows, "next": more}


@router.get("/sites", tags=["hosts"], responses=LOOKING)
def sites(caller: Known, service: Served) -> dict[str, Any]:
    """The Sites of the store: machines, networks, links, and the clusters that stand on them."""
    caller.require_any(Role.VIEWER)
    return {"sites": sites_of(service, caller.sees)}


@router.get("/templates", tags=["definitions"])
def templates() -> dict[str, list[dict[str, str]]]:
    """Definitions to start from."""
    return {"templates": [{"name": name, "summary": summary} for name, summary in starters()]}


@router.get("/templates/{name}", tags=["definitions"], responses=LOOKING, response_class=PlainTextResponse)
def template(name: Annotated[str, Path(pattern=r"^[-a-z0-9]{1,63}$")]) -> PlainTextResponse:
    """The text of one, with comments."""
    return PlainTextResponse(template_text(name), media_type="application/yaml")


@router.get("/schema", tags=["definitions"])
def schema() -> dict[str, Any]:
    """The JSON Schema of definitions, for editors."""
    return schema_document()


@router.get("/system", tags=["server"], responses=LOOKING)
def system(caller: Known, service: Served) -> dict[str, Any]:
    """The version of the server, its runners, and who asks."""
    return {**service.about(), "caller": {"name": caller.name, "roles": caller.written()}}
