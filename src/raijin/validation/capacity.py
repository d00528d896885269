"""Is there room: what nodes have, what pods ask for and use, what one lost node leaves, and when it will be full.

Every recommendation comes with its arithmetic, line by line, so that a person can compute it again.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from raijin.state.samples import Moment, NodeSample
from raijin.validation.finding import Finding, Grade
from raijin.validation.usage import DAY, DAYS_FOR_A_TREND, Trend, percentile, trend, weight

CAPACITY = "capacity"
WINDOW_SECONDS = 7 * DAY
"""What is used is the 95th percentile of these days: the weekend counts, one peak does not."""
BUSY = {"cpu": 0.80, "memory": 0.90, "pods": 0.90}
"""Part of what there is from which on it is too little (the limits that the users' own alerts have)."""
SOON_DAYS = 30.0
ASKED_TOO_MUCH = 3.0
"""So many times as much as is used, by requests that take half of what there is: they keep others away for nothing."""
TINY = 1e-9
"""What sums of floating numbers may be off by."""
SPARE = 1.25
"""What stays when a node is to go without harm: a quarter more than is used now."""
GIB = 2.0**30


@dataclass(frozen=True, slots=True)
class Resource:
    """size, asked, used: how it is read of a node or a moment. asked is None where pods do not ask for it."""

    name: str
    size: Callable[[Any], float]
    used: Callable[[Any], float]
    asked: Callable[[Any], float] | None

    def text(self, value: float) -> str:
        """`12.40`, `62.50`, `110`: cores, GiB, pods."""
        if self.name == "pods":
            return f"{value:.0f}"
        return f"{value / GIB:.2f}" if self.name == "memory" else f"{value:.2f}"

    @property
    def unit(self) -> str:
        return {"cpu": "cores", "memory": "GiB", "pods": "pods"}[self.name]

    def amount(self, value: float) -> str:
        return f"{self.text(value)} {self.unit}"


RESOURCES = (
    Resource("cpu", lambda x: x.cpu_size, lambda x: x.cpu_used, lambda x: x.cpu_requested),
    Resource("memory", lambda x: x.memory_size, lambda x: x.memory_used, lambda x: x.memory_requested),
    Resource("pods", lambda x: x.pods_size, lambda x: x.pods, None),
)


@dataclass(frozen=True, slots=True)
class Room:
    """One resource. cpu in cores, memory in bytes. largest: what the largest node has, whose loss is reckoned with.

    limit: what may be taken so that the loss of that node is survived; all of it where there is one node only.
    p95: of what was used. days_left: None when nothing says that it will be full.
    """

    resource: str
    allocatable: float
    largest: float
    largest_node: str
    limit: float
    requested: float | None
    used: float
    p95: float
    trend: Trend
    days_left: float | None
    arithmetic: tuple[str, ...]

    @property
    def headroom(self) -> float:
        """What is left after the loss of one node, by what pods ask for or by what they use, whichever is more."""
        return self.limit - max(self.requested or 0.0, self.p95)

    def to_json(self) -> dict[str, Any]:
        return {
            "resource": self.resource, "unit": {"cpu": "cores", "memory": "bytes"}.get(self.resource, "pods"),
            "allocatable": self.allocatable, "largest_node": self.largest_node, "largest": self.largest,
            "limit": self.limit, "requested": self.requested, "used": self.used, "p95": self.p95,
            "headroom": self.headroom, "trend_per_day": self.trend.a_day if self.trend.days > 1 else None,
            "trend_days": self.trend.days, "days_until_full": self.days_left, "arithmetic": list(self.arithmetic),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recommendation:
    """finding: what is to be said, and done. arithmetic: how that was reckoned."""

    finding: Finding
    arithmetic: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {**self.finding.to_json(), "arithmetic": list(self.arithmetic)}


@dataclass(frozen=True, slots=True)
class Capacity:
    """nodes: those that take pods. hours: how long a time the samples tell of."""

    cluster: str
    at: float | None
    nodes: int
    hours: float
    rooms: tuple[Room, ...] = ()
    recommendations: tuple[Recommendation, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        return {
            "cluster": self.cluster, "at": self.at, "nodes": self.nodes, "hours": self.hours,
            "resources": [room.to_json() for room in self.rooms],
            "recommendations": [item.to_json() for item in self.recommendations],
        }  # fmt: skip


def capacity(cluster: str, nodes: Sequence[NodeSample], moments: Sequence[Moment]) -> Capacity:
    """nodes: as they were seen last. moments: of the nodes that take pods, in their order."""
    taking = [node for node in nodes if node.takes_pods]
    at = max((node.at for node in nodes), default=None)
    hours = (moments[-1].at + moments[-1].seconds - moments[0].at) / 3600 if moments else 0.0
    if not taking:
        text = "no node takes pods" if nodes else "nothing was measured yet"
        remedy = "look at cordons and taints" if nodes else "wait for the server to look, or ask for a look now"
        found = Finding(CAPACITY, cluster, Grade.UNKNOWN, text, remedy)
        return Capacity(cluster, at, 0, hours, (), (Recommendation(found, ()),))
    rooms = tuple(_room(resource, taking, moments) for resource in RESOURCES)
    said = [*_lost_node(rooms, taking), *_busy(rooms), *_soon(rooms), *_nodes_alone(taking)]
    said += [*_asked_too_much(rooms), *(_could_go(rooms, taking) if not said else ())]
    if not said:
        worst = min(rooms, key=lambda room: room.headroom / room.allocatable if room.allocatable else 0.0)
        resource = _resource(worst)
        text = f"there is room, also when a node is lost: {resource.amount(worst.headroom)} of {worst.resource}"
        said = [Recommendation(Finding(CAPACITY, cluster, Grade.OK, text), worst.arithmetic)]
    return Capacity(cluster, at, len(taking), hours, rooms, tuple(said))


def _resource(room: Room) -> Resource:
    return next(resource for resource in RESOURCES if resource.name == room.resource)


def _room(resource: Resource, nodes: Sequence[NodeSample], moments: Sequence[Moment]) -> Room:
    sizes = {node.node: resource.size(node) for node in nodes}
    total = sum(sizes.values())
    name, largest = max(sizes.items(), key=lambda item: (item[1], item[0]))
    alone = len(nodes) == 1
    limit = total if alone else total - largest
    asked = sum(resource.asked(node) for node in nodes) if resource.asked else None
    used = sum(resource.used(node) for node in nodes)
    last = moments[-1].at if moments else 0.0
    window = [moment for moment in moments if moment.at > last - WINDOW_SECONDS]
    p95 = percentile([(resource.used(m), weight(m)) for m in window], 0.95) if window else used
    growth = trend(moments, resource.used)
    left = max(0.0, (limit - used) / growth.a_day) if growth.sure else None
    room = Room(resource.name, total, largest, name, limit, asked, used, p95, growth, left, ())
    lines = tuple(_arithmetic(resource, room, list(sizes.values()), len(window), alone=alone))
    return Room(resource.name, total, largest, name, limit, asked, used, p95, growth, left, lines)


def _arithmetic(resource: Resource, room: Room, sizes: list[float], samples: int, *, alone: bool) -> Iterator[str]:
    text, amount = resource.text, resource.amount
    counted = Counter(text(size) for size in sorted(sizes, reverse=True))
    terms = " + ".join(f"{count} x {size}" if count > 1 else size for size, count in counted.items())
    yield f"allocatable: {terms} = {amount(room.allocatable)}"
    if alone:
        yield f"there is one node ({room.largest_node}): its loss is the loss of everything"
    else:
        loss = f"{text(room.allocatable)} - {text(room.largest)} = {amount(room.limit)}"
        yield f"after the loss of the largest node ({room.largest_node}): {loss}"
    if room.requested is not None:
        yield f"requested by pods: {amount(room.requested)} ({_part(room.requested, room.allocatable)})"
        left = amount(room.limit - room.requested)
        yield f"headroom by requests: {text(room.limit)} - {text(room.requested)} = {left}"
    what = f"95th percentile of {samples} samples" if samples else "now; there is no history yet"
    yield f"used ({what}): {amount(room.p95)} ({_part(room.p95, room.allocatable)})"
    yield f"headroom by use: {text(room.limit)} - {text(room.p95)} = {amount(room.limit - room.p95)}"
    growth = room.trend
    if growth.days < DAYS_FOR_A_TREND:
        yield f"trend: {growth.days} whole days were seen, {DAYS_FOR_A_TREND} are needed"
    elif room.days_left is None:
        yield f"trend: {_signed(resource, growth)} a day over {growth.days} days, no growth beyond chance"
    else:
        term = f"({text(room.limit)} - {text(room.used)}) / {_signed(resource, growth).lstrip('+')}"
        yield f"trend: {_signed(resource, growth)} a day over {growth.days} days"
        yield f"full in: {term} = {room.days_left:.0f} days"


def _signed(resource: Resource, growth: Trend) -> str:
    scale = GIB if resource.name == "memory" else 1.0
    return f"{growth.a_day / scale:+.3f}"


def _part(value: float, whole: float) -> str:
    return f"{value / whole:.0%} of allocatable" if whole else "of nothing"


def _lost_node(rooms: Sequence[Room], nodes: Sequence[NodeSample]) -> Iterator[Recommendation]:
    """Pods of a lost node must find room on the others, by what they ask for and by what they use."""
    if len(nodes) == 1:
        text = f"there is one node that takes pods: without {nodes[0].node} nothing runs"
        found = Finding(CAPACITY, nodes[0].node, Grade.WARNING, text, "add a worker")
        yield Recommendation(found, ("nodes that take pods: 1",))
        return
    for room in rooms:
        resource = _resource(room)
        short = -room.headroom
        if short <= TINY:
            continue
        usual = sorted(resource.size(node) for node in nodes)[len(nodes) // 2]
        more = math.ceil(short / usual) if usual else 1
        text = f"when {room.largest_node} is lost, {resource.amount(short)} of {room.resource} are missing for its pods"
        remedy = f"add {more} worker{'s' if more > 1 else ''} of {resource.amount(usual)}, or lower requests"
        lines = (
            *room.arithmetic,
            f"workers to add: {resource.text(short)} / {resource.text(usual)} = {more}, rounded up",
        )
        yield Recommendation(Finding(CAPACITY, room.resource, Grade.WARNING, text, remedy), lines)


def _busy(rooms: Sequence[Room]) -> Iterator[Recommendation]:
    for room in rooms:
        limit = BUSY[room.resource]
        if room.allocatable and room.p95 / room.allocatable >= limit - TINY:
            resource = _resource(room)
            text = f"{_part(room.p95, room.allocatable)} is used ({resource.amount(room.p95)}), {limit:.0%} is much"
            remedy = "add a worker, or move something away"
            yield Recommendation(Finding(CAPACITY, room.resource, Grade.WARNING, text, remedy), room.arithmetic)


def _soon(rooms: Sequence[Room]) -> Iterator[Recommendation]:
    for room in rooms:
        if room.days_left is not None and room.days_left <= SOON_DAYS:
            text = f"full in {room.days_left:.0f} days, if it grows as it did"
            remedy = "add a worker before that, or look at what grows"
            yield Recommendation(Finding(CAPACITY, room.resource, Grade.WARNING, text, remedy), room.arithmetic)


def _nodes_alone(nodes: Sequence[NodeSample]) -> Iterator[Recommendation]:
    """One full node among idle ones: its pods are evicted all the same."""
    for node in nodes:
        if node.memory_size and node.memory_used / node.memory_size >= BUSY["memory"]:
            memory = RESOURCES[1]
            line = f"{memory.text(node.memory_used)} of {memory.amount(node.memory_size)}"
            text = f"{node.memory_used / node.memory_size:.0%} of its memory is used"
            remedy = "its kubelet begins to evict pods soon: look at the largest of them"
            yield Recommendation(Finding(CAPACITY, node.node, Grade.WARNING, text, remedy), (f"used now: {line}",))


def _asked_too_much(rooms: Sequence[Room]) -> Iterator[Recommendation]:
    for room in rooms:
        asked = room.requested or 0.0
        if room.p95 > 0 and asked >= room.allocatable / 2 and asked >= ASKED_TOO_MUCH * room.p95:
            text = f"pods ask for {asked / room.p95:.1f} times what they use"
            remedy = "lower the requests of what asks for most: others find room then"
            yield Recommendation(Finding(CAPACITY, room.resource, Grade.OK, text, remedy), room.arithmetic)


def _could_go(rooms: Sequence[Room], nodes: Sequence[NodeSample]) -> Iterator[Recommendation]:
    """How many of the smallest nodes the others could do without, one lost node still reckoned with."""
    ordered = sorted(nodes, key=lambda node: (node.memory_size, node.cpu_size))
    going = 0
    while len(ordered) - (going + 1) >= 3 and all(_fits(room, ordered[going + 1 :]) for room in rooms):
        going += 1
    if not going:
        return
    names = ", ".join(node.node for node in ordered[:going][:5]) + (" ..." if going > 5 else "")
    lines = tuple(_without(room, ordered[going:]) for room in rooms)
    text = f"{going} of {len(nodes)} nodes could go ({names}): the others have room, also when one more is lost"
    yield Recommendation(Finding(CAPACITY, "nodes", Grade.OK, text, "let them sleep, or scale down"), lines)


def _fits(room: Room, staying: Sequence[NodeSample]) -> bool:
    resource = _resource(room)
    sizes = [resource.size(node) for node in staying]
    return sum(sizes) - max(sizes) >= SPARE * max(room.requested or 0.0, room.p95)


def _without(room: Room, staying: Sequence[NodeSample]) -> str:
    resource = _resource(room)
    sizes = [resource.size(node) for node in staying]
    need = max(room.requested or 0.0, room.p95)
    left, text = sum(sizes) - max(sizes), resource.text
    wanted = f"{SPARE} x {text(need)} = {resource.amount(SPARE * need)}"
    return f"{room.resource}: {text(sum(sizes))} - {text(max(sizes))} = {resource.amount(left)} >= {wanted}"
