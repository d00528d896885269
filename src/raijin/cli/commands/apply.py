"""raijin apply, raijin destroy"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from raijin.cli.options import definition_options, print_json, run_async, supply_options
from raijin.cli.remote import apply_there, refuse_supply, server_option

if TYPE_CHECKING:
    from raijin.app.planning import Planned
    from raijin.app.running import Confirm, Finished
    from raijin.app.session import Session
    from raijin.cli.show import Progress


@click.command()
@click.argument("saved", required=False, type=click.Path(path_type=Path), metavar="[PLAN.JSON]")
@definition_options
@supply_options
@server_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--force", is_flag=True, help="Also where pods without a controller would be lost.")
@click.option("--release", multiple=True, metavar="HOST", help="Take a host out of quarantine first.")
def apply(
    saved: Path | None, session: Session, output: str, server: str, yes: bool, force: bool, release: tuple[str, ...]
) -> None:
    """Make the cluster what the definition says.

    Shows the plan and asks. With PLAN.JSON (of `raijin plan --out`), does exactly that plan, and refuses it when
    anything has moved since.
    """
    if server:
        if saved or release:
            raise click.UsageError("a saved plan and --release are for clusters of this machine, not of a server")
        _there(server, session, "apply", output=output, yes=yes, force=force)
        return
    if release:
        _release(session, release)
    finished = execute(session, "apply", output=output, yes=yes, force=force, saved=saved)
    report(session, finished, output)


@click.command()
@definition_options
@server_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask for the cluster's name.")
@click.option("--force", is_flag=True, help="Also when hosts cannot be reached: they are only forgotten.")
def destroy(session: Session, output: str, server: str, yes: bool, force: bool) -> None:
    """End the cluster: its data is lost, and its hosts are put back as they were before Raijin."""
    if server:
        _there(server, session, "destroy", output=output, yes=yes, force=force)
        return
    finished = execute(session, "destroy", output=output, yes=yes, force=force)
    report(session, finished, output)


def _there(server: str, session: Session, verb: str, *, output: str, yes: bool, force: bool) -> None:
    refuse_supply(session)
    name = session.cluster_name

    def agreed() -> bool:
        return _agreed_to(verb, name or "")

    apply_there(server, name, verb, output=output, yes=yes, force=force, agreed=agreed)


def execute(
    session: Session, verb: str, *, output: str, yes: bool, force: bool = False, saved: Path | None = None
) -> Finished:
    """Plan, ask, run, with the plan and the progress on standard error."""
    from raijin.app.running import carry_out  # noqa: PLC0415

    with asking(session, verb, output=output, yes=yes) as confirm:
        return run_async(carry_out(session, verb, confirm, saved=saved, force=force))


@contextmanager
def asking(session: Session, verb: str, *, output: str, yes: bool) -> Iterator[Confirm]:
    """What shows a plan, asks whether it shall be carried out, and from then on shows how it goes."""

    shown: list[Progress] = []

    def confirm(planned: Planned) -> bool:
        from raijin.cli.show import Progress, print_lines  # noqa: PLC0415  (not before the hosts are asked)
        from raijin.plan.render import render  # noqa: PLC0415

        if output == "text":
            print_lines(render(planned.plan, detail=not yes), err=True)
        if not yes and not _agreed(session, verb):
            return False
        steps = len(planned.plan.steps)
        if shown:
            shown[0].more(steps)
        else:
            shown.append(Progress(steps))
            session.events.add(shown[0])
        return True

    try:
        yield confirm
    finally:
        for progress in shown:
            progress.close()


def apply_edit(
    session: Session, output: str, done: str, *, yes: bool, edit_only: bool = False, force: bool = False
) -> None:
    """Apply the proposed change of the definition. The file is written when the plan is agreed to; `done` says that."""
    if edit_only:
        session.keep()
        click.echo(done, err=True)
        return
    finished = execute(session, "apply", output=output, yes=yes, force=force)
    if not finished.declined:
        click.echo(done, err=True)
    report(session, finished, output)


def report(session: Session, finished: Finished, output: str) -> None:
    """What came of it, as data on standard output."""
    run = finished.run
    if output == "json":
        print_json(
            {
                "cluster": session.cluster.name,
                "changed": run is not None,
                "declined": finished.declined,
                "run": run.id if run else None,
                "status": str(run.status) if run else "unchanged",
                "seconds": round(run.finished - run.created, 3) if run and run.finished else 0,
                "notes": list(finished.planned.plan.notes),
            }
        )
    elif finished.declined:
        click.echo("nothing was changed")
    elif run is None:
        from raijin.cli.show import print_lines  # noqa: PLC0415
        from raijin.plan.render import render  # noqa: PLC0415

        print_lines(render(finished.planned.plan))
    else:
        took = run.finished - run.created if run.finished else 0
        click.echo(f"done: run {run.id}, {len(finished.planned.plan.steps)} steps in {took:.0f} s")


_LOSSES = {
    "reset": "The hosts are put back as they were, with the data that {} has on them.",
    "destroy": "Everything in {} will be lost.",
    "restore": "What was written to {} after the backup will be lost.",
}


def _agreed(session: Session, verb: str) -> bool:
    return _agreed_to(verb, session.cluster.name)


def _agreed_to(verb: str, name: str) -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError("nobody is there to ask; look at `raijin plan` and repeat with --yes")
    if verb in _LOSSES:
        answer: str = click.prompt(f"{_LOSSES[verb].format(name)} Type its name to go on", default="", err=True)
        return answer == name
    return click.confirm("Carry it out?", err=True)


def _release(session: Session, hosts: tuple[str, ...]) -> None:
    from raijin.app.running import release  # noqa: PLC0415

    for host in release(session, hosts):
        click.echo(f"{host} is out of quarantine", err=True)
