"""The planner: drafts and what the hosts answered become a plan. Pure: no clock, no wire, no file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from raijin.errors import PlanRefused
from raijin.operations.program import Program
from raijin.operations.report import Report, State
from raijin.plan.draft import Draft
from raijin.plan.model import Change, Disruption, Material, Plan, Step, step_id

Reports = Mapping[str, Sequence[Report]]
"""The answers of the hosts in check mode, by draft key."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An operation that cannot be carried out as things are."""

    target: str
    thing: str
    reason: str

    def __str__(self) -> str:
        return f"{self.target}: {self.thing}: {self.reason}"


def build(
    verb: str,
    cluster: str,
    drafts: Iterable[Draft],
    reports: Reports,
    *,
    notes: Sequence[str] = (),
    definition: str = "",
    sources: Sequence[str] = (),
    materials: Iterable[Material] = (),
    estimates: Mapping[str, float] | None = None,
    leads_on: bool = False,
) -> Plan:
    """Keep what is needed, connect it, and put it in order. Raises PlanRefused with every refusal of every host."""
    drafts = tuple(drafts)
    refusals = [str(r) for draft in drafts for r in _refusals(draft, reports.get(draft.key, ()))]
    if refusals:
        raise refused(refusals)
    needs = _expand(drafts)
    kept = _keep(drafts, reports, needs)
    order = _sorted([d for d in drafts if d.key in kept], needs, kept)
    ids = {draft.key: step_id(draft.stage, draft.target, draft.action) for draft in order}
    steps = tuple(
        _step(draft, kept[draft.key], [ids[key] for key in _through(draft.key, needs, kept)], ids, estimates or {})
        for draft in order
    )
    needed = {p.sha256 for s in steps if isinstance(s.action, Program) for p in s.action.payloads()}
    chosen = tuple(material for material in materials if material.sha256 in needed)
    return Plan(verb, cluster, steps, tuple(notes), definition, tuple(sources), chosen, leads_on)


def refused(reasons: Sequence[str]) -> PlanRefused:
    """One error for all the reasons, so that nobody has to find them one by one."""
    if len(reasons) == 1:
        return PlanRefused(reasons[0])
    listing = "\n".join(f"  - {reason}" for reason in reasons)
    return PlanRefused(f"{len(reasons)} things stand against it:\n{listing}")


def _refusals(draft: Draft, reports: Sequence[Report]) -> Iterable[Refusal]:
    if isinstance(draft.action, Program):
        for report in reports:
            if report.state is State.REFUSED:
                yield Refusal(draft.target, draft.action.operations[report.index].title, report.reason)


def _expand(drafts: Sequence[Draft]) -> dict[str, tuple[str, ...]]:
    """The needs of every draft as plain keys; a need that nobody drafts is already met."""
    stages: dict[str, list[str]] = {}
    for draft in drafts:
        stages.setdefault(draft.stage, []).append(draft.key)
    known = {draft.key for draft in drafts}
    expanded: dict[str, tuple[str, ...]] = {}
    for draft in drafts:
        found: dict[str, None] = {}
        for need in draft.needs:
            if need.endswith("/*"):
                found.update(dict.fromkeys(stages.get(need[:-2], ())))
            elif need in known:
                found[need] = None
        found.pop(draft.key, None)
        expanded[draft.key] = tuple(found)
    return expanded


def _keep(
    drafts: Sequence[Draft], reports: Reports, needs: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[Change, ...]]:
    kept: dict[str, tuple[Change, ...]] = {}
    for draft in drafts:
        if isinstance(draft.action, Program):
            changes = changes_of(draft.action, reports.get(draft.key, ()))
            if changes or draft.forced:
                kept[draft.key] = (*changes, *draft.changes)
        elif draft.changes:
            kept[draft.key] = draft.changes
    followers = [draft for draft in drafts if draft.follows and draft.key not in kept]
    for draft in followers:
        if _through(draft.key, needs, kept):
            kept[draft.key] = ()
    needed = {need for key in kept for need in needs[key]}
    kept |= {draft.key: () for draft in drafts if draft.ahead and draft.key in needed - kept.keys()}
    return kept


def changes_of(program: Program, reports: Sequence[Report]) -> tuple[Change, ...]:
    """The field-level changes of a program, with the restarts that they will cause in the same program."""
    changes: list[Change] = []
    changing: dict[str, str] = {}
    for report in reports:
        operation = program.operations[report.index]
        if report.state is State.WOULD_CHANGE:
            fields = [Change(operation.title, c.field, c.before, c.after) for c in report.changes]
            changes += fields or [Change(operation.title, "state", "differs", "as wanted")]
            changing.update(dict.fromkeys((*operation.probes(), *operation.stamps()), operation.title))
            continue
        causes = [changing[path] for path in getattr(operation, "watches", ()) if path in changing]
        if causes:
            changes.append(Change(operation.title, "state", "running", "restarted", ripple=causes[0]))
    return tuple(changes)


def _through(key: str, needs: Mapping[str, tuple[str, ...]], kept: Mapping[str, object]) -> list[str]:
    """The kept drafts that a draft waits for, looking through those that need nothing."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    stack = list(reversed(needs[key]))
    while stack:
        need = stack.pop()
        if need in seen:
            continue
        seen.add(need)
        if need in kept:
            found[need] = None
        else:
            stack.extend(reversed(needs[need]))
    return list(found)


def _sorted(drafts: Sequence[Draft], needs: Mapping[str, tuple[str, ...]], kept: Mapping[str, object]) -> list[Draft]:
    """Topological order that keeps the order of the stages where it can. Raises PlanRefused on a cycle."""
    by_key = {draft.key: draft for draft in drafts}
    waiting = {key: set(_through(key, needs, kept)) for key in by_key}
    blocks: dict[str, list[str]] = {key: [] for key in by_key}
    for key, others in waiting.items():
        for other in others:
            blocks[other].append(key)
    ready = [key for key in by_key if not waiting[key]]
    order: list[Draft] = []
    while ready:
        following: list[str] = []
        for key in ready:
            order.append(by_key[key])
            for blocked in blocks[key]:
                waiting[blocked].discard(key)
                if not waiting[blocked]:
                    following.append(blocked)
        ready = following
    if len(order) != len(by_key):
        circle = ", ".join(sorted(key for key in by_key if waiting[key]))
        raise PlanRefused(f"these steps wait for each other: {circle}")
    return order


def _step(
    draft: Draft,
    changes: tuple[Change, ...],
    needs: list[str],
    ids: Mapping[str, str],
    estimates: Mapping[str, float],
) -> Step:
    restarts = any(change.ripple for change in changes)
    disruption = Disruption.RESTART if restarts and draft.disruption is Disruption.NONE else draft.disruption
    return Step(
        id=ids[draft.key],
        stage=draft.stage,
        target=draft.target,
        title=draft.title,
        action=draft.action,
        needs=tuple(needs),
        changes=changes,
        disruption=disruption,
        retry=draft.retry,
        timeout=draft.timeout,
        estimate=estimates.get(draft.stage.partition("@")[0], draft.estimate),
        operations=_operations(draft, changes),
        renewed=draft.renewed,
        cleanup=draft.cleanup,
    )


def _operations(draft: Draft, changes: tuple[Change, ...]) -> int:
    """How many operations would change something; all, where that cannot be known before its turn."""
    if draft.forced and isinstance(draft.action, Program):
        return len(draft.action.operations)
    return len({change.thing for change in changes} - {change.thing for change in draft.changes})
