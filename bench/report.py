"""Samples -> the table, the ratios, and which goals are met."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of one tool. cpu: of the controller with its children; hosts_cpu: of all hosts; memory: MB of the largest
    process; load: of the box before it (1 minute)."""

    tool: str
    kind: str
    seconds: float
    cpu: float
    hosts_cpu: float | None
    memory: float
    load: float


@dataclass(frozen=True, slots=True)
class Goal:
    """Raijin's share of another tool's time, at most."""

    kind: str
    other: str
    at_most: float


GOALS = (
    Goal("same", "asyncssh", 1.3),
    Goal("same", "pyinfra", 1 / 8),
    Goal("same", "ansible", 1 / 80),
    Goal("first", "asyncssh", 1.3),
    Goal("first", "pyinfra", 1 / 6),
    Goal("first", "ansible", 1 / 60),
)
MEMORY_GOAL = (48, 150.0)
"""At that many hosts, at most so many MB."""


def show(samples: Sequence[Sample], hosts: int) -> None:
    """Print Markdown: a row per tool, then the goals."""
    tools = list(dict.fromkeys(sample.tool for sample in samples))

    def middle(tool: str, kind: str, value: Callable[[Sample], float | None]) -> float | None:
        found = [value(s) for s in samples if s.tool == tool and s.kind == kind]
        known = [number for number in found if number is not None]
        return median(known) if known else None

    columns: list[tuple[str, Callable[[str], float | None], str]] = []
    for kind in ("first", "same"):
        columns += [
            (f"{kind} wall s", lambda t, k=kind: middle(t, k, lambda s: s.seconds), ".2f"),
            (
                "min",
                lambda t, k=kind: min((s.seconds for s in samples if (s.tool, s.kind) == (t, k)), default=None),
                ".2f",
            ),
            ("ctl CPU s", lambda t, k=kind: middle(t, k, lambda s: s.cpu), ".2f"),
            ("hosts CPU s", lambda t, k=kind: middle(t, k, lambda s: s.hosts_cpu), ".2f"),
        ]
    columns.append(("memory MB", lambda t: max((s.memory for s in samples if s.tool == t), default=None), ".0f"))
    rounds = max((sum(s.tool == t and s.kind == "same" for s in samples) for t in tools), default=0)
    print(f"\n{hosts} hosts, medians of {rounds} rounds (tools in turn); memory: largest process, highest\n")
    print("| tool | " + " | ".join(title for title, _, _ in columns) + " |")
    print("|---|" + "---|" * len(columns))
    for tool in tools:
        cells = [format(number, form) if (number := value(tool)) is not None else "-" for _, value, form in columns]
        print(f"| {tool} | {' | '.join(cells)} |")
    if "raijin" not in tools:
        return
    print("\n| goal | wall time | all CPU, controller and hosts | |\n|---|---|---|---|")
    for goal in GOALS:
        ours = middle("raijin", goal.kind, lambda s: s.seconds)
        theirs = middle(goal.other, goal.kind, lambda s: s.seconds)
        if ours is None or theirs is None:
            continue
        spent = middle("raijin", goal.kind, _all_cpu), middle(goal.other, goal.kind, _all_cpu)
        cpu = _told(spent[0] / spent[1], goal) if spent[0] and spent[1] else "-"
        wanted = f"at most {goal.at_most:g}x" if goal.at_most > 1 else f"at least {1 / goal.at_most:g}x faster than"
        title = f"{goal.kind}: {wanted} {goal.other}"
        print(f"| {title} | {_told(ours / theirs, goal)} | {cpu} | {_verdict(ours / theirs <= goal.at_most)} |")
    if hosts >= MEMORY_GOAL[0]:
        peak = max(s.memory for s in samples if s.tool == "raijin")
        print(f"| memory below {MEMORY_GOAL[1]:g} MB | {peak:.0f} MB | | {_verdict(peak < MEMORY_GOAL[1])} |")


def _all_cpu(sample: Sample) -> float | None:
    return None if sample.hosts_cpu is None else sample.cpu + sample.hosts_cpu


def _told(ratio: float, goal: Goal) -> str:
    return f"{ratio:.2f}x" if goal.at_most > 1 else f"{1 / ratio:.1f}x less"


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"
