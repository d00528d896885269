"""Logs of hosts and pods, as lines that come while they are written. Hosts are asked over SSH: no API is needed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic_core import PydanticCustomError

from raijin.app.reaching import api_of, departed_hosts, members_of, open_pool
from raijin.app.session import Session
from raijin.errors import HostError, KubernetesError, NotFound, RaijinError, UsageError
from raijin.facts.logs import PARTS, Wanted, parse_line, plain, script
from raijin.model.duration import parse_duration
from raijin.observe.masking import MASKER
from raijin.transport.pool import Pool

if TYPE_CHECKING:
    from raijin.transport.kube import Kube

READ_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line: of which host (empty for a pod by the API), of which part or container."""

    host: str
    part: str
    text: str


Take = Callable[[LogLine], None]


@dataclass(frozen=True, slots=True)
class _Pod:
    """namespace is empty where the API has not told it."""

    namespace: str
    name: str
    containers: tuple[str, ...] = ()


def seconds(text: str) -> float:
    """A span of time as it is typed. Raises UsageError."""
    try:
        return parse_duration(text).total_seconds()
    except PydanticCustomError as error:
        raise UsageError(f"{text} {error.message()}", remedy="write it as in 30m or 2h") from error


async def show(
    session: Session,
    names: Sequence[str],
    wanted: Wanted,
    parts: Sequence[str],
    take: Take,
    *,
    note: Callable[[str], None],
) -> None:
    """Hand over the lines of these hosts and pods (`NAMESPACE/POD` or `POD`); all hosts when none is named.

    Where the API does not answer, pods are looked for on the hosts, and note says so. Raises NotFound.
    """
    departing = departed_hosts(session, members_of(session))
    hosts = [placed.name for placed in session.definition.hosts_of(session.cluster)]
    hosts += [host.name for host, _ in departing]
    strange = [part for part in parts if part not in PARTS]
    if strange:
        raise NotFound(f"there is no part {', '.join(strange)}", remedy=f"there are {', '.join(PARTS)}")
    named = [name for name in names if name in hosts]
    pods = [name for name in names if name not in hosts]
    async with open_pool(session, [host for host, _ in departing]) as pool, AsyncExitStack() as stack:
        work = [
            _host(pool, host, script(wanted, parts or PARTS), wanted, take) for host in (hosts if not names else named)
        ]
        if pods:
            try:
                kube = await stack.enter_async_context(api_of(session, pool))
                found = [pod for name in pods for pod in await _find(kube, name)]
                work += [_pod(kube, pod, container, wanted, take) for pod in found for container in pod.containers]
            except (HostError, KubernetesError) as error:
                note(f"the API does not answer ({error}); the hosts are asked for the pods themselves")
                asked = [(pod.namespace, pod.name) for pod in map(_split, pods)]
                work += [_host(pool, host, script(wanted, pods=asked), wanted, take) for host in hosts]
        answers = await asyncio.gather(*work, return_exceptions=True)
    _tell(answers, note)


def _tell(answers: Sequence[BaseException | None], note: Callable[[str], None]) -> None:
    """Hosts that could not be asked do not keep the others from being shown; when none could, that is an error."""
    errors = [answer for answer in answers if isinstance(answer, BaseException)]
    strange = [error for error in errors if not isinstance(error, RaijinError)]
    if strange:
        raise strange[0]
    for error in errors:
        note(str(error))
    if errors and len(errors) == len(answers):
        raise errors[0]


def _split(name: str) -> _Pod:
    space, _, pod = name.rpartition("/")
    return _Pod(space, pod)


async def _find(kube: Kube, name: str) -> list[_Pod]:
    """The pods of this name; without a namespace, those of every namespace."""
    wanted = _split(name)
    query = {"fieldSelector": f"metadata.name={wanted.name}"}
    path = f"/api/v1/namespaces/{wanted.namespace}/pods" if wanted.namespace else "/api/v1/pods"
    items = await kube.items(path, **query)
    if not items:
        raise NotFound(f"there is no host and no pod {name}", remedy="name a host of the definition, or NAMESPACE/POD")
    return [
        _Pod(
            item["metadata"]["namespace"],
            item["metadata"]["name"],
            tuple(c["name"] for c in (*(item["spec"].get("initContainers") or ()), *item["spec"]["containers"])),
        )
        for item in items
    ]


async def _pod(kube: Kube, pod: _Pod, container: str, wanted: Wanted, take: Take) -> None:
    path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}/log"
    query: dict[str, str | int] = {"container": container, "tailLines": wanted.lines, "timestamps": "true"}
    if wanted.since is not None:
        query["sinceSeconds"] = max(1, int(wanted.since))
    if wanted.follow:
        query["follow"] = "true"
    async for line in kube.lines(path, **query):
        take(LogLine("", f"{pod.name}/{container}", MASKER.mask(line)))


async def _host(pool: Pool, host: str, text: str, wanted: Wanted, take: Take) -> None:
    oldest = time.time() - wanted.since if wanted.since is not None else None

    def hand(line: str) -> None:
        found = parse_line(line)
        if found is None:
            return
        at, said = plain(found[1])
        if at is None or oldest is None or at >= oldest:
            take(LogLine(host, found[0], MASKER.mask(said)))

    connection = await pool.get(host)
    await connection.run(text, timeout=None if wanted.follow else READ_SECONDS, on_line=hand)
