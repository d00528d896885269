"""A server on simulated hosts: everything that it is asked for goes through the real planner and the real engine, and
ends at the twin. Its home and its definitions are copies that go with it; no host and no secret is reached.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from raijin.app.changes import Change
from raijin.app.made_up import made_up_lock, surrounded
from raijin.app.rehearsing import prepare, site_of, without_secrets
from raijin.app.service import Service
from raijin.app.session import Session
from raijin.artifacts.lock import Lock
from raijin.definition.definition import Definition
from raijin.definition.files import definition_files
from raijin.errors import Unsupported, UsageError
from raijin.machines.base import MachineProvider
from raijin.model.version import Version
from raijin.observe.waiting import hurried
from raijin.state.runs import RunRecord
from raijin.twin import twin_of
from raijin.twin.machines import TwinProvider
from raijin.twin.site import TwinSite

PACE = 0.12
"""Real seconds for each second of a simulated host: slow enough to watch a run, quick enough to see its end."""


@dataclass
class RehearsedService(Service):
    """pace: real seconds for each second of a host; 0: as fast as it goes. sites: by cluster, as long as it serves."""

    pace: float = PACE
    sites: dict[str, TwinSite] = field(default_factory=dict)
    _mutex: threading.Lock = field(default_factory=threading.Lock)

    def session(self, cluster: str) -> Session:
        """A session whose hosts are simulated. Raises NotFound, Unsupported for what the twin does not model."""
        session = super().session(cluster)
        self._furnish(session)
        return session

    def propose(self, session: Session, change: Change, match: str | None = None) -> None:
        super().propose(session, change, match)
        if session.pending is not None:
            self._furnish(session)

    def _furnish(self, session: Session) -> None:
        """What its definition needs, with simulated hosts and what is made up."""
        without_secrets(session)
        name = session.cluster.name
        with self._mutex:
            site = self.sites.get(name)
            if site is None:
                site = self.sites[name] = site_of(session)
                site.pace = self.pace
            for placed in session.definition.hosts_of(session.cluster):
                site.add(placed.host)
            prepare(site, session)
        session.twin = site
        session.__dict__["lock"] = made_up_lock(session, Lock(), _running(site, session), [])

    def unsupported(self, definition: Definition, cluster: str) -> list[tuple[str, str]]:
        around, _ = surrounded(definition.cluster(cluster))
        clusters = tuple(around if other.name == cluster else other for other in definition.clusters)
        return super().unsupported(replace(definition, clusters=clusters), cluster)

    def maker(self, definition: Definition) -> MachineProvider:
        """A simulated machine is made wherever one is counted."""
        return TwinProvider(TwinSite(twin_of(definition.clusters[0].type)))

    def ask(self, cluster: str, verb: str, request: Mapping[str, Any]) -> RunRecord:
        """Raises Unsupported for what the twin would break off in the middle of."""
        if verb == "restore":
            raise Unsupported(
                f"{cluster} is a simulated cluster without data: it can be planned to restore it, and not done",
                remedy="restore a real one",
            )
        return super().ask(cluster, verb, request)

    async def verify(self, name: str, backup: str) -> dict[str, Any]:
        """Raises Unsupported: a simulated cluster has no data that could be tried."""
        raise Unsupported(
            f"the backup {backup} of {name} is of a simulated cluster: there is nothing in it to try",
            remedy="verify a backup of a real one",
        )

    def about(self) -> dict[str, Any]:
        return super().about() | {"rehearsal": True}


def _running(site: TwinSite, session: Session) -> str:
    """The oldest release that a node runs, where that is not the wanted one: an upgrade comes from it."""
    nodes = site.cluster.nodes() if site.cluster else ()
    found = [Version.parse(node["status"]["nodeInfo"]["kubeletVersion"]) for node in nodes]
    older = [version for version in found if version and version < session.cluster.kubernetes_version]
    return str(min(older)) if older else ""


@contextmanager
def rehearsed(home: Path, definitions: Path | None, *, pace: float = PACE) -> Iterator[RehearsedService]:
    """A service on copies of these definitions (a file or a folder; None: there are none yet) in an empty home.

    Raises UsageError.
    """
    if definitions is not None and not definitions.exists():
        raise UsageError(f"there is no {definitions} to rehearse", remedy="name a folder with --definitions")
    folder = home / "definitions"
    folder.mkdir(parents=True, mode=0o700)
    for source in definition_files([definitions] if definitions is not None else []):
        shutil.copy(source, folder / source.name)
    with hurried():
        yield RehearsedService(home, folder, pace=pace)
