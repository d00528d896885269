"""A support bundle: what somebody needs who is asked why a cluster does not work, and no secret."""

from __future__ import annotations

import asyncio
import io
import json
import tarfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from raijin import __version__
from raijin.app.certificates import listing
from raijin.app.etcd import members
from raijin.app.health import health_of
from raijin.app.logs import LogLine, show
from raijin.app.reaching import opened
from raijin.app.session import Session
from raijin.errors import RaijinError, UsageError
from raijin.facts.gather import HostFacts
from raijin.facts.logs import Wanted
from raijin.model.secret import Secret
from raijin.observe.masking import MASKER
from raijin.observe.redaction import bare, redact
from raijin.observe.revealing import revealed
from raijin.platforms.view import HostView
from raijin.state.runs import Runs
from raijin.state.secrets import SecretStore
from raijin.validation.workloads import is_system

LINES = 2000
"""Of each log."""
LIMIT = 300.0
RUNS = 10
KINDS = (
    "/api/v1/nodes", "/api/v1/namespaces", "/api/v1/pods", "/api/v1/services", "/api/v1/endpoints",
    "/api/v1/persistentvolumes", "/api/v1/persistentvolumeclaims", "/api/v1/events",
    "/apis/apps/v1/deployments", "/apis/apps/v1/daemonsets", "/apis/apps/v1/statefulsets", "/apis/batch/v1/jobs",
    "/apis/networking.k8s.io/v1/networkpolicies", "/apis/networking.k8s.io/v1/ingresses",
    "/apis/storage.k8s.io/v1/storageclasses", "/apis/policy/v1/poddisruptionbudgets",
    "/apis/coordination.k8s.io/v1/leases", "/apis/discovery.k8s.io/v1/endpointslices",
)  # fmt: skip
"""What of the API is taken along: never Secrets, and no ConfigMaps, in which many keep theirs."""

README = """What `raijin cluster collect` found, from {version}, for {cluster}.

definition.yaml   the definition, secrets as ***
health.json       every health check and what it found
etcd.json         the members of etcd
certificates.json who signed each certificate, and until when it is valid
facts/            what is known of each host
logs/             journals and containers of each host, by part
cluster/          lists of the API, without Secrets and ConfigMaps, without values of variables
runs/             the latest runs with their steps and events
missing.txt       what could not be had, and why

What is known to be secret, and what looks like it, is replaced by ***. Look through it all the same before you give
it to anybody: names of hosts, addresses, images and what your programs write into their logs are in it.
"""


class Collected:
    """Files by name, each redacted when it is added. missing: what could not be had.

    limit: seconds that any one part may take, so that a host that hangs does not keep the rest from being written.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.files: dict[str, bytes] = {}
        self.missing: list[str] = []

    def add(self, name: str, text: str) -> None:
        self.files[name] = redact(text).encode()

    def add_json(self, name: str, data: object) -> None:
        self.add(name, json.dumps(data, indent=1, default=str))

    async def attempt(self, what: str, work: Awaitable[None]) -> None:
        """What fails is noted, and keeps nothing else from being collected."""
        try:
            async with asyncio.timeout(self.limit):
                await work
        except RaijinError as error:
            self.missing.append(f"{what}: {error}")
        except TimeoutError:
            self.missing.append(f"{what}: it was not there whole within {self.limit:g} s")

    def write(self, path: Path, folder: str) -> None:
        """As a gzipped tar that only its owner reads. Raises UsageError when the file exists."""
        try:
            descriptor = path.open("xb")
        except FileExistsError as error:
            raise UsageError(f"{path} exists already", remedy="name another file with --to") from error
        path.chmod(0o600)
        with descriptor, tarfile.open(fileobj=descriptor, mode="w:gz") as tar:
            for name, content in sorted(self.files.items()):
                entry = tarfile.TarInfo(f"{folder}/{name}")
                entry.size, entry.mtime, entry.mode = len(content), int(time.time()), 0o600
                tar.addfile(entry, io.BytesIO(content))


async def collect(session: Session, path: Path, say: Callable[[str], None], limit: float = LIMIT) -> Collected:
    """Gather everything, none of it for longer than `limit` seconds, and write it to `path`."""
    cluster, found = session.cluster, Collected(limit)
    hide_known(session)
    found.add("README.txt", README.format(version=f"Raijin {__version__}", cluster=cluster.name))
    found.add("definition.yaml", definition_of(session))
    say("looking at hosts, etcd and the API")
    await asyncio.gather(
        found.attempt("health and facts", _health(session, found)),
        found.attempt("etcd", _etcd(session, found)),
        found.attempt("certificates", _certificates(session, found)),
        found.attempt("the API", _api(session, found)),
        found.attempt("logs", _logs(session, found)),
    )
    _runs(session, found)
    found.add("missing.txt", "\n".join(found.missing) or "nothing")
    say(f"writing {path}")
    await asyncio.to_thread(found.write, path, path.name.partition(".")[0])
    return found


def hide_known(session: Session) -> None:
    """Every secret that the definition or this RAIJIN_HOME has, so that it is hidden wherever it turns up."""
    documents = (session.definition.site(), *session.definition.clusters)
    for secret in _secrets(documents):
        try:
            revealed(secret)
        except RaijinError:
            continue  # a reference that leads nowhere hides nothing, and shows nothing
    if not (session.home / "secrets").is_dir():
        return
    store = SecretStore(session.home)
    for name in store.names(""):
        MASKER.add(store.get(name))


def _secrets(value: Any) -> list[Any]:
    if isinstance(value, Secret):
        return [value]
    if isinstance(value, (list, tuple)):
        return [secret for item in value for secret in _secrets(item)]
    if isinstance(value, dict):
        return [secret for item in value.values() for secret in _secrets(item)]
    fields = type(value).model_fields if hasattr(type(value), "model_fields") else ()
    return [secret for name in fields for secret in _secrets(getattr(value, name))]


def definition_of(session: Session) -> str:
    """The site and the cluster as they were read; secrets print as `***` by their type."""
    documents = (session.definition.site(), session.cluster)
    plain = [d.model_dump(mode="json", by_alias=True, exclude_unset=True) | {"kind": d.kind} for d in documents]
    return yaml.safe_dump_all(plain, sort_keys=False)


async def _health(session: Session, found: Collected) -> None:
    health = await health_of(session)
    found.add_json("health.json", health.to_json())
    for host, view in health.seen.hosts.items():
        if isinstance(view, HostView):
            found.add_json(f"facts/{host}.json", _facts(view.facts))
        else:
            found.missing.append(f"{host}: {view}")


def _facts(facts: HostFacts) -> dict[str, Any]:
    return asdict(facts)


async def _etcd(session: Session, found: Collected) -> None:
    found.add_json("etcd.json", (await members(session)).to_json())


async def _certificates(session: Session, found: Collected) -> None:
    listed = await listing(session)
    found.add_json("certificates.json", listed.to_json())
    found.missing.extend(f"certificates of {fault}" for fault in listed.faults)


async def _api(session: Session, found: Collected) -> None:
    async with opened(session) as kube:
        found.add("cluster/livez.txt", await kube.read("/livez", verbose=""))
        for path in KINDS:
            await found.attempt(path, _list(kube.items(path), path, found))


async def _list(asked: Awaitable[Sequence[dict[str, Any]]], path: str, found: Collected) -> None:
    items = [bare(item, known=is_system(item["metadata"].get("namespace", ""))) for item in await asked]
    found.add_json(f"cluster/{path.rpartition('/')[2]}.json", items)


async def _logs(session: Session, found: Collected) -> None:
    texts: dict[str, list[str]] = {}

    def take(line: LogLine) -> None:
        texts.setdefault(f"logs/{line.host}/{line.part}.log", []).append(line.text)

    try:
        await show(session, (), Wanted(lines=LINES), (), take, note=found.missing.append)
    finally:
        for name, lines in texts.items():
            found.add(name, "\n".join(lines))


def _runs(session: Session, found: Collected) -> None:
    if not session.has_state:
        return
    runs = Runs(session.database)
    for run in runs.history(cluster=session.cluster.name, limit=RUNS):
        about = {name: value for name, value in asdict(run).items() if name != "plan"}
        steps = [asdict(step) for step in runs.steps(run.id)]
        events = [asdict(event) for _, event in runs.events(run.id)]
        found.add_json(f"runs/{run.id}.json", {"run": about, "steps": steps, "events": events})
