"""`raijin login --oidc`: the provider's page in a browser, the answer at an address of this machine (RFC 8252)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from raijin.app.code_flow import authorization, exchange_code
from raijin.app.remote import Remote, base_of, secret_of
from raijin.errors import NotAuthenticated
from raijin.state.secrets import SecretStore
from raijin.transport.http import Http

WAIT_SECONDS = 300.0
"""How long somebody may take to log in."""
PAGE = b"<!doctype html><title>Raijin</title><p>You may close this page and go back to the terminal.</p>"
LARGEST = 16_384


async def login_oidc(home: Path, server: str, show: Callable[[str], None]) -> dict[str, Any]:
    """Log in, and keep the token that the server makes for it. show: is given the address to open.

    Returns who it is for. Raises NotAuthenticated, NotFound where the server knows no provider, ServerUnreachable.
    """
    async with Http() as http:
        remote = Remote(base_of(server), http)
        provider = await remote.ask("GET", "/oidc")
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        came: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        listening = await asyncio.start_server(lambda r, w: _answer(r, w, came), "127.0.0.1", 0)
        async with listening:
            back = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/callback"
            show(authorization(provider, back, state=state, nonce=nonce, verifier=verifier))
            try:
                answer = await asyncio.wait_for(came, WAIT_SECONDS)
            except TimeoutError as error:
                raise NotAuthenticated(f"nobody logged in within {WAIT_SECONDS:.0f} s", remedy="try again") from error
        if answer.get("state") != state or not answer.get("code"):
            reason = answer.get("error", "its answer is not for this login")[:80]
            raise NotAuthenticated(f"the provider did not let you in: {reason}", remedy="try again")
        id_token = await exchange_code(
            http, provider["token_endpoint"], provider["client_id"], code=answer["code"], verifier=verifier, back=back
        )
        made = await remote.ask("POST", "/oidc/token", {"idToken": id_token, "nonce": nonce})
        SecretStore(home).put(secret_of(remote.base), made["token"])
        return {"server": remote.base, "name": made["owner"], "roles": made["roles"], "expires": made["expires"]}


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, came: asyncio.Future[dict[str, str]]
) -> None:
    """One request of the browser: only the callback ends the wait."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n"))[:LARGEST].decode("latin-1")
        parts = urlsplit(head.split(" ")[1] if head.count(" ") >= 2 else "")
        found = parts.path == "/callback"
        status = b"200 OK" if found else b"404 Not Found"
        body = PAGE if found else b""
        length = str(len(body)).encode()
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Type: text/html\r\nContent-Length: " + length)
        writer.write(b"\r\nConnection: close\r\n\r\n" + body)
        await writer.drain()
        if found and not came.done():
            came.set_result({name: values[0] for name, values in parse_qs(parts.query).items()})
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        return  # somebody knocked and said nothing: the wait goes on
    finally:
        writer.close()
