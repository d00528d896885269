"""destroy: the cluster ends, workers first, and every host is put back as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from raijin.lifecycle.farewell import forget, put_back, secrets_of_all
from raijin.lifecycle.machines import give_back_all
from raijin.plan.draft import Draft
from raijin.plan.model import Disruption
from raijin.platforms.base import Context, Node

Stage = Callable[[Context], Iterable[Draft]]


def leave_workers(context: Context) -> Iterable[Draft]:
    for node in _others(context):
        yield from _leave(context, node, needs=())


def leave_control_planes(context: Context) -> Iterable[Draft]:
    """After the workers, so that they can still say goodbye to an API that answers."""
    workers = tuple(f"leave/{node.name}" for node in _others(context))
    for node in context.control_planes:
        yield from _leave(context, node, needs=workers)


STAGES: tuple[Stage, ...] = (leave_workers, leave_control_planes, give_back_all)


def drafts(context: Context) -> list[Draft]:
    return [draft for stage in STAGES for draft in stage(context)]


def _others(context: Context) -> tuple[Node, ...]:
    return (*context.workers, *context.departed, *context.beside)


def _leave(context: Context, node: Node, needs: tuple[str, ...]) -> Iterable[Draft]:
    yield from put_back(context, node, needs, Disruption.DATA)
    if node.name in context.members:
        # The way into the cluster is kept until its control plane is gone.
        members = [other for other in (*_others(context), *context.control_planes) if other.name in context.members]
        more = secrets_of_all(context) if node == members[-1] else ()
        needs = (f"leave/{node.name}",)
        yield forget(context, node, "forget the host and its secrets", needs, Disruption.DATA, more=more)
