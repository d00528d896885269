"""Looking at a cluster: its hosts, each of its API servers, etcd, and lists of the API, all at the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence
from typing import TypeVar

from raijin.errors import HostError, KubernetesError, OperationFailed, RaijinError
from raijin.facts.etcd import EtcdState
from raijin.facts.gather import script
from raijin.model.names import split_endpoint
from raijin.platforms.access import open_cluster, read_kubeconfig
from raijin.platforms.outside import ByCalls
from raijin.platforms.view import HostView, viewed
from raijin.transport import dns
from raijin.transport.document import Document
from raijin.transport.pool import Pool
from raijin.validation.nameservice import addresses, question
from raijin.validation.seen import KINDS, LISTS, Part, Seen
from raijin.validation.subject import Subject

T = TypeVar("T")
FACTS_SECONDS = 120
ANSWER_SECONDS = 30


async def look(pool: Pool, subject: Subject, parts: Collection[Part]) -> Seen:
    """See these parts. What cannot be seen is said in the answer; nothing is raised for it, and nothing is changed."""
    at, everybody = time.time(), [place.name for place in subject.places if not place.left_out]
    hosts, (api, version), endpoint, members, (lists, failures) = await asyncio.gather(
        _hosts(pool, subject, everybody) if Part.HOSTS in parts else _nothing({}),
        _servers(pool, subject) if Part.API in parts else _nothing(({}, "")),
        _endpoint(pool, subject) if Part.API in parts else _nothing(""),
        _etcd(pool, subject) if Part.ETCD in parts else _nothing(None),
        _lists(pool, subject, parts),
    )
    if members is None and subject.etcd is not None and Part.ETCD in parts and Part.HOSTS not in parts:
        # Nobody told of an etcd: the control plane hosts say whether there is one (a K3s may be kept in SQLite).
        hosts = await _hosts(pool, subject, subject.control_planes)
    answers: dict[str, str] = {}
    platform: object = subject.platform
    if Part.DNS in parts and Part.SERVICES in lists and not isinstance(platform, ByCalls):
        answers = await _name_services(pool, subject, addresses(lists[Part.SERVICES]))
    return Seen(subject, at, hosts, api, endpoint, version, members, lists, failures, answers)


async def _nothing(value: T) -> T:
    return value


async def _hosts(pool: Pool, subject: Subject, names: Sequence[str]) -> dict[str, HostView | str]:
    async def one(host: str) -> HostView | str:
        try:
            told = await subject.platform.look(pool, host)
            if told is not None:
                return told
            connection = await pool.get(host)
            sent = time.time()
            done = await connection.run(script(), timeout=FACTS_SECONDS)
        except RaijinError as error:
            return error.message
        return (
            viewed(done.stdout, sent, time.time()) if done.status == 0 else f"its facts cannot be read: {done.stderr}"
        )

    return dict(zip(names, await asyncio.gather(*map(one, names)), strict=True))


async def _servers(pool: Pool, subject: Subject) -> tuple[dict[str, str], str]:
    """What is wrong with each API server by its own word, and the version of the first that tells one."""
    versions: list[str] = []

    async def one(host: str) -> str:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                way = open_cluster(pool, (host,), subject.cluster, port=subject.port, path=subject.kubeconfig)
                async with way as kube:
                    await kube.read("/readyz", verbose="")
                    versions.append(await kube.version())
        except RaijinError as error:
            return _unready(error)
        except TimeoutError:
            return f"it gives no answer within {ANSWER_SECONDS} s"
        return ""

    names = subject.control_planes
    answers = await asyncio.gather(*map(one, names))
    return dict(zip(names, answers, strict=True)), versions[0] if versions else ""


def _unready(error: RaijinError) -> str:
    """The checks of `/readyz?verbose` that fail begin with `[-]`; of any other error, what it says."""
    words = error.message.split()
    failing = [words[n].removeprefix("[-]") for n in range(len(words)) if words[n].startswith("[-]")]
    return f"it is not ready: {', '.join(failing)}" if failing else error.message


async def _endpoint(pool: Pool, subject: Subject) -> str:
    """What is wrong with the address of all API servers, as a host of the cluster finds it."""
    if not subject.endpoint:
        return "its address is not known now"
    last = "no control plane host can be asked"
    for host in subject.control_planes:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await _through(pool, subject, host)
        except HostError as error:
            last = str(error)
            continue
        except KubernetesError as error:
            return f"it does not answer there ({error.message})"
        except TimeoutError:
            return f"it gives no answer within {ANSWER_SECONDS} s"
        return ""
    return last


async def _through(pool: Pool, subject: Subject, host: str) -> None:
    """Reach the address from a host. Raises HostError and KubernetesError."""
    from raijin.transport.kube import open_kube  # noqa: PLC0415  (only where there is a cluster)

    address, port = split_endpoint(subject.endpoint, subject.port)
    text = await read_kubeconfig(pool, host, subject.kubeconfig)
    connection = await pool.get(host)
    async with connection.tunnel(address, port) as here, open_kube(text, here, subject.cluster) as kube:
        await kube.read("/readyz")


async def _name_services(pool: Pool, subject: Subject, found: Sequence[str]) -> dict[str, str]:
    """What is wrong with each address of the name service, as the first host that can be asked finds it."""

    async def one(address: str) -> str:
        last = "no host can be asked"
        for host in (place.name for place in subject.places if not place.left_out):
            try:
                async with asyncio.timeout(ANSWER_SECONDS), (await pool.get(host)).tunnel(address, dns.PORT) as here:
                    return await dns.ask(here, question(subject.domain), dns.AAAA if ":" in address else dns.A)
            except OperationFailed as error:
                return error.message
            except HostError as error:
                last = str(error)
            except OSError as error:
                return f"no answer ({error.strerror or error})"
            except TimeoutError:
                return f"it gives no answer within {ANSWER_SECONDS} s"
        return last

    return dict(zip(found, await asyncio.gather(*map(one, found)), strict=True))


async def _etcd(pool: Pool, subject: Subject) -> EtcdState | None:
    if subject.etcd is None:
        return None
    # None: the judge says so, who knows how many there should be.
    return await subject.platform.etcd_state(pool, subject.control_planes, subject.etcd)


async def _lists(
    pool: Pool, subject: Subject, parts: Collection[Part]
) -> tuple[dict[Part, list[Document]], dict[Part, str]]:
    wanted = {part: paths for part, paths in LISTS.items() if part in parts}
    found: dict[Part, list[Document]] = {}
    failures: dict[Part, str] = {}
    if not wanted:
        return found, failures
    way = open_cluster(pool, subject.control_planes, subject.cluster, port=subject.port, path=subject.kubeconfig)
    try:
        async with way as kube:
            for part, paths in wanted.items():
                try:
                    found[part] = [_told(item, path) for path in paths for item in await kube.items(path)]
                except KubernetesError as error:
                    failures[part] = error.message
    except (HostError, KubernetesError) as error:
        failures |= {part: str(error) for part in wanted if part not in found}
    return found, failures


def _told(item: Document, path: str) -> Document:
    kind = KINDS.get(path.rpartition("/")[2])
    return {"kind": kind, **item} if kind else item
