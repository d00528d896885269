"""A plan as a runbook in Markdown: the same steps for a person with a terminal, in order, with what to check."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import cast

from raijin.operations.program import Program
from raijin.plan.model import Call, Disruption, Plan, Step
from raijin.plan.render import duration, summary
from raijin.transport.document import Document, describe


def runbook(plan: Plan, by_hand: Mapping[str, str]) -> Iterator[str]:
    """Lines of Markdown. by_hand: what each call means for a person; {target} is its step's target."""
    yield f"# {plan.verb.capitalize()} {plan.cluster} by hand"
    yield ""
    yield f"{summary(plan)}. Plan digest `{plan.digest[:12]}`."
    for note in plan.notes:
        yield f"\n> {note}"
    if plan.empty:
        yield "\nNothing is to be done."
        return
    numbers = {step.id: number for number, step in enumerate(plan.steps, 1)}
    for step in plan.steps:
        yield from _step(step, numbers, by_hand)


def _step(step: Step, numbers: dict[str, int], by_hand: Mapping[str, str]) -> Iterator[str]:
    yield f"\n## {numbers[step.id]}. {step.title} ({step.target})"
    yield ""
    needs = sorted(numbers[need] for need in step.needs)
    if needs:
        yield f"After: {', '.join(f'step {number}' for number in needs)}."
    worst = "" if step.disruption is Disruption.NONE else f" Beware: it {step.disruption}."
    yield f"Takes about {duration(step.estimate)}; give up after {duration(step.timeout)}.{worst}"
    yield ""
    if isinstance(step.action, Program):
        yield f"On `{step.target}`, as root:"
        yield ""
        for number, operation in enumerate(step.action.operations, 1):
            commands = operation.manual()
            yield f"{number}. {operation.title}"
            if commands:
                yield ""
                yield "   ```sh"
                yield from (f"   {line}" for command in commands for line in command.splitlines())
                yield "   ```"
    else:
        yield from _call(step, step.action, by_hand)


def _call(step: Step, call: Call, by_hand: Mapping[str, str]) -> Iterator[str]:
    yield by_hand.get(call.name, f"`{call.name}`").format(target=step.target)
    if call.name == "kube.apply":
        documents = call.arguments.get("documents")
        yield ""
        yield "```json"
        yield from json.dumps(documents, indent=2).splitlines()
        yield "```"
    named = call.arguments.get("workloads") or call.arguments.get("objects")
    yield from (f"- {describe(cast('Document', item))}" for item in (named if isinstance(named, list) else ()))
    for change in step.changes:
        if call.name == "kube.label":
            yield f"- {change.field}: {change.after}"
        elif call.name == "kube.certificates":
            yield f"- {change.thing}: {change.after}"
