"""Asking the hosts before the plan is thought about.

Most commands find what the last one left. So `apply` keeps, in RAIJIN_HOME/asked, how it reached each host and which
check it sent there (secrets are never in it), and the next command sends the facts' script and that check as one
execution as soon as a host is connected; the definition is read while the hosts answer.

Nothing is taken on trust. The record is of the very same definition files; an answer counts only when the definition,
once read, reaches the host in the same way; facts are fresh by nature; and a check counts only when it is, byte for
byte, the one that the plan asks for. Whatever does not hold is asked again, in the ordinary way. A plan writes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import time
from collections.abc import AsyncIterator, Container, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raijin import __version__
from raijin.definition.files import definition_files
from raijin.errors import HostError, RaijinError
from raijin.transport.base import Completed
from raijin.transport.delivery import atomic_write
from raijin.transport.okd import OkdTarget
from raijin.transport.pool import LocalTarget, Pool, Target, TwinTarget
from raijin.transport.talos import TalosTarget

if TYPE_CHECKING:
    from raijin.app.session import Session

FORMAT = 1
FACTS_SECONDS = 60.0
CHECK_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What the last `apply` of a definition asked. targets: how hosts are reached; checks: the script sent to each."""

    cluster: str
    targets: Mapping[str, Target]
    checks: Mapping[str, str]


@dataclass(slots=True)
class Answer:
    """What one host says to facts and check together. sent and heard: seconds since the epoch."""

    check: str
    sent: float = 0.0
    heard: float = 0.0
    _lines: list[str] = field(default_factory=list)
    _whole: asyncio.Event = field(default_factory=asyncio.Event)
    _done: asyncio.Task[Completed] | None = None

    def start(self, pool: Pool, host: str) -> None:
        self._done = asyncio.create_task(self._ask(pool, host))

    async def facts(self) -> str | None:
        """The output of the facts' script, as soon as it is there; None when it did not come whole.

        Raises HostError when the host could not be reached.
        """
        if self._done is None:
            return None
        arrived = asyncio.create_task(self._whole.wait())
        await asyncio.wait({arrived, self._done}, timeout=FACTS_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        arrived.cancel()
        if self._whole.is_set():
            return "\n".join([*self._lines, ""])
        error = self._done.exception() if self._done.done() and not self._done.cancelled() else None
        if isinstance(error, HostError):
            raise error
        return None

    async def reports(self) -> str | None:
        """The output of the check; None when it did not end well."""
        if self._done is None:
            return None
        try:
            done = await asyncio.shield(self._done)
        except RaijinError:
            return None
        whole = done.status == 0 and self._whole.is_set()
        return done.stdout[len("\n".join([*self._lines, ""])) :] if whole else None

    async def close(self) -> None:
        if self._done is not None:
            self._done.cancel()
            await asyncio.gather(self._done, return_exceptions=True)

    async def _ask(self, pool: Pool, host: str) -> Completed:
        from raijin.facts.gather import is_end, script  # noqa: PLC0415

        connection = await pool.get(host)
        self.sent = time.time()

        def follow(line: str) -> None:
            if self._whole.is_set():
                return
            self._lines.append(line)
            if is_end(line):
                self.heard = time.time()
                self._whole.set()

        return await connection.run(script(for_plan=True, then=self.check), timeout=CHECK_SECONDS, on_line=follow)


class Ahead:
    """Connections and questions that are on their way already. at: when the first was sent."""

    def __init__(self, asked: Asked, *, without: Container[str] = ()) -> None:
        self.at = time.time()
        self.pool = Pool(asked.targets)
        self._answers = {host: Answer(check) for host, check in asked.checks.items() if host not in without}
        for host, answer in self._answers.items():
            answer.start(self.pool, host)

    def reaches(self, targets: Mapping[str, Target]) -> bool:
        """Whether all hosts that were asked are reached in the same way by these targets."""
        return all(targets.get(name) == target for name, target in self.pool.targets.items())

    def answer(self, host: str) -> Answer | None:
        return self._answers.get(host)

    async def close(self) -> None:
        answers, self._answers = self._answers, {}
        for answer in answers.values():
            await answer.close()
        await self.pool.close()


@asynccontextmanager
async def asking(session: Session, verb: str) -> AsyncIterator[Ahead | None]:
    """Ask ahead what the last `apply` of this definition asked; None where there is nothing to go by."""
    asked = read(session) if verb == "apply" else None
    if asked is None:
        yield None
        return
    from raijin.state.snapshot import read_members  # noqa: PLC0415

    members = read_members(session.home, asked.cluster)
    ahead = Ahead(asked, without={name for name, member in members.items() if member.quarantine})
    try:
        yield ahead
    finally:
        await ahead.close()


def read(session: Session) -> Asked | None:
    """The record of this definition, if it is of the files as they are now. What cannot be read counts as none."""
    if not session.as_written:
        return None
    try:
        data = json.loads(_path(session).read_bytes())
        if data["format"] != FORMAT or data["key"] != _key(session):
            return None
        parts = data["parts"]
        checks = {host: "\n".join(parts[index] for index in indexes) for host, indexes in data["checks"].items()}
        targets = {name: _target(target) for name, target in data["targets"].items()}
        return Asked(str(data["cluster"]), targets, {host: text for host, text in checks.items() if host in targets})
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RaijinError):
        return None


def keep(session: Session, targets: Mapping[str, Target], checks: Mapping[str, Sequence[str]]) -> None:
    """Write down what was asked: the parts of each host's check. Hosts that a secret reaches are left out."""
    plain = {name: written for name, target in targets.items() if (written := _written(target)) is not None}
    hosts = [p.name for p in session.definition.hosts_of(session.cluster) if p.name in checks and p.name in plain]
    ways = {host: way for host in hosts if (way := _way(host, plain)) is not None}
    parts: dict[str, int] = {}
    indexes = {host: [parts.setdefault(part, len(parts)) for part in checks[host]] for host in ways}
    data = {
        "format": FORMAT,
        "key": _key(session),
        "cluster": session.cluster.name,
        "targets": {name: plain[name] for way in ways.values() for name in way},
        "parts": list(parts),
        "checks": indexes,
    }
    path, text = _path(session), json.dumps(data).encode()
    # A record only saves time: a home that cannot be written to is no reason to fail.
    with contextlib.suppress(OSError):
        if path.is_file() and path.read_bytes() == text:
            return
        session.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.parent.mkdir(exist_ok=True, mode=0o700)
        atomic_write(path, text, mode=0o600)


def forget(session: Session) -> None:
    _path(session).unlink(missing_ok=True)


def _path(session: Session) -> Path:
    """One file for each way to name a definition and a cluster in it."""
    name = "\0".join([*(str(path.resolve()) for path in session.paths), session.cluster_name or ""])
    return session.home / "asked" / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.json"


def _key(session: Session) -> str:
    """From everything that the definition is read from, and the program that reads it."""
    said = {name: value for name, value in os.environ.items() if name.startswith("RAIJIN_") or name == "HOME"}
    digest = hashlib.sha256(json.dumps([__version__, sorted(said.items())]).encode())
    for file in definition_files(session.paths):
        content = file.read_bytes()
        digest.update(f"{file}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _way(host: str, plain: Mapping[str, Mapping[str, Any]]) -> list[str] | None:
    """The host and the jump hosts before it; None when one of them is not known without a secret."""
    way = [host]
    while jump := plain[way[-1]].get("jump"):
        if jump not in plain or jump in way:
            return None
        way.append(jump)
    return way


_SECRET = ("passphrase", "password", "become_password")
_PATHS = ("key", "first_use")


def _written(target: Target) -> dict[str, Any] | None:
    """A target as JSON values; None when it holds a secret, needs one to be reached, or is of a rehearsal."""
    if isinstance(target, (TalosTarget, OkdTarget, TwinTarget)) or any(getattr(target, name, None) for name in _SECRET):
        return None
    if isinstance(target, LocalTarget):
        return {"local": target.name}
    values = {item.name: getattr(target, item.name) for item in fields(target)}
    paths = {name: str(values[name]) for name in _PATHS if values[name] is not None}
    return {**values, **paths, "known_hosts": [str(path) for path in target.known_hosts]}


def _target(data: Mapping[str, Any]) -> Target:
    if "local" in data:
        return LocalTarget(data["local"])
    from raijin.transport.ssh import SshTarget  # noqa: PLC0415

    paths = {name: Path(data[name]) for name in _PATHS if data[name] is not None}
    return SshTarget(**{**data, **paths, "known_hosts": tuple(Path(path) for path in data["known_hosts"])})
