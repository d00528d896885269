"""Rehearsals: the whole plan of a definition, carried out on a simulated site by the real planner and the real engine.

The site, and everything that a run writes down, is in a home of its own that goes with the rehearsal. Nothing is
fetched, nobody is reached, and no secret of the definition is read.
"""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from raijin.app import running
from raijin.app.made_up import made_up_lock, made_up_secrets, surrounded, without_references
from raijin.app.planning import Planned
from raijin.app.session import Session
from raijin.artifacts.lock import Lock
from raijin.errors import NotFound, RaijinError, RunFailed, UsageError
from raijin.model.cni import CniName
from raijin.model.host import Host
from raijin.model.names import split_endpoint
from raijin.model.node_group import NodeRole
from raijin.model.site import Site
from raijin.model.version import Version
from raijin.observe.events import Event, Events, Kind
from raijin.observe.waiting import hurried
from raijin.operations.program import Program
from raijin.plan.model import Plan
from raijin.platforms import platform_of
from raijin.twin import twin_of
from raijin.twin.faults import Fault, FaultKind
from raijin.twin.schedule import Timing, makespan
from raijin.twin.site import TwinSite, address_of

VERBS = ("apply", "upgrade", "destroy")
MARK = "REHEARSAL: simulated hosts, nothing real is touched"
WIDE = "100.64.0.0/10"
"""A pod network with room for every node that a scaled rehearsal may have (RFC 6598's shared addresses)."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be rehearsed. hosts: how many the cluster shall have, its workers multiplied; 0: as defined.

    start: for `upgrade`, the version that runs before; empty: the newest patch of the minor before.
    """

    files: tuple[Path, ...]
    cluster: str | None = None
    verb: str = "apply"
    faults: tuple[Fault, ...] = ()
    hosts: int = 0
    start: str = ""
    then_empty: bool = False


@dataclass(frozen=True, slots=True)
class NodeLeft:
    """A node as the rehearsal leaves it. reason: why it is not Ready."""

    name: str
    version: str
    ready: bool
    schedulable: bool
    reason: str = ""


@dataclass
class Result:
    """What came of it.

    error: as a problem document; None when all went well. seconds: what it would have taken, by the model. took: what
    the rehearsal took. left: of the hosts, what is not as it was (after a destroy). kept: hosts whose disks are left to
    people. later: steps that a next plan has, None when that was not asked.
    """

    verb: str
    cluster: str
    hosts: int
    steps: int = 0
    failed: int = 0
    seconds: float = 0.0
    took: float = 0.0
    resumed: bool = False
    error: dict[str, object] | None = None
    exit_code: int = 0
    faults: list[tuple[str, bool]] = field(default_factory=list)
    nodes: list[NodeLeft] = field(default_factory=list)
    quarantined: list[str] = field(default_factory=list)
    unreachable: list[str] = field(default_factory=list)
    left: dict[str, list[str]] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    later: list[str] | None = None
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        from dataclasses import asdict  # noqa: PLC0415

        document = asdict(self)
        document["faults"] = [{"fault": text, "struck": struck} for text, struck in self.faults]
        return {"rehearsal": True, **document}


def site_of(session: Session) -> TwinSite:
    """The simulated hosts of the session's cluster, with nothing on them yet. Raises Unsupported."""
    network = session.cluster.network
    virtual = str(network.virtual_ip.address) if network.virtual_ip else ""
    named = network.control_plane_endpoint
    name, port = split_endpoint(str(named), session.cluster.kubernetes.api_server_port) if named else ("", 0)
    twin, own = twin_of(session.cluster.type), session.cluster.network.cni.name is CniName.NONE
    site = TwinSite(twin, virtual, name, port, twin.family(session.cluster), own_network=own)
    for placed in session.definition.hosts_of(session.cluster):
        site.add(placed.host)
    prepare(site, session)
    return site


def prepare(site: TwinSite, session: Session) -> None:
    """What is around the hosts is as the definition wants it: its names resolve, its version is offered."""
    site.version = str(session.cluster.kubernetes_version)
    site.names = site.platform.names(session.cluster)
    site.platform.moved(site)


def assumed(site: TwinSite) -> list[str]:
    """What of the hosts a rehearsal takes for granted."""
    found = []
    if site.family != "debian":
        found.append(f"hosts run a Linux of the family {site.family} in this rehearsal: the definition asks for it")
    if site.names:
        found.append("machines boot as soon as they are offered a configuration, and DNS is as it should be")
    if site.own_network:
        found.append("network.cni is NONE: the rehearsal takes it that you bring a network as soon as nodes join")
    return found


class Stage:
    """One rehearsal: its session, its site, and what is known of its progress."""

    def __init__(self, wish: Wish, home: Path, events: Events | None = None) -> None:
        if wish.verb not in VERBS:
            raise UsageError(f"{wish.verb} cannot be rehearsed", remedy=f"one of {', '.join(VERBS)}")
        self.wish, self.home = wish, home
        self.session = Session(home, wish.files, wish.cluster, events=events or Events())
        self.notes: list[str] = []
        _scale(self.session, wish.hosts, self.notes)
        told = without_secrets(self.session)
        self.notes += [told] if told else []
        self.saved = home / "site.pickle"
        self.site = self._site()
        self.notes += assumed(self.site)
        self.session.twin = self.site
        self.before = self._before()
        lock = self.session.lock if self.session.lock_file.is_file() else Lock()
        self.session.__dict__["lock"] = made_up_lock(self.session, lock, self.before, self.notes)

    def _site(self) -> TwinSite:
        if self.saved.is_file():  # an earlier process of this rehearsal was killed: the hosts are as it left them
            site: TwinSite = pickle.loads(self.saved.read_bytes())  # noqa: S301  (written by this very rehearsal)
            return site
        return site_of(self.session)

    def _before(self) -> str:
        """The version that runs before an upgrade; empty for the other verbs."""
        if self.wish.verb != "upgrade":
            return ""
        wanted, known = self.session.cluster.kubernetes_version, platform_of(self.session.cluster).known
        start = Version.parse(self.wish.start) if self.wish.start else known.get(wanted.minor - 1)
        if start is None or not start < wanted:
            raise UsageError(
                f"there is no version to come from to {wanted}", remedy="name an older one with --from, as in v1.33.6"
            )
        return str(start)

    async def set_the_scene(self) -> None:
        """What runs before the verb that is rehearsed: nothing, or a cluster that was applied."""
        if self.wish.verb == "apply":
            return
        session = self.session
        wanted, events = session.cluster, session.events
        session.events = Events()
        if self.before:
            session.__dict__["cluster"] = wanted.model_copy(update={"version": self.before})
            prepare(self.site, session)
        with hurried():
            await running.carry_out(session, "apply", lambda _: True)
        session.__dict__["cluster"], session.events = wanted, events
        session.furnish()
        prepare(self.site, session)

    async def perform(self, confirm: running.Confirm) -> Result:
        """Plan and run what is rehearsed, with its faults; whatever it ends with is in the result."""
        self.site.begin(self.wish.faults, (one.name for one in self.session.definition.to_make))
        self.site.kill = self._die
        return await self._carry(lambda seen: self._start(seen, confirm))

    async def go_on(self) -> Result:
        """Resume the run of a process that was killed."""
        self.site.kill = self._die
        result = await self._carry(self._resume)
        result.resumed = True
        return result

    async def _resume(self, seen: Callable[[Plan], None]) -> None:
        def session_of(plan: Plan) -> Session:
            seen(plan)
            return self.session

        def further(planned: Planned) -> bool:
            seen(planned.plan)
            return True

        await running.resume(session_of, self.home, "latest", further=further)

    async def _start(self, seen: Callable[[Plan], None], confirm: running.Confirm) -> None:
        def agreed(planned: Planned) -> bool:
            if not planned.plan.leads_on:
                self._check_places(planned.plan)
            seen(planned.plan)
            return confirm(planned)

        await running.carry_out(self.session, self._verb, agreed)

    @property
    def _verb(self) -> str:
        return "destroy" if self.wish.verb == "destroy" else "apply"

    async def _carry(self, work: Callable[[Callable[[Plan], None]], Awaitable[None]]) -> Result:
        session = self.session
        result = Result(self.wish.verb, session.cluster.name, len(self.site.hosts), notes=self.notes)
        timing, striking = Timing(self.site), _Striking(self.site)
        session.events.add(timing)
        session.events.add(striking)

        def seen(plan: Plan) -> None:
            timing.plan = plan.after(timing.plan) if timing.plan else plan
            striking.begin(plan)

        started = time.monotonic()
        try:
            with hurried():
                await work(seen)
        except RaijinError as error:
            result.error, result.exit_code = error.problem(), error.exit_code
        result.took = time.monotonic() - started
        result.seconds = makespan(timing)
        result.steps, result.failed, result.hosts = timing.ended, timing.failed, len(self.site.hosts) or result.hosts
        self._look(result)
        if self.wish.then_empty:
            await self._again(result)
        return result

    def _check_places(self, plan: Plan) -> None:
        """A fault that could never strike is no rehearsal of it. Raises UsageError."""
        stages = sorted({step.stage for step in plan.steps})
        for fault in self.wish.faults:
            if fault.stage and not any(fault.meets(step.stage, step.target) for step in plan.steps):
                where = f" on {fault.node}" if fault.node else ""
                raise UsageError(f"{fault}: the plan has no such stage{where}", remedy=f"stages: {', '.join(stages)}")

    def _die(self) -> None:
        """As by `kill -9`. The hosts live on: they are written down for the process that goes on."""
        self.saved.write_bytes(pickle.dumps(self.site))
        os.kill(os.getpid(), signal.SIGKILL)

    def _look(self, result: Result) -> None:
        """The state that is left, for people."""
        site = self.site
        result.faults = [(str(fault), fault.struck) for fault in site.faults]
        cluster = site.cluster
        for node in cluster.nodes() if cluster else ():
            name = node["metadata"]["name"]
            reason = cluster.ready(site, name) if cluster else ""
            version = node["status"]["nodeInfo"]["kubeletVersion"]
            result.nodes.append(NodeLeft(name, version, not reason, not node["spec"].get("unschedulable"), reason))
        result.unreachable = [host.name for host in site.hosts.values() if not host.up and not host.off]
        if self.session.has_state:
            from raijin.app.reaching import members_of  # noqa: PLC0415

            members = members_of(self.session)
            result.quarantined = sorted(name for name, member in members.items() if member.quarantine)
        if self.wish.verb == "destroy":
            result.kept = [host.name for host in site.hosts.values() if site.platform.keeps(host)]
            swept = (host for host in site.hosts.values() if host.up and host.name not in result.kept)
            result.left = {host.name: found for host in swept if (found := host.leftovers())}
            if result.left and not result.error:
                _fail(result, RunFailed(f"{len(result.left)} hosts are not as they were before", remedy="see `left`"))

    async def _again(self, result: Result) -> None:
        """The law: what was carried out leaves nothing to do."""
        self.session.furnish()
        try:
            with hurried():
                plan = (await running.plan(self.session, self._verb)).plan
        except RaijinError as error:
            result.later = [f"it cannot be planned: {error}"]
        else:
            result.later = [f"{step.stage} on {step.target}" for step in plan.steps]
        if result.later and not result.error:
            _fail(result, RunFailed(f"the next plan is not empty: it has {len(result.later)} steps"))


def _fail(result: Result, error: RaijinError) -> None:
    result.error, result.exit_code = error.problem(), error.exit_code


class _Striking:
    """A sink of events: faults strike when the steps begin that they wait for."""

    def __init__(self, site: TwinSite) -> None:
        self._site, self._programs = site, set[str]()

    def begin(self, plan: Plan) -> None:
        self._programs |= {step.id for step in plan.steps if isinstance(step.action, Program)}

    def __call__(self, event: Event) -> None:
        if event.kind is Kind.STEP_STARTED:
            self._site.step_begins(str(event.data["stage"]), event.host, program=event.step in self._programs)


def without_secrets(session: Session) -> str:
    """A rehearsal reads no secret, and needs none to be there. Returns what else is made up, in words."""
    definition, cluster = session.definition, session.cluster
    around, told = surrounded(cluster)
    made = made_up_secrets(around)
    if cluster.platform_config:
        made = made.model_copy(update={"platform_config": without_references(cluster.platform_config)})
    clusters = tuple(made if other is cluster else other for other in definition.clusters)
    session.__dict__["definition"] = replace(definition, clusters=clusters)
    session.__dict__["cluster"] = made
    return told


def _scale(session: Session, hosts: int, notes: list[str]) -> None:
    """A cluster of so many hosts, by more workers of the kind of the first."""
    if not hosts:
        return
    definition, cluster = session.definition, session.cluster
    group = next((group for group in cluster.node_groups if group.role is NodeRole.WORKER), None)
    if group is None:
        raise NotFound(
            f"{cluster.name} has no group of workers that could grow", remedy="add one, or leave --hosts out"
        )
    unmade = sum(one.cluster == cluster.name for one in definition.to_make)
    more = hosts - len(definition.hosts_of(cluster)) - unmade
    if more <= 0:
        return
    added: list[Host] = []
    if definition.is_counted(group):
        larger = group.model_copy(update={"count": (group.count or 0) + more})
    else:
        added = [Host.model_validate({"name": f"more{n}", "address": address_of(n)}) for n in range(1, more + 1)]
        larger = group.model_copy(update={"hosts": (*group.hosts, *(host.name for host in added))})
    groups = tuple(larger if other is group else other for other in cluster.node_groups)
    changed: dict[str, object] = {"node_groups": groups}
    room = cluster.network.pod_networks[0]
    if hosts > 2 ** max(0, cluster.network.node_cidr_mask_size - room.prefixlen):
        changed["network"] = cluster.network.model_copy(update={"pod_cidr": WIDE})
        notes.append(f"podCidr is {WIDE} in this rehearsal: {room} has no room for {hosts} nodes")
    grown = cluster.model_copy(update=changed)
    first, *others = definition.sites or (Site(),)
    sites = (first.model_copy(update={"hosts": (*first.hosts, *added)}), *others)
    clusters = tuple(grown if other is cluster else other for other in definition.clusters)
    session.__dict__["definition"] = replace(definition, sites=sites, clusters=clusters)
    session.__dict__["cluster"] = grown
    session.furnish()
    notes.append(f"{more} workers were added for this rehearsal, to make {hosts} hosts")


@contextmanager
def rehearsal(wish: Wish, home: Path, events: Events | None = None) -> Iterator[Stage]:
    """A stage with its own home; the session's database is closed at the end."""
    stage = Stage(wish, home, events)
    try:
        yield stage
    finally:
        if "database" in stage.session.__dict__:
            stage.session.database.dispose()


def kill_is_asked(faults: Sequence[Fault]) -> bool:
    return any(fault.kind is FaultKind.KILL for fault in faults)
