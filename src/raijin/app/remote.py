"""A Raijin server, asked by the command line: the same commands, planned and carried out over there."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from raijin import errors
from raijin.errors import NotAuthenticated, NotFound, RaijinError, ServerUnreachable, UsageError
from raijin.observe.events import Event, Kind, Sink
from raijin.plan.codec import plan_from_json
from raijin.plan.model import Plan
from raijin.state.secrets import SecretStore
from raijin.transport.http import Http, HttpFailure

TOKEN_DAYS = 30
QUIET_SECONDS = 60.0
"""A server says something at least every fifteen seconds while a run is followed."""
ANSWER_SECONDS = 1800.0
"""Hosts that hang are waited for over there, a backup that is tried takes its time, and nothing is said meanwhile."""


def base_of(server: str) -> str:
    """The address of a server as it is kept. Raises UsageError."""
    parts = urlsplit(server)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"{server} is no address of a server", remedy="write it as in https://raijin.example.org:8080")
    if parts.username or parts.query or parts.fragment:
        raise UsageError("an address of a server has no user and no query", remedy="log in with `raijin login`")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


@dataclass(slots=True)
class Remote:
    """Use it as `async with connect(...)`."""

    base: str
    http: Http
    token: str = ""

    async def ask(
        self, method: str, path: str, document: Any = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """The answer's document. Raises what the server says, as the error that it would be here; ServerUnreachable."""
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        body = json.dumps(document).encode() if document is not None else b""
        kind = {"Content-Type": "application/json"} if document is not None else {}
        try:
            words = {**own, **kind, **(headers or {})}
            reply = await self.http.send(method, f"{self.base}/api/v1{path}", words, body, read=ANSWER_SECONDS)
        except HttpFailure as failure:
            raise self._silent(failure) from failure
        data = json.loads(reply.body) if reply.body and "json" in reply.headers.get("content-type", "") else {}
        if reply.status >= 400:
            raise error_of(data, reply.status, self.base)
        found: dict[str, Any] = data
        return found

    async def plan(self, cluster: str, asked: Mapping[str, Any]) -> tuple[Plan, str]:
        """The plan of what is asked (a verb, and what belongs to it), and its runbook."""
        data = await self.ask("POST", f"/clusters/{cluster}/plan", asked)
        return plan_from_json(data, ours=True), str(data.get("runbook", ""))

    async def agree(self, cluster: str, plan: Plan) -> dict[str, Any]:
        """Let exactly that plan be carried out. Returns the run."""
        return await self.ask("POST", f"/clusters/{cluster}/plans/{plan.digest}/run")

    async def follow(self, run: str, sink: Sink) -> dict[str, Any]:
        """Hand every event of a run to the sink, to its end; a broken connection is taken up where it broke.

        Returns the run. Raises what it ended with.
        """
        last = 0
        while True:
            async for number, event in self._events(run, last):
                last = number
                sink(event)
            found = await self.ask("GET", f"/runs/{run}")
            if found["state"] in {"done", "failed", "cancelled"}:
                break
        if found["error"]:
            raise error_of(found["error"], 0, self.base)
        return found

    async def _events(self, run: str, last: int) -> AsyncIterator[tuple[int, Event]]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= {"Last-Event-ID": str(last), "Accept": "text/event-stream"}
        waiting = b""
        try:
            async with self.http.stream(f"{self.base}/api/v1/runs/{run}/events", headers) as body:
                if body.status >= 400:
                    return
                async for chunk in body.chunks():
                    waiting += chunk
                    while b"\n\n" in waiting:
                        block, _, waiting = waiting.partition(b"\n\n")
                        if (item := _event(block.decode())) is not None:
                            yield item
        except HttpFailure as failure:
            if not failure.transient:
                raise self._silent(failure) from failure

    def _silent(self, failure: HttpFailure) -> ServerUnreachable:
        return ServerUnreachable(
            f"{self.base}: {failure.reason}",
            remedy="is it running? for a certificate that it made itself, SSL_CERT_FILE names the file to trust",
        )


@asynccontextmanager
async def connect(home: Path, server: str) -> AsyncIterator[Remote]:
    """A server, with the token that `login` has kept for it."""
    base, store = base_of(server), SecretStore(home)
    name = secret_of(base)
    async with Http(read=QUIET_SECONDS) as http:
        yield Remote(base, http, store.get(name) if store.has(name) else "")


async def entrance(server: str) -> dict[str, Any]:
    """How one gets into a server. Raises UsageError for one that asks nobody who they are, ServerUnreachable."""
    async with Http() as http:
        remote = Remote(base_of(server), http)
        try:
            return await remote.ask("GET", "/entrance")
        except NotFound as error:
            raise UsageError(
                f"{remote.base} asks nobody who they are, so there is nothing to log in to",
                remedy=f"use it as it is: --server {remote.base}, or RAIJIN_SERVER",
            ) from error


async def login(home: Path, server: str, name: str, password: str, setup: str = "") -> dict[str, Any]:
    """Make a token and keep it, encrypted, for this server. setup: the one-time token of its first start.

    Returns who it is for. Raises NotAuthenticated, ServerUnreachable.
    """
    async with Http() as http:
        remote = Remote(base_of(server), http)
        if setup:
            await remote.ask("POST", "/setup", {"token": setup, "name": name, "password": password})
        session = await remote.ask("POST", "/session", {"name": name, "password": password})
        csrf = {"X-CSRF-Token": session["csrf"]}
        wanted = {"name": f"raijin login {time.strftime('%Y-%m-%d')}", "roles": session["roles"], "days": TOKEN_DAYS}
        made = await remote.ask("POST", "/tokens", wanted, csrf)
        await remote.ask("DELETE", "/session", headers=csrf)
        SecretStore(home).put(secret_of(remote.base), made["token"])
        return {"server": remote.base, "name": session["name"], "roles": session["roles"], "expires": made["expires"]}


def secret_of(base: str) -> str:
    return f"server/{base}"


def error_of(problem: Mapping[str, Any], status: int, base: str) -> RaijinError:
    """The error that a problem document stands for, with its class, and so its exit code."""
    code = str(problem.get("type", "")).rpartition(":")[2]
    found = next((kind for kind in _kinds(RaijinError) if kind.__dict__.get("code") == code), None)
    if found is None:
        if status == 401:
            return NotAuthenticated(f"{base} wants to know who asks", remedy="log in with `raijin login`")
        return ServerUnreachable(f"{base} answers with {status} and no problem document", remedy="is that a Raijin?")
    error = found.__new__(found)
    texts = {name: str(problem[name]) for name in ("host", "remedy") if problem.get(name)}
    RaijinError.__init__(error, str(problem.get("detail", code)), detail=problem.get("output") or None, **texts)
    if isinstance(error, errors.DefinitionError):
        slots = errors.Problem.__slots__
        faults = [{k: v for k, v in item.items() if k in slots} for item in problem.get("errors", ())]
        error.problems = [errors.Problem(**fault) for fault in faults]
    if isinstance(error, errors.RequestInvalid):
        error.faults = ()
    return error


def _kinds(kind: type[RaijinError]) -> list[type[RaijinError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in _kinds(child))]


def _event(block: str) -> tuple[int, Event] | None:
    lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(":"))
    if "id" not in lines:
        return None
    data = json.loads(lines["data"])
    return int(lines["id"]), Event(
        Kind(data["kind"]), data["run"], data["step"], data["host"], data["data"], data["at"]
    )
