"""raijin run list|show|resume|cancel"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from raijin.cli.options import home, output_option, print_json, run_async
from raijin.cli.remote import ask_there, server_option

if TYPE_CHECKING:
    from raijin.state.runs import RunRecord


@click.command("list")
@click.option("--cluster", metavar="NAME", help="Only runs of this cluster.")
@click.option("--limit", default=20, show_default=True, help="At most so many, newest first.")
@server_option
@output_option
def list_runs(cluster: str | None, limit: int, server: str, output: str) -> None:
    """List the runs, newest first."""
    if server:
        _list_there(server, cluster, limit, output)
        return
    from raijin.app.history import history  # noqa: PLC0415
    from raijin.cli.show import print_table  # noqa: PLC0415

    runs = history(home(), cluster=cluster, limit=limit)
    if output == "json":
        print_json([summary(run, alive) for run, alive in runs])
        return
    rows = [
        [run.id, run.cluster, run.verb, state_of(run, alive), _clock(run.created), _took(run)] for run, alive in runs
    ]
    print_table(["RUN", "CLUSTER", "VERB", "STATE", "STARTED", "TOOK"], rows)


@click.command()
@click.argument("run", default="latest")
@click.option("--events", is_flag=True, help="Also every event.")
@server_option
@output_option
def show(run: str, events: bool, server: str, output: str) -> None:
    """Show a run: its steps, timings and errors. RUN is an id, the beginning of one, or `latest`.

    A server wants the whole id, and answers with its document.
    """
    if server:
        print_json(ask_there(server, "GET", f"/runs/{run}{'/log' if events else ''}"))
        return
    from raijin.app.history import details  # noqa: PLC0415
    from raijin.cli.show import print_table  # noqa: PLC0415

    found = details(home(), run, events=events)
    if output == "json":
        print_json(found.to_json() | {"run": summary(found.run, found.alive)})
        return
    click.echo(f"{found.run.id}: {found.run.verb} {found.run.cluster}, {state_of(found.run, found.alive)}")
    rows = [
        [s.stage, s.target, str(s.state), "" if s.seconds is None else f"{s.seconds:.1f} s", str(s.attempt)]
        for s in found.steps
    ]
    print_table(["STEP", "ON", "STATE", "TOOK", "TRIES"], rows)
    for step in found.steps:
        if step.error and step.state == "failed":
            click.echo(f"{step.target}: {step.stage}: {step.error.get('detail')}")
            if step.error.get("remedy"):
                click.echo(f"  hint: {step.error['remedy']}")
            if step.error.get("output"):
                click.echo("\n".join(f"  | {line}" for line in str(step.error["output"]).strip().splitlines()[-30:]))
    for _, event in found.events:
        click.echo(f"{_clock(event.at)} {event.kind} {event.host} {event.data}")


def _list_there(server: str, cluster: str | None, limit: int, output: str) -> None:
    from raijin.cli.show import print_table  # noqa: PLC0415

    more = f"&cluster={cluster}" if cluster else ""
    found = ask_there(server, "GET", f"/runs?limit={limit}{more}")["runs"]
    if output == "json":
        print_json(found)
        return
    rows = [[r["id"], r["cluster"], r["verb"], r["state"], _clock(r["created"]), r["requested_by"]] for r in found]
    print_table(["RUN", "CLUSTER", "VERB", "STATE", "STARTED", "BY"], rows)


@click.command()
@click.argument("run", default="latest")
@server_option
@output_option
def resume(run: str, server: str, output: str) -> None:
    """Go on where a run was killed, failed or cancelled: what is done stays done. A server does it beside."""
    if server:
        print_json(ask_there(server, "POST", f"/runs/{run}/resume"))
        return
    from raijin.app.history import resume_run  # noqa: PLC0415
    from raijin.cli.show import Progress  # noqa: PLC0415

    shown: list[Progress] = []

    def progress(total: int) -> Progress:
        shown.append(Progress(total))
        return shown[0]

    try:
        done = run_async(resume_run(home(), run, progress))
    finally:
        for item in shown:
            item.close()
    if output == "json":
        print_json(summary(done, False))
    else:
        click.echo(f"done: run {done.id}, attempt {done.attempt}")


@click.command()
@click.argument("run", default="latest")
@server_option
@output_option
def cancel(run: str, server: str, output: str) -> None:
    """Stop a run: nothing more is started, and each host ends the operation in hand."""
    if server:
        print_json(ask_there(server, "POST", f"/runs/{run}/cancel"))
        return
    from raijin.app.history import cancel_run  # noqa: PLC0415

    record = cancel_run(home(), run)
    if output == "json":
        print_json(summary(record, False))
    else:
        click.echo(f"{record.id}: {'cancelled' if record.status.ended else 'asked to stop'}")


def summary(run: RunRecord, alive: bool) -> dict[str, Any]:
    return {
        "id": run.id,
        "cluster": run.cluster,
        "verb": run.verb,
        "state": state_of(run, alive),
        "attempt": run.attempt,
        "created": run.created,
        "finished": run.finished,
        "error": run.error,
    }


def state_of(run: RunRecord, alive: bool) -> str:
    """`interrupted` stands for a run whose process is gone; `resume` goes on with it."""
    return "interrupted" if run.status == "running" and not alive else str(run.status)


def _clock(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def _took(run: RunRecord) -> str:
    return f"{run.finished - run.created:.0f} s" if run.finished else ""
