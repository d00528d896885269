"""One command's view of the world: the definition that was read, RAIJIN_HOME, and what hangs on them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from raijin.errors import UsageError
from raijin.observe.events import Events
from raijin.state import has_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Engine as Database

    from raijin.artifacts.lock import Lock
    from raijin.artifacts.store import Artifacts
    from raijin.definition.definition import Definition
    from raijin.definition.edit import Edits
    from raijin.engine.durable import Durable
    from raijin.model.cluster import Cluster
    from raijin.platforms.base import Snapshot
    from raijin.platforms.turns import Asked
    from raijin.state.secrets import SecretStore
    from raijin.twin.site import TwinSite

# What hangs on a session is imported when it is asked for: each part costs more to import than most commands compute.

DEFAULT_FILE = "raijin.yaml"


@dataclass
class Session:
    """files: what was given with -f (default: raijin.yaml here). cluster_name: which cluster, where there are several.

    drain: whether nodes that leave are drained. only_host: the host that `prepare` is about, by name or address. hosts:
    those that a verb about single ones is given. snapshot: what `restore` restores. run: the id that a server was asked
    for the run under, and durable its engine. actor: who asks, by which way and from where; None for whoever types the
    command. pending: changes of the definition that are planned with and not saved yet (see `propose`), and keeper what
    saves them: a server's store; None for the files themselves. twin: the simulated site that a rehearsal has in place
    of the hosts; None where hosts are real.
    """

    home: Path
    files: tuple[Path, ...] = ()
    cluster_name: str | None = None
    mirror: str | None = None
    offline: bool = False
    drain: bool = True
    only_host: str | None = None
    hosts: tuple[str, ...] = ()
    snapshot: Snapshot | None = None
    rotation: Asked | None = None
    run: str | None = None
    durable: Durable | None = None
    actor: tuple[str, str, str] | None = None
    pending: Edits | None = None
    keeper: Callable[[Edits], None] | None = None
    twin: TwinSite | None = None
    events: Events = field(default_factory=Events)

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        if self.files:
            return self.files
        default = Path(DEFAULT_FILE)
        if not default.exists():
            raise UsageError(
                f"there is no {DEFAULT_FILE} here",
                remedy="name the definition with -f, or make one with `raijin init`",
            )
        return (default,)

    @cached_property
    def definition(self) -> Definition:
        from raijin.definition.load import load  # noqa: PLC0415

        return self._with_machines(load(self.paths))

    @property
    def as_written(self) -> bool:
        """Whether the definition is, or will be, what stands in the files now."""
        return self.pending is None and "definition" not in self.__dict__

    def propose(self, edits: Edits) -> None:
        """Go on with a changed definition, whose files are written when the change is agreed to (`keep`), or never.

        Raises DefinitionError with what the changes make wrong.
        """
        self.suppose(edits.check())
        self.pending = edits

    def suppose(self, definition: Definition) -> None:
        """Go on with a definition that is in no file."""
        for cached in ("definition", "cluster"):
            self.__dict__.pop(cached, None)
        self.__dict__["definition"] = self._with_machines(definition)

    def furnish(self) -> None:
        """Look again at which of the machines that groups count have been made by now."""
        if not self.definition.counts:
            return
        chosen = self.cluster
        self.__dict__["definition"] = self._with_machines(self.definition)
        fresh = self.definition.cluster(chosen.name)
        self.__dict__["cluster"] = chosen.model_copy(update={"node_groups": fresh.node_groups})

    def _with_machines(self, definition: Definition) -> Definition:
        if not definition.counts:
            return definition
        from raijin.definition.counted import with_machines  # noqa: PLC0415
        from raijin.state.snapshot import read_machines  # noqa: PLC0415

        made = read_machines(self.home, [cluster.name for cluster in definition.clusters])
        return with_machines(definition, {(machine.cluster, machine.name): machine.target for machine in made})

    def keep(self) -> None:
        """Write the proposed changes, if there are any. Raises StalePlan when somebody else has changed a file."""
        if self.pending is None:
            return
        if self.keeper is not None:
            self.keeper(self.pending)
        else:
            self.pending.save()
        self.pending = None

    @cached_property
    def cluster(self) -> Cluster:
        return self.definition.cluster(self.cluster_name)

    @cached_property
    def database(self) -> Database:
        from raijin.state.database import open_database  # noqa: PLC0415

        return open_database(self.home)

    @cached_property
    def secrets(self) -> SecretStore:
        """What plans are made with; a plan of a restoration has one in its place that writes nothing."""
        from raijin.state.secrets import SecretStore  # noqa: PLC0415

        return SecretStore(self.home)

    @property
    def has_state(self) -> bool:
        """Whether this RAIJIN_HOME has ever run anything; asking must not create it."""
        return has_state(self.home)

    @cached_property
    def artifacts(self) -> Artifacts:
        from raijin.artifacts.store import Artifacts  # noqa: PLC0415

        mirror = self.mirror or self.definition.site().artifacts.mirror
        return Artifacts(self.home, str(mirror) if mirror else None, self.offline)

    @property
    def lock_file(self) -> Path:
        from raijin.artifacts.lock import lock_path  # noqa: PLC0415

        return lock_path(self.paths[0])

    @cached_property
    def lock(self) -> Lock:
        """The lock file beside the definition; without one, what imported bundles hold."""
        from raijin.artifacts.lock import read_lock  # noqa: PLC0415

        if self.lock_file.is_file():
            return read_lock(self.lock_file)
        return self.artifacts.offered()

    def fingerprint(self) -> str:
        """Of what the definition says about this cluster and the site, whatever its comments and order of keys."""
        definition = self.definition
        site, cluster = definition.site(), definition.as_written(self.cluster)
        hosts = tuple(host for host in site.hosts if host.name not in definition.made)
        written = site if len(hosts) == len(site.hosts) else site.model_copy(update={"hosts": hosts})
        documents = [cluster.model_dump(mode="json"), written.model_dump(mode="json")]
        return hashlib.sha256(json.dumps(documents, sort_keys=True).encode()).hexdigest()
