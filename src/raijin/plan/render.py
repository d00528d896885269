"""A plan for people, as lines of (style, text). Marks carry the meaning; styles only repeat it.

`+` new · `~` changed · `-` removed · `!` said because it hurts
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from raijin.operations.program import Program
from raijin.plan.model import Change, Disruption, Plan, Step

SHORT = 100
CONTEXT_LINES = 2
MAX_DIFF_LINES = 60


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    style: str = ""


def render(plan: Plan, *, detail: bool = True) -> Iterator[Line]:
    """The whole plan, heading first; without `detail` one line per step."""
    if plan.empty:
        yield Line(f"{plan.cluster}: nothing to do. What is there is what the definition says.", "good")
        yield from (Line(f"note: {note}", "note") for note in plan.notes)
        return
    yield Line(summary(plan), "title")
    yield from (Line(f"note: {note}", "note") for note in plan.notes)
    stage = ""
    for group in _alike(plan.steps):
        first = group[0]
        if first.stage != stage:
            stage = first.stage
            yield Line("")
        yield Line(_headline(group), _style(first))
        if detail:
            yield from _changes(first.changes)
    yield Line("")
    size = sum(material.size for material in plan.materials)
    if size:
        yield Line(f"Files for the hosts: {len(plan.materials)}, {megabytes(size)} for each host that lacks them all.")
    if plan.leads_on:
        yield Line("When they are there, the rest is planned: `raijin apply` goes on, and asks again.")
    if plan.verb == "apply":
        yield Line(
            f"Digest {plan.digest[:12]}; apply it with `raijin apply`, or save it with `raijin plan --out FILE`."
        )


def summary(plan: Plan) -> str:
    """`apply lab: 14 steps on 3 hosts, about 2 min, disrupts nothing`."""
    hosts = len(plan.hosts)
    parts = [f"{len(plan.steps)} step{'s' * (len(plan.steps) != 1)}"]
    if hosts or not plan.leads_on:
        parts[0] += f" on {hosts} host{'s' * (hosts != 1)}"
    parts.append(f"about {duration(plan.duration())}")
    worst = plan.disruption
    parts.append("disrupts nothing" if worst is Disruption.NONE else f"{worst}!")
    return f"{plan.verb} {plan.cluster}: {', '.join(parts)}"


def duration(seconds: float) -> str:
    """For people: 40 s, 3 min, 1 h 20 min."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def megabytes(count: int) -> str:
    return f"{count / 1e6:.0f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def _alike(steps: Iterable[Step]) -> list[list[Step]]:
    """Steps that do the same on several hosts are told once."""
    groups: dict[tuple[object, ...], list[Step]] = {}
    for step in steps:
        action = step.action.id if isinstance(step.action, Program) else step.id
        groups.setdefault((step.stage, step.title, action, step.changes), []).append(step)
    return list(groups.values())


def _headline(group: list[Step]) -> str:
    first = group[0]
    names = ", ".join(step.target for step in group[:6]) + (f" and {len(group) - 6} more" if len(group) > 6 else "")
    extra = [] if first.disruption is Disruption.NONE else [f"! {first.disruption}"]
    if isinstance(first.action, Program):
        total = len(first.action.operations)
        extra.insert(0, f"{first.operations} of {total} operations")
    note = f"  ({'; '.join(extra)})" if extra else ""
    return f"{names}: {first.title}{note}"


def _style(step: Step) -> str:
    return "bad" if step.disruption.rank >= Disruption.DRAIN.rank else "step"


def _changes(changes: Iterable[Change]) -> Iterator[Line]:
    things: dict[str, list[Change]] = {}
    for change in changes:
        things.setdefault(change.thing, []).append(change)
    for thing, fields in things.items():
        mark = _mark(fields)
        yield Line(f"  {mark} {thing}", {"+": "new", "-": "gone"}.get(mark, "changed"))
        for change in fields:
            yield from _field(change, mark)


def _mark(fields: list[Change]) -> str:
    for change in fields:
        if change.field == "state" and change.before == "absent":
            return "+"
        if change.field == "state" and change.after == "absent":
            return "-"
    return "~"


def _field(change: Change, mark: str) -> Iterator[Line]:
    if change.ripple:
        yield Line(f"      restarted, because {change.ripple} changes")
    elif change.field == "content":
        yield from _content(change, mark)
    elif change.field == "state" and mark in "+-":
        return
    elif mark == "+" or not change.before:
        yield Line(f"      {change.field}: {_short(change.after)}")
    else:
        yield Line(f"      {change.field}: {_short(change.before)} -> {_short(change.after)}")


def _content(change: Change, mark: str) -> Iterator[Line]:
    if mark == "+":
        lines = [f"+{line}" for line in change.after.splitlines()]
    else:
        diff = difflib.unified_diff(change.before.splitlines(), change.after.splitlines(), n=CONTEXT_LINES, lineterm="")
        lines = [line for line in diff if not line.startswith(("---", "+++"))]
        lines = lines or ["(only the end of the last line differs)"]
    for line in lines[:MAX_DIFF_LINES]:
        style = {"+": "new", "-": "gone"}.get(line[:1], "")
        yield Line(f"      {line}", style)
    if len(lines) > MAX_DIFF_LINES:
        yield Line(f"      ... {len(lines) - MAX_DIFF_LINES} more lines (all of them: --output json)")


def _short(text: str) -> str:
    text = text.replace("\n", "\\n")
    return text if len(text) <= SHORT else f"{text[: SHORT - 3]}..."
