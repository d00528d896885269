"""The question before something is changed, and what came of it: the same, whether it is done here or by a server."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import click

from raijin.cli.options import print_json

if TYPE_CHECKING:
    from raijin.plan.model import Plan

_LOSSES = {
    "reset": "The hosts are put back as they were, with the data that {} has on them.",
    "destroy": "Everything in {} will be lost.",
    "restore": "What was written to {} after the backup will be lost.",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """run: its id; empty when there was nothing to do, or the person said no. seconds: that the run took."""

    cluster: str
    plan: Plan
    run: str = ""
    status: str = "unchanged"
    seconds: float = 0.0
    declined: bool = False

    @classmethod
    def of(cls, cluster: str, plan: Plan, run: Mapping[str, Any]) -> Self:
        """Of a run as a server tells of it."""
        if not run["changed"]:
            return cls(cluster, plan)
        took = run["finished"] - run["created"] if run["finished"] else 0.0
        return cls(cluster, plan, run["id"], run["state"], took)


def agreed_to(verb: str, name: str) -> bool:
    """Ask whether it shall be done to this cluster. Raises UsageError where nobody can answer."""
    if not sys.stdin.isatty():
        raise click.UsageError("nobody is there to ask; look at `raijin plan` and repeat with --yes")
    if verb in _LOSSES:
        answer: str = click.prompt(f"{_LOSSES[verb].format(name)} Type its name to go on", default="", err=True)
        return answer == name
    return click.confirm("Carry it out?", err=True)


def print_outcome(outcome: Outcome, output: str) -> None:
    """As data on standard output."""
    if output == "json":
        print_json(
            {
                "cluster": outcome.cluster,
                "changed": bool(outcome.run),
                "declined": outcome.declined,
                "run": outcome.run or None,
                "status": outcome.status,
                "seconds": round(outcome.seconds, 3),
                "notes": list(outcome.plan.notes),
            }
        )
    elif outcome.declined:
        click.echo(f"machines were made (run {outcome.run}), nothing else" if outcome.run else "nothing was changed")
    elif not outcome.run:
        from raijin.cli.show import print_lines  # noqa: PLC0415
        from raijin.plan.render import render  # noqa: PLC0415

        print_lines(render(outcome.plan))
    else:
        click.echo(f"done: run {outcome.run}, {len(outcome.plan.steps)} steps in {outcome.seconds:.0f} s")
        if outcome.plan.leads_on:
            click.echo("machines are there; what is done on them is planned by the next `raijin apply`")
