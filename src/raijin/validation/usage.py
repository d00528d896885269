"""Numbers over time, without a clock and without a wire: percentiles, what is usual at an hour, where a trend leads."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from raijin.state.samples import Moment

SAMPLE_SECONDS = 300.0
"""What a single sample counts for beside an hour's mean: how often samples are taken by default."""
DAY = 86_400.0
DAYS_FOR_A_TREND = 4
"""Whole days; fewer say more about yesterday than about next month."""
SURE = 2.0
"""A slope counts when it is so many of its standard errors away from none."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Of a resource over time. unit: cores, bytes or pods."""

    unit: str
    p50: float
    p95: float
    most: float


@dataclass(frozen=True, slots=True)
class UsualHour:
    """What is usual in one hour of the week (UTC): weekday 0 is Monday."""

    weekday: int
    hour: int
    samples: int
    cpu: float
    cpu_p95: float
    memory: float
    memory_p95: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is usual for a cluster: since, until in seconds since the epoch; hours: only those that were seen."""

    since: float | None
    until: float | None
    samples: int
    resources: dict[str, Spread]
    hours: tuple[UsualHour, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Trend:
    """a_day: how much more each day, by the means of whole days. sure: whether that is more than chance."""

    days: int
    a_day: float
    error: float

    @property
    def sure(self) -> bool:
        return self.days >= DAYS_FOR_A_TREND and self.a_day > 0 and self.a_day > SURE * self.error


def weight(moment: Moment) -> float:
    return moment.seconds or SAMPLE_SECONDS


def percentile(values: Sequence[tuple[float, float]], part: float) -> float:
    """The smallest value that at least `part` of the weight does not exceed. values: (value, weight); 0 for none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    wanted, seen = part * sum(w for _, w in ordered), 0.0
    for value, counts in ordered:
        seen += counts
        if seen >= wanted - 1e-9:
            return value
    return ordered[-1][0]


def spread(moments: Sequence[Moment], of: Callable[[Moment], float], unit: str) -> Spread:
    values = [(of(moment), weight(moment)) for moment in moments]
    return Spread(unit, percentile(values, 0.5), percentile(values, 0.95), max((v for v, _ in values), default=0.0))


def baseline(moments: Sequence[Moment]) -> Baseline:
    """Percentiles of all, and what is usual in each hour of the week."""
    hours: dict[tuple[int, int], list[Moment]] = {}
    for moment in moments:
        clock = time.gmtime(moment.at)
        hours.setdefault((clock.tm_wday, clock.tm_hour), []).append(moment)
    resources = {
        "cpu": spread(moments, lambda m: m.cpu_used, "cores"),
        "memory": spread(moments, lambda m: m.memory_used, "bytes"),
        "pods": spread(moments, lambda m: m.pods, "pods"),
    }
    return Baseline(
        moments[0].at if moments else None, moments[-1].at if moments else None, len(moments), resources,
        tuple(_usual(*when, found) for when, found in sorted(hours.items())),
    )  # fmt: skip


def _usual(weekday: int, hour: int, found: Sequence[Moment]) -> UsualHour:
    cpu = [(m.cpu_used, weight(m)) for m in found]
    memory = [(m.memory_used, weight(m)) for m in found]
    return UsualHour(
        weekday, hour, len(found), _mean(cpu), percentile(cpu, 0.95), _mean(memory), percentile(memory, 0.95)
    )


def _mean(values: Iterable[tuple[float, float]]) -> float:
    known = list(values)
    total = sum(w for _, w in known)
    return sum(v * w for v, w in known) / total if total else 0.0


def trend(moments: Sequence[Moment], of: Callable[[Moment], float]) -> Trend:
    """Least squares through the means of whole days: nights and mornings are not taken for growth.

    The first and the last day are left out when they are not whole.
    """
    days: dict[int, list[Moment]] = {}
    for moment in moments:
        days.setdefault(int(moment.at // DAY), []).append(moment)
    means = [
        (float(day), _mean((of(m), weight(m)) for m in found))
        for day, found in sorted(days.items())
        if len({int(m.at % DAY // 3600) for m in found}) >= 20
    ]
    if len(means) < 2:
        return Trend(len(means), 0.0, math.inf)
    n = len(means)
    middle, level = sum(x for x, _ in means) / n, sum(y for _, y in means) / n
    width = sum((x - middle) ** 2 for x, _ in means)
    slope = sum((x - middle) * (y - level) for x, y in means) / width
    rest = sum((y - level - slope * (x - middle)) ** 2 for x, y in means)
    return Trend(n, slope, math.sqrt(rest / (n - 2) / width) if n > 2 else math.inf)
