"""A change that somebody wants of a cluster: planned without writing anything, and agreed to as it was planned.

What changes the definition (another release, other hosts) is planned with the changed text. The plan is kept with the
change that it is for, the run that somebody asks for carries the change, and whoever carries the run out writes it when
his own planning has not refused it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from raijin.app.roles import Role
from raijin.app.scaling import replace_hosts, resize
from raijin.app.upgrading import allow_unavailable
from raijin.app.workers import adding, removing
from raijin.definition.edit import Edits
from raijin.errors import NotFound, PlanRefused, StalePlan, UsageError
from raijin.model.duration import parse_duration
from raijin.plan.codec import plan_to_json
from raijin.state.plans import Plans

if TYPE_CHECKING:
    from raijin.app.planning import Planned
    from raijin.app.service import Service
    from raijin.app.session import Session
    from raijin.state.runs import RunRecord

EDITING = frozenset({"upgrade", "scale", "worker-add", "worker-remove"})
"""What changes the definition, and applies it then."""
GRAVE = frozenset({"restore", "destroy", "rotate-ca", "reset", "replace"})
"""What data is lost by, or the credentials of everybody."""
SAID = frozenset({"version", "group", "count", "hosts", "address", "node_role"})
"""The parts of a change that are about the definition."""
AIMED = frozenset({"prepare", "replace", "reset"})
"""What is about some hosts, and changes no definition."""


@dataclass(frozen=True, slots=True)
class Change:
    """verb: apply, upgrade, scale, worker-add, worker-remove, backup, restore, renew, rotate-ca, defragment, replace,
    prepare, reset or destroy.

    version: of an upgrade, and max_unavailable: how many workers may be out of service at once by it. group: of a
    scaling, with `count` machines or exactly these `hosts`, or that a worker comes into. hosts: else those that it is
    about. address, role: of a worker that comes; a host that the Site does not know needs an address. backup: of a
    restoration, and at: the newest that is not younger than this (seconds since the epoch). restoration: its name,
    given when it is planned. drain_timeout: how long pods may take to leave a node; empty: as the definition says.
    drain: whether they are moved away. authorities: that are replaced; none: all. workloads: those of users are started
    anew too. step: only the next turn. agreed: its run is under way, and may have written it already.
    """

    verb: str = "apply"
    force: bool = False
    version: str = ""
    group: str = ""
    count: int | None = None
    hosts: tuple[str, ...] | None = None
    drain_timeout: str = ""
    backup: str = "latest"
    at: float | None = None
    restoration: str = ""
    authorities: tuple[str, ...] = ()
    workloads: bool = False
    step: bool = False
    address: str = ""
    node_role: str = "worker"
    drain: bool = True
    max_unavailable: str = ""
    agreed: bool = False

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Change:
        hosts, authorities = data.get("hosts"), tuple(data.get("authorities") or ())
        return cls(**{**data, "hosts": None if hosts is None else tuple(hosts), "authorities": authorities})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def of_plan(self) -> str:
        """The verb of the plan that it comes to."""
        return "apply" if self.verb in EDITING else self.verb

    @property
    def role(self) -> Role:
        """Who may have it done."""
        return Role.ADMIN if self.verb in GRAVE or self.address else Role.OPERATOR

    @property
    def planner(self) -> Role:
        """Who may see what it would do: a restoration opens its backup, and a new host is logged in to."""
        return Role.ADMIN if self.verb == "restore" or self.address else Role.OPERATOR

    def edits(self, service: Service, session: Session) -> Edits | None:
        """What it changes in the definition; nothing is written. Raises NotFound, PlanRefused, EditRefused."""
        if self.verb not in EDITING:
            return None
        cluster, edits = session.cluster.name, Edits(list(session.paths))
        if self.verb == "upgrade":
            edits.set_value("Cluster", cluster, ("version",), self.version)
            return edits
        if self.verb != "scale":
            return self._of_a_worker(service, session)
        taken = service.store.taken(cluster)
        if self.hosts is not None:
            replace_hosts(session, edits, self.group, self.hosts, taken)
        else:
            resize(session, edits, self.group, self.count or 0, taken)
        return edits

    @property
    def _host(self) -> str:
        if not self.hosts or len(self.hosts) != 1:
            raise UsageError(f"{self.verb} is about one host", remedy="name exactly one in `hosts`")
        return self.hosts[0]

    def _of_a_worker(self, service: Service, session: Session) -> Edits:
        host = self._host
        if self.agreed and (host in {p.name for p in session.definition.hosts_of(session.cluster)}) == self._comes:
            return Edits(list(session.paths))  # written already, by a runner that has died since
        if not self._comes:
            return removing(session, host)
        if holder := service.store.taken(session.cluster.name).get(host):
            raise PlanRefused(f"{host} belongs to {holder} already", remedy="choose a host that is free")
        if not self.address and all(known.name != host for known in session.definition.site().hosts):
            raise NotFound(f"the Site has no host {host}", remedy="give its address, which takes an administrator")
        return adding(session, host, address=self.address or None, role=self.node_role, group=self.group or None)

    @property
    def _comes(self) -> bool:
        return self.verb == "worker-add"

    def wish(self, match: str | None = None) -> dict[str, Any]:
        """What its run has to know of the change of the definition; match: see `Service.propose`."""
        if self.verb not in EDITING:
            return {}
        usual = Change(self.verb).to_json()
        said = {name: value for name, value in self.to_json().items() if name in SAID and value != usual[name]}
        return {"change": {"verb": self.verb, **said}} | ({"match": match} if match else {})

    def request(self) -> dict[str, Any]:
        """What its run has to know."""
        more: dict[str, Any] = {"force": self.force}
        if self.verb in AIMED:
            more["hosts"] = [*(self.hosts or ())]
        if not self.drain:
            more["drain"] = False
        if self.max_unavailable:
            more["max_unavailable"] = self.max_unavailable
        if self.drain_timeout:
            more["drain_timeout"] = self.drain_timeout
        if self.verb == "restore":
            more |= {"backup": self.backup, "restoration": self.restoration}
        if self.verb == "rotate-ca":
            more |= {"authorities": [*self.authorities], "workloads": self.workloads, "step": self.step}
        return more


def patient(session: Session, drain_timeout: str) -> None:
    """Let nodes of this session be drained for so long, for once."""
    if drain_timeout:
        policy = session.cluster.policy.model_copy(update={"drain_timeout": parse_duration(drain_timeout)})
        session.__dict__["cluster"] = session.cluster.model_copy(update={"policy": policy})


def as_asked(session: Session, verb: str, asked: Mapping[str, Any]) -> None:
    """Let this session do a verb the way that it was asked for. Raises NotFound, Unsupported, UsageError."""
    patient(session, str(asked.get("drain_timeout") or ""))
    rotating(session, verb, asked)
    session.drain = bool(asked.get("drain", True))
    if text := asked.get("max_unavailable"):
        allow_unavailable(session, str(text))
    hosts = tuple(map(str, asked.get("hosts") or ()))
    if verb == "prepare":
        session.only_host = hosts[0] if hosts else None
    elif verb in AIMED:
        from raijin.app.etcd import choose  # noqa: PLC0415

        choose(session, hosts, planes=verb == "replace")


def rotating(session: Session, verb: str, asked: Mapping[str, Any]) -> None:
    """Let authorities be replaced as it was asked for. Raises Unsupported where they are not."""
    if verb != "rotate-ca":
        return
    from raijin.app.certificates import require_rotation  # noqa: PLC0415
    from raijin.platforms.turns import Asked  # noqa: PLC0415

    require_rotation(session)
    names = tuple(map(str, asked.get("authorities") or ()))
    session.rotation = Asked(names, workloads=bool(asked.get("workloads")), step=bool(asked.get("step")))


def session_with(service: Service, cluster: str, change: Change) -> Session:
    """A session with the changed definition."""
    session = service.session(cluster)
    service.propose(session, change)
    as_asked(session, change.verb, change.request())
    return session


def session_for(service: Service, run: RunRecord) -> Session:
    """A session for what was asked for."""
    asked = run.request or {}
    session = service.session(run.cluster)
    if change := asked.get("change"):
        service.propose(session, replace(Change.from_json(change), agreed=True), asked.get("match"))
    as_asked(session, run.verb, asked)
    return session


async def plan_change(service: Service, cluster: str, change: Change) -> dict[str, Any]:
    """Plan it now, and keep the plan so that it can be agreed to. Raises what planning raises."""
    session = await asyncio.to_thread(session_with, service, cluster, change)  # it reads files, and checks them
    planned, change = await service.background.result(_planned(session, change))
    return await asyncio.to_thread(_kept, service, cluster, planned, change)


def _kept(service: Service, cluster: str, planned: Planned, change: Change) -> dict[str, Any]:
    data = plan_to_json(planned.plan) | {"change": change.to_json()}
    Plans(service.database).keep(cluster, planned.plan.digest, data)
    return data | {"runbook": "\n".join(planned.runbook())}


async def _planned(session: Session, change: Change) -> tuple[Planned, Change]:
    if change.verb == "restore":
        from raijin.app.restoring import plan_restore  # noqa: PLC0415

        named = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        planned, backup = await plan_restore(session, change.backup, change.at, named, force=change.force)
        return planned, replace(change, backup=backup, at=None, restoration=named)
    from raijin.app.running import plan  # noqa: PLC0415

    return await plan(session, change.of_plan, force=change.force), change


def change_of(service: Service, cluster: str, digest: str) -> Change:
    """What a plan that was shown is for. Raises NotFound."""
    return _change_in(Plans(service.database).get(cluster, digest))


def _change_in(shown: Mapping[str, Any]) -> Change:
    return Change.from_json(shown.get("change") or {"verb": shown["verb"]})


def agree(service: Service, cluster: str, digest: str, request: Mapping[str, Any]) -> RunRecord:
    """Have exactly that plan carried out. Raises NotFound, Locked, StalePlan.

    Whether the hosts have moved is judged by whoever carries it out, who asks them; then nothing is written either.
    """
    shown = Plans(service.database).get(cluster, digest)
    change = _change_in(shown)
    session = session_with(service, cluster, change)
    if session.fingerprint() != shown["definition"]:
        raise StalePlan(
            "the plan is stale: the definition has changed since it was made", remedy="plan again and look at it"
        )
    return service.ask(cluster, change.of_plan, {**request, **change.request(), **change.wish(), "plan": digest})
