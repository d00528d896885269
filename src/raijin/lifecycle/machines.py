"""Machines that groups only count: made before anything else is planned, given back when their hosts have left."""

from __future__ import annotations

from collections.abc import Iterable

from raijin.definition.counted import Counted
from raijin.machines.placement import hypervisor
from raijin.plan.draft import Draft
from raijin.plan.model import Call, Change, Disruption
from raijin.platforms.base import Context
from raijin.state.made import MadeMachine

MAKE_SECONDS = 1800.0
BACK_SECONDS = 600.0


def make_machine(machine: Counted, provider: str) -> Draft:
    """One that is counted and not there."""
    template = machine.group.template
    place = hypervisor(machine.group.placement, machine.number)
    memory = template.memory_mb if template is not None else None
    made = f"made by {provider}" + (f" on {place}" if place else "")
    return Draft(
        "make",
        machine.name,
        "make the machine",
        Call(
            "machine.make",
            {"provider": provider, "group": machine.group.name, "memory_mb": memory, "hypervisor": place},
        ),
        changes=(Change(f"machine {machine.name}", "state", "absent", made),),
        timeout=MAKE_SECONDS,
        estimate=15,
    )


def give_back_machines(context: Context) -> Iterable[Draft]:
    """Those that nothing counts any more, once their hosts were put back and are forgotten; and those of the first
    start, when it has ended.
    """
    wanted = {str(host) for group in context.cluster.node_groups for host in group.hosts}
    for machine in context.made:
        if machine.name not in wanted and not machine.spent:
            yield _give_back(machine)
    for node in context.bootstrap:
        mine = next((machine for machine in context.made if machine.name == node.name), None)
        if mine is not None and _temporary(context, mine):
            needs = ("start/*", f"release/{node.name}", f"complete/{context.cluster.name}")
            yield _give_back(mine, needs, spent=True)


def give_back_all(context: Context) -> Iterable[Draft]:
    """The cluster has ended: every machine that was made for it goes."""
    yield from (_give_back(machine) for machine in context.made)


def _give_back(machine: MadeMachine, needs: tuple[str, ...] = (), *, spent: bool = False) -> Draft:
    """spent: nobody is to make it again."""
    name, maker = machine.name, machine.provider
    before = "needed once, and gone" if machine.spent else f"made by {maker}"
    return Draft(
        "give-back",
        name,
        "give the machine back",
        Call("machine.give-back", {"provider": maker, "group": machine.group, "spent": spent}),
        changes=(Change(f"machine {name}", "state", before, "absent"),),
        needs=(f"leave/{name}", f"forget/{name}", *needs),
        disruption=Disruption.DATA,
        timeout=BACK_SECONDS,
        estimate=5,
    )


def _temporary(context: Context, machine: MadeMachine) -> bool:
    """Whether the definition says that it goes when the cluster stands."""
    group = next((group for group in context.cluster.node_groups if group.name == machine.group), None)
    lifecycle = group.lifecycle if group is not None else None
    return lifecycle is not None and (lifecycle.temporary or lifecycle.cleanup_after_boot)


BY_HAND = {
    "machine.make": "Make the machine {target}, so that it answers by SSH:",
    "machine.give-back": "Destroy the machine {target} with its disk",
}
