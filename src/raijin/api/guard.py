"""What every request passes: an id, limits of size and rate, the right host and type; and headers for browsers."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from raijin.api.problems import problem_response
from raijin.errors import AccessDenied, MediaTypeUnsupported, RaijinError, RequestTooLarge

_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
READ_TYPES = ("application/json", "application/yaml")
HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
}
Observe = Callable[[str, str, int, float], None]
"""method, route, status, seconds"""


@dataclass(slots=True)
class Guard:
    """largest: bytes of a body. hosts: names under which the server answers; None: any (it asks who comes).

    The names matter to a server that asks nobody: without them, a page of another site could reach it through a name
    that it lets point to this machine.
    """

    app: ASGIApp
    largest: int
    hosts: frozenset[str] | None = None
    secure: bool = False
    observe: Observe = field(default=lambda method, route, status, seconds: None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        wanted = headers.get("x-request-id", "")
        request_id = wanted if _ID.fullmatch(wanted) else secrets.token_hex(8)
        scope["raijin_request_id"] = request_id
        started, seen = time.monotonic(), [500]
        reply = self._reply(send, request_id, seen, api=str(scope["path"]).startswith("/api/"))
        try:
            error = self._refusal(scope, headers)
            if error is not None:
                await problem_response(error, request_id)(scope, receive, reply)
            else:
                await self.app(scope, self._counted(receive), reply)
        finally:
            route = scope.get("route")
            path = str(getattr(route, "path", "unknown"))
            self.observe(str(scope["method"]), path, seen[0], time.monotonic() - started)

    def _refusal(self, scope: Scope, headers: Mapping[str, str]) -> RaijinError | None:
        host = (
            headers.get("host", "").rsplit(":", 1)[0] if not headers.get("host", "").endswith("]") else headers["host"]
        )
        if self.hosts is not None and host not in self.hosts:
            return AccessDenied("this server does not answer under that name", remedy="use http://localhost")
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self.largest:
            return RequestTooLarge(f"the request is larger than {self.largest} bytes", remedy="send less at once")
        has_body = length != "0" or "transfer-encoding" in headers
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if scope["method"] in {"POST", "PUT", "PATCH"} and has_body and kind not in READ_TYPES:
            # Also what keeps pages of other sites out: a form cannot send JSON without asking first.
            return MediaTypeUnsupported(
                f"a body of type {kind[:80] or 'unknown'} is not read", remedy="send Content-Type: application/json"
            )
        return None

    def _counted(self, receive: Receive) -> Receive:
        """A body without a length is counted as it comes."""
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self.largest:
                raise HTTPException(413)
            return message

        return counted

    def _reply(self, send: Send, request_id: str, seen: list[int], *, api: bool) -> Send:
        own = dict(HEADERS) | {"X-Request-ID": request_id}
        if self.secure:
            own["Strict-Transport-Security"] = "max-age=31536000"
        if api:
            own["Cache-Control"] = "no-store"

        async def reply(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen[0] = message["status"]
                there = {key.lower() for key, _ in message.get("headers", [])}
                more = [(k.encode(), v.encode()) for k, v in own.items() if k.lower().encode() not in there]
                message = {**message, "headers": [*message.get("headers", []), *more]}
            await send(message)

        return reply
