"""What tests ask of a plan."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from raijin.plan.model import Plan


def stages(plan: Plan, host: str) -> list[str]:
    return [step.stage for step in plan.steps if step.target == host]


def step(plan: Plan, stage: str, host: str):
    (found,) = (step for step in plan.steps if (step.stage, step.target) == (stage, host))
    return found


def emptied(world, name: str):
    """The host after somebody has installed its system anew."""
    return type(world.machine(name))(number=world.machine(name).number)


def before(plan: Plan, first: tuple[str, str], second: tuple[str, str]) -> bool:
    """Whether `second` waits for `first`, directly or over others."""
    by_id = {step.id: step for step in plan.steps}
    waiting, seen = [step(plan, *second)], set()
    while waiting:
        for need in waiting.pop().needs:
            if need not in seen:
                seen.add(need)
                waiting.append(by_id[need])
    return step(plan, *first).id in seen


def one_at_a_time(plan: Plan, stage: str, hosts: Iterable[str]) -> bool:
    """Whether of any two of these hosts one waits with the stage for the other."""
    return all(
        before(plan, (stage, one), (stage, other)) or before(plan, (stage, other), (stage, one))
        for one, other in combinations(hosts, 2)
    )
