"""The plan: data that says what will be done, where, after what, and what a person should know before saying yes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from raijin.operations.program import Program

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


class Disruption(StrEnum):
    """The worst that a step does to what runs. Ordered from nothing to losing data."""

    NONE = "nothing"
    RESTART = "restarts a service"
    DRAIN = "moves pods"
    API = "interrupts the API"
    REBOOT = "reboots the host"
    REMOVAL = "removes a node"
    DATA = "deletes data"

    @property
    def rank(self) -> int:
        return list(Disruption).index(self)


class Retry(StrEnum):
    """Which errors of a step may be tried again: none, or those that say of themselves that they are transient."""

    NEVER = "never"
    TRANSIENT = "transient"


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one thing: what it is and what it will be. `ripple` says which other change makes it necessary."""

    thing: str
    field: str
    before: str
    after: str
    ripple: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """Work that is not a program on a host: a request to an API, a secret made, a file fetched. Arguments are JSON."""

    name: str
    arguments: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Material:
    """A file that programs of the plan need: what it is and where it may be had. size in bytes."""

    sha256: str
    name: str
    size: int
    url: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One unit that the engine runs, journals, retries and resumes.

    target: a host's name, or the cluster's. needs: ids of the steps that must be done before. timeout and estimate in
    seconds. operations: how many of the program's operations would change something. renewed: what it made may have
    expired when a run goes on later, so it is done again for steps that still need it (a join token). cleanup: it puts
    in order what its needs began (takes a token back, lets pods return), so it runs once they have ended, well or not,
    unless none of them was begun or the run is being cancelled; a failure elsewhere does not keep it from running.
    """

    id: str
    stage: str
    target: str
    title: str
    action: Program | Call
    needs: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    disruption: Disruption = Disruption.NONE
    retry: Retry = Retry.TRANSIENT
    timeout: float = 600.0
    estimate: float = 1.0
    operations: int = 0
    renewed: bool = False
    cleanup: bool = False


@dataclass(frozen=True)
class Plan:
    """A verb on a cluster, as a graph of steps in an order that respects their needs.

    leads_on: when it is done, more is to be planned that could not be seen before (machines are made first).
    """

    verb: str
    cluster: str
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    definition: str = ""
    sources: tuple[str, ...] = ()
    materials: tuple[Material, ...] = ()
    leads_on: bool = False

    @property
    def empty(self) -> bool:
        return not self.steps

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(step.target for step in self.steps if isinstance(step.action, Program)))

    @property
    def disruption(self) -> Disruption:
        return max((step.disruption for step in self.steps), key=lambda d: d.rank, default=Disruption.NONE)

    @cached_property
    def digest(self) -> str:
        """From what would be done and from what was seen; two plans with one digest are the same plan."""
        document = [self.verb, self.cluster, self.definition]
        steps = [
            [s.id, s.title, list(s.needs), s.disruption.name, str(s.retry), s.timeout, s.renewed, s.cleanup]
            + [[c.thing, c.field, c.before, c.after] for c in s.changes]
            for s in self.steps
        ]
        materials = [[m.sha256, m.name, m.size, m.url] for m in self.materials]
        more = ["leads on"] if self.leads_on else []
        return hashlib.sha256(json.dumps([document, steps, materials, *more]).encode()).hexdigest()

    def after(self, before: Plan) -> Plan:
        """Both as one, where `before` is done and has led on to this one."""
        known = {step.id for step in self.steps}
        done = tuple(step for step in before.steps if step.id not in known)
        materials = tuple(dict.fromkeys((*before.materials, *self.materials)))
        return replace(self, steps=(*done, *self.steps), materials=materials)

    def duration(self) -> float:
        """Estimated seconds: the longest chain of needs."""
        done: dict[str, float] = {}
        for step in self.steps:
            done[step.id] = step.estimate + max((done.get(need, 0.0) for need in step.needs), default=0.0)
        return max(done.values(), default=0.0)


def step_id(stage: str, target: str, action: Program | Call) -> str:
    """From the content: the same work on the same target has the same id in every plan."""
    if isinstance(action, Program):
        content = action.id
    else:
        content = json.dumps([action.name, dict(action.arguments)], sort_keys=True)
    digest = hashlib.sha256(f"{stage}\0{target}\0{content}".encode()).hexdigest()[:10]
    return f"{stage}.{target}.{digest}"
