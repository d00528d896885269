"""The store: definition files as people write them, with their comments."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from raijin.api.asked import Match, Served, tag
from raijin.api.caller import Known
from raijin.api.describing import CHANGING, LOOKING
from raijin.api.wire import NAME, DefinitionFile, DefinitionList, DefinitionSet
from raijin.app.roles import Role
from raijin.app.stored import StoredFile
from raijin.errors import PreconditionFailed, RequestInvalid, UsageError

router = APIRouter(tags=["definitions"])
FileName = Annotated[str, Path(pattern=NAME, description="The file, without its suffix.", examples=["production"])]
NoneMatch = Annotated[str | None, Header(alias="If-None-Match", pattern=r"^\*$", description="Only a new file.")]
YAML = "application/yaml"
TEXT: dict[str, Any] = {"description": "The text, as it was written.", "content": {YAML: {}}}


@router.get("/definitions", responses=LOOKING)
def list_definitions(caller: Known, service: Served) -> dict[str, list[DefinitionFile]]:
    """The files of the store, and what is in them."""
    caller.require_any(Role.VIEWER)
    found = [item for item in service.store.files() if item.shared or all(caller.sees(c.name) for c in item.clusters)]
    return {"definitions": [DefinitionFile.model_validate(item.to_json()) for item in found]}


@router.put("/definitions", response_model=DefinitionList, responses=CHANGING)
async def put_definitions(wanted: DefinitionSet, caller: Known, service: Served) -> dict[str, Any]:
    """Write several files: new ones, and (with their ETags in `matches`) those that were read. Checked together before.

    It says what runs as root on hosts, so it takes an administrator.
    """
    caller.require(Role.ADMIN)
    kept = await run_in_threadpool(service.write, caller, wanted.files, wanted.matches)
    return {"definitions": [item.to_json() for item in kept]}


@router.post("/definitions/check-together", responses=LOOKING)
async def check_together(wanted: DefinitionSet, caller: Known, service: Served) -> dict[str, Any]:
    """Check several files as if they were written. Writes nothing."""
    caller.require_any(Role.VIEWER)
    return await run_in_threadpool(service.check_together, wanted.files)


@router.get("/definitions/{name}", responses={**LOOKING, 200: TEXT}, response_class=Response)
def get_definition(name: FileName, caller: Known, service: Served) -> Response:
    """The text of a file. Its ETag is what `If-Match` wants."""
    stored, text = service.store.text(name)
    caller.require_any(Role.VIEWER)
    for cluster in stored.clusters:
        caller.require(Role.VIEWER, cluster.name)
    return Response(text, media_type=YAML, headers={"ETag": f'"{stored.etag}"'})


@router.put("/definitions/{name}", response_model=DefinitionFile, responses=CHANGING)
async def put_definition(
    name: FileName,
    request: Request,
    response: Response,
    caller: Known,
    service: Served,
    text: Annotated[str, Body(media_type=YAML, description="The file.")] = "",
    match: Match = None,
    none_match: NoneMatch = None,
) -> dict[str, Any]:
    """Write a file: a new one, or (with `If-Match`) in the place of the one that was read. Checked before.

    It says what runs as root on hosts, so it takes an administrator.
    """
    caller.require(Role.ADMIN)
    del text  # as FastAPI describes it; the bytes are what counts
    body = _text(await request.body())

    def write() -> StoredFile:
        if match is None and none_match is None and any(item.name == name for item in service.store.files()):
            raise PreconditionFailed(f"there is a definition {name}", remedy="read it, and send its ETag as If-Match")
        kept = service.store.write(name, body, match=tag(match), fresh=none_match is not None)
        service.note(caller, "definition-written", name, kept.etag)
        return kept

    # Reading all that the file is read with takes a while: others are answered meanwhile.
    stored = await run_in_threadpool(write)
    response.headers["ETag"] = f'"{stored.etag}"'
    return stored.to_json()


@router.delete("/definitions/{name}", status_code=204, responses=CHANGING)
def delete_definition(name: FileName, caller: Known, service: Served, match: Match = None) -> None:
    """Take a file out of the store. What its clusters run goes on: end them first."""
    caller.require(Role.ADMIN)
    service.store.remove(name, match=tag(match))
    service.note(caller, "definition-removed", name)


@router.post("/definitions/check", responses=LOOKING)
async def check(
    request: Request,
    caller: Known,
    service: Served,
    name: Annotated[str, Query(pattern=NAME, description="The file that it is meant for.")] = "unnamed",
    text: Annotated[str, Body(media_type=YAML, description="The file.")] = "",
) -> dict[str, Any]:
    """Check a text as if it were written, with the places of all faults. Writes nothing."""
    caller.require_any(Role.VIEWER)
    del text
    return await run_in_threadpool(service.check, name, _text(await request.body()))


def _text(body: bytes) -> str:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"the body is not UTF-8 text (byte {error.start})", remedy="send it as UTF-8") from error
    if not text.strip():
        raise RequestInvalid("the body is empty", remedy="send the text of the file")
    return text
