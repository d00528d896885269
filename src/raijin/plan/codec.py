"""A plan as JSON and back: for the file of `--out`, for the journal, for the API. Secrets are in it by name only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from raijin.errors import UsageError
from raijin.operations.codec import program_from_json, program_to_json
from raijin.operations.program import Program
from raijin.plan.model import Call, Change, Disruption, Material, Plan, Retry, Step, step_id

FORMAT = 1


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """Programs are written once and referred to by id: a thousand workers share one."""
    programs = {step.action.id: step.action for step in plan.steps if isinstance(step.action, Program)}
    return {
        "format": FORMAT,
        "verb": plan.verb,
        "cluster": plan.cluster,
        "digest": plan.digest,
        "definition": plan.definition,
        "sources": list(plan.sources),
        "notes": list(plan.notes),
        "disruption": str(plan.disruption),
        "estimate": plan.duration(),
        "hosts": list(plan.hosts),
        "programs": {key: program_to_json(program) for key, program in programs.items()},
        "steps": [_step_to_json(step) for step in plan.steps],
        "materials": [asdict(material) for material in plan.materials],
        "leads_on": plan.leads_on,
    }


def plan_from_json(data: Any, *, ours: bool = False) -> Plan:
    """Raises UsageError when it is no plan, is of another format, or was edited (its digest does not fit).

    ours: it comes from our own journal, which nobody edits and an older Raijin may have written.
    """
    found = data.get("format") if isinstance(data, Mapping) else type(data).__name__
    if found != FORMAT:
        raise UsageError(
            f"this is not a plan that this Raijin can read (format {found!r}, it reads {FORMAT})",
            remedy="make the plan again with `raijin plan --out`",
        )
    try:
        programs = {key: program_from_json(value) for key, value in data["programs"].items()}
        plan = Plan(
            verb=data["verb"],
            cluster=data["cluster"],
            steps=tuple(_step_from_json(step, programs) for step in data["steps"]),
            notes=tuple(data["notes"]),
            definition=data["definition"],
            sources=tuple(data["sources"]),
            materials=tuple(Material(**material) for material in data["materials"]),
            leads_on=bool(data.get("leads_on")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"the plan is damaged: {error}", remedy="make it again with `raijin plan --out`") from error
    if ours:
        return plan
    forged = any(step.id != step_id(step.stage, step.target, step.action) for step in plan.steps)
    if forged or plan.digest != data["digest"]:
        raise UsageError(
            "the plan was edited: its digest does not fit", remedy="make it again with `raijin plan --out`"
        )
    return plan


def _step_to_json(step: Step) -> dict[str, Any]:
    if isinstance(step.action, Program):
        action: dict[str, Any] = {"program": step.action.id}
    else:
        action = {"call": step.action.name, "arguments": dict(step.action.arguments)}
    return {
        "id": step.id,
        "stage": step.stage,
        "target": step.target,
        "title": step.title,
        "action": action,
        "needs": list(step.needs),
        "changes": [_change_to_json(change) for change in step.changes],
        "disruption": step.disruption.name,
        "retry": str(step.retry),
        "timeout": step.timeout,
        "estimate": step.estimate,
        "operations": step.operations,
        "renewed": step.renewed,
        "cleanup": step.cleanup,
    }


def _change_to_json(change: Change) -> dict[str, str]:
    return {slot: getattr(change, slot) for slot in Change.__slots__}


def _step_from_json(data: Mapping[str, Any], programs: Mapping[str, Program]) -> Step:
    action = data["action"]
    return Step(
        id=data["id"],
        stage=data["stage"],
        target=data["target"],
        title=data["title"],
        action=programs[action["program"]] if "program" in action else Call(action["call"], action["arguments"]),
        needs=tuple(data["needs"]),
        changes=tuple(Change(**change) for change in data["changes"]),
        disruption=Disruption[data["disruption"]],
        retry=Retry(data["retry"]),
        timeout=data["timeout"],
        estimate=data["estimate"],
        operations=data["operations"],
        renewed=data["renewed"],
        cleanup=data.get("cleanup", False),  # plans in the journal may be older than the field
    )
