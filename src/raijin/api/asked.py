"""A request for long work: who asks, and once only. `Idempotency-Key` makes a request safe to send again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.responses import JSONResponse

from raijin.api.caller import Known
from raijin.app.roles import Caller, Role
from raijin.app.service import Service
from raijin.state.replies import Replies
from raijin.state.runs import RunRecord

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[A-Za-z0-9_-]{1,128}$",
        description="The same key and request again get the first answer again; with another request it is refused.",
    ),
]
Match = Annotated[
    str | None, Header(alias="If-Match", pattern=r'^(\*|"[0-9a-f]{32}")$', description="Only while it is this ETag.")
]


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Served = Annotated[Service, Depends(service_of)]


def tag(match: str | None) -> str | None:
    """The ETag without its quotes."""
    return match.strip('"') if match else None


@dataclass(frozen=True, slots=True)
class Asked:
    """key: empty when the request may not be repeated. digest: of the whole request."""

    service: Service
    caller: Caller
    key: str
    digest: str

    def require(self, role: Role, cluster: str) -> None:
        self.caller.require(role, cluster)

    def request(self, **more: Any) -> dict[str, Any]:
        """What is kept with the run: who asked for what."""
        return {"who": self.caller.name, "address": self.caller.address, **more}

    def run(self, work: Callable[[], RunRecord]) -> Response:
        """202 with the run that `work` starts, and where it is."""
        replies = Replies(self.service.database)
        if self.key:
            stored = replies.begin(self.caller.name, self.key, self.digest)
            if stored is not None:
                status, headers, body = stored
                return Response(body, status, headers | {"Idempotency-Replayed": "true"}, "application/json")
        try:
            record = work()
            document = self.service.run_json(record)
        except BaseException:
            if self.key:
                replies.forget(self.caller.name, self.key)
            raise
        headers = {"Location": f"/api/v1/runs/{record.id}"}
        if self.key:
            replies.end(self.caller.name, self.key, 202, headers, json.dumps(document))
        return JSONResponse(document, 202, headers)


async def asked_of(request: Request, caller: Known, service: Served, key: Key = None) -> Asked:
    body = await request.body()
    line = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return Asked(service, caller, key or "", hashlib.sha256(line + body).hexdigest())


Asking = Annotated[Asked, Depends(asked_of)]
