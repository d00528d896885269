"""Is there room: the arithmetic is written out, and each recommendation comes when it should and not before."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raijin.state.samples import Moment, NodeSample
from raijin.validation.capacity import GIB, Capacity, capacity
from raijin.validation.usage import DAY, baseline, percentile, trend

MONDAY = 20_003 * DAY
"""2024-10-07, a Monday, at midnight (UTC)."""


def node(name: str, *, cpu: float = 4.0, used: float = 1.0, asked: float = 1.0, **more: float) -> NodeSample:
    values = {"memory": 16.0, "memory_used": 4.0, "memory_asked": 4.0, "pods": 20} | more
    return NodeSample(
        name, MONDAY, used, cpu, asked, values["memory_used"] * GIB, values["memory"] * GIB,
        values["memory_asked"] * GIB, int(values["pods"]), 110, True,
    )  # fmt: skip


def moments(days: int, cpu: Callable[[float], float], every: float = 3600.0) -> list[Moment]:
    """Samples of so many whole days."""
    found = []
    for n in range(int(days * DAY / every)):
        at = MONDAY + n * every
        found.append(Moment(at, every, 3, cpu(at), 12.0, 3.0, 12 * GIB, 48 * GIB, 12 * GIB, 60, 330))
    return found


def said(found: Capacity) -> list[tuple[str, str, str]]:
    return [(str(r.finding.grade), r.finding.subject, r.finding.text) for r in found.recommendations]


def test_with_room_to_spare_it_says_so_and_shows_how_it_was_reckoned() -> None:
    nodes = [node("n1", asked=2.0), node("n2", asked=2.0), node("n3", cpu=8.0, asked=2.0)]
    found = capacity("lab", nodes, moments(7, lambda _: 3.0))
    cpu = found.rooms[0]
    assert (cpu.allocatable, cpu.largest_node, cpu.limit, cpu.headroom) == (16.0, "n3", 8.0, 2.0)
    assert cpu.arithmetic == (
        "allocatable: 8.00 + 2 x 4.00 = 16.00 cores",
        "after the loss of the largest node (n3): 16.00 - 8.00 = 8.00 cores",
        "requested by pods: 6.00 cores (38% of allocatable)",
        "headroom by requests: 8.00 - 6.00 = 2.00 cores",
        "used (95th percentile of 168 samples): 3.00 cores (19% of allocatable)",
        "headroom by use: 8.00 - 3.00 = 5.00 cores",
        "trend: +0.000 a day over 7 days, no growth beyond chance",
    )
    assert said(found) == [("ok", "lab", "there is room, also when a node is lost: 2.00 cores of cpu")]
    assert found.hours == 168.0


def test_the_loss_of_a_node_that_the_others_could_not_bear_is_a_warning_with_what_to_add() -> None:
    nodes = [node("n1", asked=3.0), node("n2", asked=3.0), node("n3", cpu=8.0, asked=3.5)]
    found = capacity("lab", nodes, ())
    warning, _ = found.recommendations
    assert said(found) == [
        ("warning", "cpu", "when n3 is lost, 1.50 cores of cpu are missing for its pods"),
        ("ok", "cpu", "pods ask for 3.2 times what they use"),
    ]
    assert warning.finding.remedy == "add 1 worker of 4.00 cores, or lower requests"
    assert warning.arithmetic[-1] == "workers to add: 1.50 / 4.00 = 1, rounded up"
    assert "headroom by requests: 8.00 - 9.50 = -1.50 cores" in warning.arithmetic


def test_exactly_enough_is_enough() -> None:
    nodes = [node("n1", asked=4.0), node("n2", asked=4.0), node("n3", asked=0.0)]
    assert said(capacity("lab", nodes, ()))[0][0] == "ok"


def test_one_node_is_no_spare_node() -> None:
    found = capacity("lab", [node("n1")], ())
    assert said(found) == [("warning", "n1", "there is one node that takes pods: without n1 nothing runs")]
    assert "there is one node (n1): its loss is the loss of everything" in found.rooms[0].arithmetic
    assert found.rooms[0].limit == 4.0


def test_nodes_that_take_no_pods_do_not_count() -> None:
    away = NodeSample("cp", MONDAY, 1.0, 64.0, 1.0, GIB, 64 * GIB, GIB, 5, 110, False)
    assert capacity("lab", [away, node("n1"), node("n2")], ()).rooms[0].allocatable == 8.0
    assert said(capacity("lab", [away], ())) == [("unknown", "lab", "no node takes pods")]
    assert said(capacity("lab", [], ())) == [("unknown", "lab", "nothing was measured yet")]


def test_a_busy_cluster_is_one_by_its_95th_percentile_not_by_one_peak() -> None:
    nodes = [node(f"n{n}", asked=0.5) for n in range(3)]
    busy = capacity("lab", nodes, moments(7, lambda _: 9.6))
    assert ("warning", "cpu", "80% of allocatable is used (9.60 cores), 80% is much") in said(busy)
    assert ("warning", "cpu", "when n2 is lost, 1.60 cores of cpu are missing for its pods") in said(busy)
    peak = capacity("lab", nodes, moments(7, lambda at: 12.0 if at == MONDAY else 3.0))
    assert all(grade == "ok" for grade, _, _ in said(peak))


def test_growth_leads_to_a_day_on_which_it_is_full() -> None:
    nodes = [node(f"n{n}", used=1.6, asked=1.0) for n in range(3)]
    found = capacity("lab", nodes, moments(10, lambda at: 2.0 + 0.3 * ((at - MONDAY) // DAY)))
    cpu = found.rooms[0]
    assert cpu.trend.a_day == pytest.approx(0.3)
    assert cpu.days_left == pytest.approx((8.0 - 4.8) / 0.3)
    assert cpu.arithmetic[-1] == "full in: (8.00 - 4.80) / 0.300 = 11 days"
    assert ("warning", "cpu", "full in 11 days, if it grows as it did") in said(found)


def test_days_and_nights_are_no_growth() -> None:
    """The last sample is of an evening, the first of a night: a line through all of them would rise."""
    day = moments(9, lambda at: 2.0 + 4.0 * (at % DAY) / DAY)
    assert trend(day, lambda m: m.cpu_used).a_day == pytest.approx(0.0)
    assert capacity("lab", [node("n1"), node("n2")], day).rooms[0].days_left is None


def test_three_days_are_too_few_for_a_trend() -> None:
    few = capacity("lab", [node("n1"), node("n2")], moments(3, lambda at: 1.0 + (at - MONDAY) / DAY))
    assert few.rooms[0].days_left is None
    assert few.rooms[0].arithmetic[-1] == "trend: 3 whole days were seen, 4 are needed"


def test_a_day_that_was_hardly_seen_is_not_reckoned_with() -> None:
    part = moments(5, lambda _: 2.0)[:-12]
    assert trend(part, lambda m: m.cpu_used).days == 4


def test_one_full_node_among_idle_ones_is_seen() -> None:
    nodes = [node("n1"), node("n2", memory_used=15.0), node("n3")]
    assert ("warning", "n2", "94% of its memory is used") in said(capacity("lab", nodes, ()))


def test_requests_far_above_use_are_said() -> None:
    nodes = [node(f"n{n}", used=0.2, asked=2.5) for n in range(3)]
    found = said(capacity("lab", nodes, moments(7, lambda _: 0.6)))
    assert found == [("ok", "cpu", "pods ask for 12.5 times what they use")]


def test_nodes_that_could_go_are_named_with_the_reckoning() -> None:
    nodes = [node(f"n{n}", asked=0.5, used=0.2, memory_used=1.0, memory_asked=1.0, pods=5) for n in range(6)]
    found = capacity("lab", nodes, ())
    (could,) = found.recommendations
    assert could.finding.text == "3 of 6 nodes could go (n0, n1, n2): the others have room, also when one more is lost"
    assert could.arithmetic[0] == "cpu: 12.00 - 4.00 = 8.00 cores >= 1.25 x 3.00 = 3.75 cores"


@given(st.lists(st.floats(0.1, 64.0), min_size=2, max_size=8), st.floats(0.0, 64.0))
def test_law_room_after_a_loss_is_room_after_any_loss(sizes: list[float], asked: float) -> None:
    nodes = [node(f"n{n}", cpu=size, asked=asked / len(sizes)) for n, size in enumerate(sizes)]
    cpu = capacity("lab", nodes, ()).rooms[0]
    assert all(sum(sizes) - lost >= cpu.limit - 1e-9 for lost in sizes)
    assert cpu.headroom <= cpu.limit - asked + 1e-6


def test_percentiles_are_weighted() -> None:
    assert percentile([(1.0, 3600.0), (9.0, 300.0)], 0.5) == 1.0
    assert percentile([(1.0, 300.0), (9.0, 3600.0)], 0.5) == 9.0
    assert percentile([(float(n), 1.0) for n in range(1, 101)], 0.95) == 95.0
    assert percentile([], 0.95) == 0.0


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0.1, 1e4)), min_size=1), st.floats(0.01, 1.0))
def test_law_a_percentile_is_one_of_the_values_and_bounds_that_part(
    values: list[tuple[float, float]], part: float
) -> None:
    found = percentile(values, part)
    assert found in {value for value, _ in values}
    below = sum(w for value, w in values if value <= found)
    assert below >= part * sum(w for _, w in values) - 1e-6


def test_the_baseline_knows_the_hours_of_the_week() -> None:
    found = baseline(moments(14, lambda at: 10.0 if (at % DAY) // 3600 == 9 else 1.0))
    nine = next(hour for hour in found.hours if (hour.weekday, hour.hour) == (0, 9))
    assert (nine.samples, nine.cpu, nine.cpu_p95) == (2, 10.0, 10.0)
    assert len(found.hours) == 7 * 24
    assert (found.resources["cpu"].p50, found.resources["cpu"].most) == (1.0, 10.0)
    assert (found.since, found.samples) == (MONDAY, 14 * 24)
    assert baseline([]).hours == ()
