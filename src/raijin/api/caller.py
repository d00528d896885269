"""Who asks: a bearer token, a browser's session, or anybody on a server of this machine alone."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.concurrency import run_in_threadpool

from raijin.app.access import Access, everything
from raijin.app.oidc import Oidc, looks_like_jwt
from raijin.app.roles import Caller
from raijin.errors import AccessDenied, NotAuthenticated, TooManyRequests

COOKIE = "raijin_session"
CSRF_HEADER = "x-csrf-token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(slots=True)
class Gate:
    """Decides who a request is from. access: None for a server that asks nobody."""

    access: Access | None
    per_minute: int
    logins_per_minute: int
    secure: bool = False
    oidc: Oidc | None = None
    _limiter: MovingWindowRateLimiter = field(default_factory=lambda: MovingWindowRateLimiter(MemoryStorage()))

    async def __call__(self, request: Request) -> Caller:
        address = address_of(request)
        if self.access is None:
            caller = everything("anybody", address)
        else:
            await self._take("address", address, self.per_minute)
            caller = await self._known(self.access, request, address)
        await self._take("caller", caller.name, self.per_minute)
        return caller

    async def attempt(self, request: Request) -> str:
        """Before somebody tries a password or a setup token: not too often from one address. Returns the address."""
        address = address_of(request)
        await self._take("login", address, self.logins_per_minute)
        return address

    async def _known(self, access: Access, request: Request, address: str) -> Caller:
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind:
            if kind.lower() != "bearer" or not value:
                raise NotAuthenticated("the Authorization is not a bearer token", remedy="log in, or make a token")
            if self.oidc is not None and looks_like_jwt(value.strip()):
                return await self.oidc.caller(value.strip(), address)
            return await run_in_threadpool(access.by_token, value.strip(), address)
        if secret := request.cookies.get(COOKIE):
            caller = await run_in_threadpool(access.by_session, secret, address)
            if caller is None:
                raise NotAuthenticated("the session has ended", remedy="log in again")
            self._same_page(request, caller)
            return caller
        raise NotAuthenticated(
            "this server wants to know who asks", remedy="log in with `raijin login`, or send a token"
        )

    @staticmethod
    def _same_page(request: Request, caller: Caller) -> None:
        """A browser sends its cookie for pages of others too; only ours knows what it must repeat."""
        given = request.headers.get(CSRF_HEADER, "")
        if request.method not in SAFE and not hmac.compare_digest(given.encode(), caller.csrf.encode()):
            raise AccessDenied("the request does not say what its session must repeat", remedy="reload the page")

    async def _take(self, what: str, who: str, per_minute: int) -> None:
        if not await self._limiter.hit(RateLimitItemPerMinute(per_minute), what, who):
            raise TooManyRequests(f"more than {per_minute} requests in a minute", remedy="wait, and ask less often")


def address_of(request: Request) -> str:
    return request.client.host if request.client else "unix"


async def caller_of(request: Request) -> Caller:
    gate: Gate = request.app.state.gate
    return await gate(request)


Known = Annotated[Caller, Depends(caller_of)]
"""Who asks; a request of nobody ends here."""
