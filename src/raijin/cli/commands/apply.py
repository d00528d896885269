"""raijin apply, raijin destroy"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from raijin.cli.options import definition_options, run_async, supply_options
from raijin.cli.outcome import Outcome, agreed_to, print_outcome
from raijin.cli.remote import act_there, server_option, server_or_files

if TYPE_CHECKING:
    from raijin.app.planning import Planned
    from raijin.app.running import Confirm, Finished
    from raijin.app.session import Session
    from raijin.cli.show import Progress


@click.command()
@click.argument("saved", required=False, type=click.Path(path_type=Path), metavar="[PLAN.JSON]")
@definition_options
@supply_options
@server_or_files
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
        act_there(server, session, {"verb": "apply", "force": force}, output=output, yes=yes)
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
    act(session, server, {"verb": "destroy", "force": force}, output=output, yes=yes)


def act(
    session: Session,
    server: str,
    asked: Mapping[str, Any],
    *,
    output: str,
    yes: bool,
    before: Callable[[], object] | None = None,
) -> None:
    """Do what is asked, as a server's `PlanRequest` has it, there or from here. before: what goes ahead here."""
    if server:
        act_there(server, session, asked, output=output, yes=yes)
        return
    if before is not None:
        before()
    report(session, execute(session, asked["verb"], output=output, yes=yes, force=asked.get("force", False)), output)


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
        if not yes and not agreed_to(verb, session.cluster.name):
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
    run, plan, name = finished.run, finished.planned.plan, session.cluster.name
    if run is None:
        outcome = Outcome(name, plan, declined=finished.declined)
    else:
        took = run.finished - run.created if run.finished else 0
        outcome = Outcome(name, plan, run.id, str(run.status), took, declined=finished.declined)
    print_outcome(outcome, output)


def _release(session: Session, hosts: tuple[str, ...]) -> None:
    from raijin.app.running import release  # noqa: PLC0415

    for host in release(session, hosts):
        click.echo(f"{host} is out of quarantine", err=True)
