"""HTTP to the outside (upstreams, mirrors, registries): the one module that knows httpx2.

It gives three things and no policy above them: a client whose failures say whether another try can help
(`HttpFailure.transient`), a streamed body for files that do not fit in memory, and `retrying`, which repeats an action
for transient failures only. `HttpFailure` is a signal between layers, not an error for people: whoever calls knows
what was being fetched and why, and turns it into an error of the drawn tree with a remedy.
"""

from __future__ import annotations

import asyncio
import email.utils
import functools
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlsplit, urlunsplit

import httpx2

from raijin import __version__

T = TypeVar("T")

SMALL_BODY = 8 * 1024 * 1024
"""Longest body (bytes) that `get` keeps in memory: checksum files, manifests and tokens are far below it."""

TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses of RFC 9110, 6585 and 8470 that speak of now, not of the request: asking again may help."""

LONGEST_PAUSE = 60.0
"""Seconds; a server's Retry-After beyond it is cut, so that a run never waits for an hour without a word."""


class HttpFailure(Exception):
    """A request that did not succeed. `status` is None when no answer came; `retry_after` is in seconds."""

    def __init__(
        self,
        url: str,
        reason: str,
        *,
        status: int | None = None,
        transient: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{shown(url)}: {reason}")
        self.url = shown(url)
        self.reason = reason
        self.status = status
        self.transient = transient
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how patiently transient failures are tried again: pauses in seconds, doubled up to `cap`."""

    attempts: int = 5
    first: float = 0.5
    cap: float = 15.0

    def pause(self, turn: int, failure: HttpFailure) -> float:
        """Seconds to wait after failed attempt number `turn` (from 1); the server's own wish counts when longer."""
        own = min(self.cap, self.first * 2.0 ** (turn - 1))
        return max(own, min(failure.retry_after or 0.0, LONGEST_PAUSE))


async def retrying(action: Callable[[], Awaitable[T]], retry: Retry) -> T:
    """Do `action`, again after each transient HttpFailure; raises the last one, a permanent one at once."""
    turn = 1
    while True:
        try:
            return await action()
        except HttpFailure as failure:
            if not failure.transient or turn >= retry.attempts:
                raise
            await asyncio.sleep(retry.pause(turn, failure))
            turn += 1


def shown(url: str) -> str:
    """A URL fit for messages: without user, password and query (signed links carry keys in the query)."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(an unreadable URL)"
    host = f"[{host}]" if ":" in host else host
    return urlunsplit((parts.scheme, f"{host}{port}", parts.path, "", ""))


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. Header names are lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def expect(self) -> Reply:
        """This reply if it is a success; raises HttpFailure otherwise."""
        _refuse(self.url, self.status, self.headers)
        return self


class Body:
    """An answer whose body is still on the wire."""

    def __init__(self, url: str, response: httpx2.Response) -> None:
        self.url = url
        self.status = response.status_code
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
        self._response = response

    def expect(self) -> Body:
        _refuse(self.url, self.status, self.headers)
        return self

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes as the server sent them (never decompressed: checksums are of the file), each as it arrives:
        nothing waits in a buffer that a broken connection would take with it."""
        with _translated(self.url):
            async for chunk in self._response.aiter_raw():
                yield chunk


class Http:
    """A client with connection reuse. Proxy, CA bundle and .netrc come from the environment, as users expect.

    connect, read: seconds without a connection or without a byte after which an attempt counts as failed.
    """

    def __init__(self, *, retry: Retry | None = None, connect: float = 10.0, read: float = 60.0) -> None:
        self.retry = retry or Retry()
        self._client = httpx2.AsyncClient(
            verify=_trust(),
            follow_redirects=True,
            timeout=httpx2.Timeout(read, connect=connect),
            headers={"User-Agent": f"raijin/{__version__}", "Accept-Encoding": "identity"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        read: float | None = None,
    ) -> Reply:
        """One attempt to tell a server something; any status is an answer. Redirects are not followed: what is told is
        for that server alone. read: seconds that its answer may be waited for; default: those of the client. Raises
        HttpFailure for what happens on the wire."""
        own = self._client.timeout
        patience = httpx2.Timeout(
            connect=own.connect, read=own.read if read is None else read, write=own.write, pool=own.pool
        )
        request = self._client.build_request(
            method, _checked(url), headers=dict(headers or {}), content=body, timeout=patience
        )
        with _translated(url):
            response = await self._client.send(request, follow_redirects=False)
        kept = {name.lower(): value for name, value in response.headers.items()}
        return Reply(url, response.status_code, kept, response.content)

    @asynccontextmanager
    async def stream(
        self, url: str, headers: Mapping[str, str] | None = None, *, method: str = "GET"
    ) -> AsyncIterator[Body]:
        """One attempt; the body is read while inside. Any status is an answer, `Body.expect` refuses failures.

        Raises HttpFailure for what happens on the wire. A redirect from https to http is refused: what comes after it
        could be anybody's.
        """
        request = self._client.build_request(method, _checked(url), headers=dict(headers or {}))
        with _translated(url):
            response = await self._client.send(request, stream=True)
        try:
            seen = [*(step.url for step in response.history), response.url]
            if seen[0].scheme == "https" and any(step.scheme != "https" for step in seen):
                raise HttpFailure(url, f"redirected from https to plain http ({shown(str(seen[-1]))})")
            yield Body(url, response)
        finally:
            await response.aclose()

    async def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, method: str = "GET", limit: int = SMALL_BODY
    ) -> Reply:
        """One attempt at a small document, kept in memory up to `limit` bytes."""
        async with self.stream(url, headers, method=method) as body:
            kept = bytearray()
            async for chunk in body.chunks():
                kept += chunk
                if len(kept) > limit:
                    raise HttpFailure(url, f"the answer is longer than {limit} bytes")
            return Reply(url, body.status, body.headers, bytes(kept))

    async def fetch(self, url: str, headers: Mapping[str, str] | None = None, *, method: str = "GET") -> Reply:
        """A small document that must be there; transient failures are tried again."""

        async def attempt() -> Reply:
            return (await self.get(url, headers, method=method)).expect()

        return await retrying(attempt, self.retry)


@functools.cache
def _trust() -> ssl.SSLContext:
    """The CA certificates, read once per process: it takes as long as many a request."""
    return httpx2.create_ssl_context()


def _checked(url: str) -> httpx2.URL:
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise HttpFailure(url, f"not a valid URL ({error})") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise HttpFailure(url, "not an http(s) URL")
    return parsed


def _refuse(url: str, status: int, headers: Mapping[str, str]) -> None:
    if status < 400:
        return
    raise HttpFailure(
        url,
        f"HTTP {status}",
        status=status,
        transient=status in TRANSIENT_STATUS,
        retry_after=_seconds(headers.get("retry-after", "")),
    )


def _seconds(text: str) -> float | None:
    """Retry-After of RFC 9110 §10.2.3: seconds, or the date until which to wait."""
    if text.strip().isdigit():
        return float(text)
    try:
        until = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, until.timestamp() - time.time())


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except httpx2.TimeoutException as error:
        raise HttpFailure(url, f"no answer in time ({type(error).__name__})", transient=True) from error
    except (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError) as error:
        raise HttpFailure(url, str(error)) from error
    except httpx2.TransportError as error:
        reason, transient = _cause(error)
        raise HttpFailure(url, reason, transient=transient) from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise HttpFailure(url, str(error) or type(error).__name__) from error


def _cause(error: BaseException) -> tuple[str, bool]:
    """What is behind a broken connection, and whether it can pass: a name that does not exist or a certificate that
    is not trusted stays so, a refused or reset connection may not."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, ssl.SSLCertVerificationError):
            return f"certificate not trusted: {link.verify_message}", False
        if isinstance(link, socket.gaierror):
            return f"name not found: {link.strerror}", link.errno != socket.EAI_NONAME
        link = link.__cause__ or link.__context__
    return str(error) or type(error).__name__, True
