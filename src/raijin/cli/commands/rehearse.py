"""raijin rehearse"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from raijin.cli.options import output_option, print_json, run_async

if TYPE_CHECKING:
    from raijin.app.planning import Planned
    from raijin.app.rehearsing import Result, Stage, Wish
    from raijin.cli.show import Progress

MOST_LINES = 200
"""A plan of more steps is summed up while it runs: nobody reads a line for each of ten thousand steps."""


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--cluster", metavar="NAME", help="Which cluster, where the definition has several.")
@click.option(
    "--verb",
    type=click.Choice(["apply", "upgrade", "destroy"]),
    default="apply",
    show_default=True,
    help="What is rehearsed; the last two on a cluster that was applied before.",
)
@click.option("--from", "start", default="", metavar="VERSION", help="For an upgrade: the version that runs before.")
@click.option("--fault", "faults", multiple=True, metavar="FAULT", help="What goes wrong, as in dead-host=w1@join.")
@click.option("--hosts", type=click.IntRange(1, 20000), default=None, help="Multiply the workers, to so many hosts.")
@click.option("--then-empty", is_flag=True, help="Plan again at the end, and fail unless nothing is left to do.")
@click.option("--brief", is_flag=True, help="The plan with one line per step.")
@output_option
def rehearse(
    files: tuple[Path, ...],
    cluster: str | None,
    verb: str,
    start: str,
    faults: tuple[str, ...],
    hosts: int | None,
    then_empty: bool,
    brief: bool,
    output: str,
) -> int:
    """Carry a whole plan out on simulated hosts: nothing real is touched, and no right is needed.

    Faults: dead-host=NODE[@STAGE], lost-link=NODE[@STAGE][:SECONDS], slow-disk=NODE, failed-drain=NODE, kill@STAGE. The
    exit code is the one that the real run would end with.
    """
    from raijin.app.rehearsing import Wish, kill_is_asked  # noqa: PLC0415
    from raijin.twin.faults import parse_fault  # noqa: PLC0415

    parsed = tuple(map(parse_fault, faults))
    wish = Wish(files, cluster, verb, parsed, hosts or 0, start, then_empty)
    home = Path(tempfile.mkdtemp(prefix="raijin-rehearsal-"))
    try:
        if kill_is_asked(parsed):
            return _twice(lambda: _first(wish, home, output, brief), lambda: _second(wish, home, output))
        return _first(wish, home, output, brief)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _twice(first: Callable[[], int], second: Callable[[], int]) -> int:
    """The first in a process of its own, which a fault may kill; then the second, in another."""
    status = _in_child(first)
    if not os.WIFSIGNALED(status):
        return os.waitstatus_to_exitcode(status)
    if os.WTERMSIG(status) != signal.SIGKILL:
        return 1
    _say("Raijin was killed (kill -9) in the middle of its run; another process goes on: raijin run resume")
    return os.waitstatus_to_exitcode(_in_child(second))


def _in_child(work: Callable[[], int]) -> int:
    """Run it in a fork of this process, which has no thread yet; the status as of waitpid."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    code = 1
    try:
        code = work()
    except Exception as error:  # noqa: BLE001  (this is the end of a process: what is wrong is said as at any end)
        from raijin.cli.problems import show_error  # noqa: PLC0415

        code = show_error(error)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _first(wish: Wish, home: Path, output: str, brief: bool) -> int:
    from raijin.app.rehearsing import rehearsal  # noqa: PLC0415

    _say_mark()
    with rehearsal(wish, home) as stage:
        shown: list[Progress] = []

        async def work() -> Result:
            await stage.set_the_scene()
            return await stage.perform(lambda planned: _show(stage, planned, output, shown, brief=brief))

        return _report(run_async(work()), output)


def _second(wish: Wish, home: Path, output: str) -> int:
    from raijin.app.rehearsing import rehearsal  # noqa: PLC0415

    with rehearsal(wish, home) as stage:
        _follow(stage, MOST_LINES + 1)
        return _report(run_async(stage.go_on()), output)


def _show(stage: Stage, planned: Planned, output: str, shown: list[Progress], *, brief: bool) -> bool:
    from raijin.cli.show import print_lines  # noqa: PLC0415
    from raijin.plan.render import render, summary  # noqa: PLC0415

    steps = len(planned.plan.steps)
    if output == "text" and steps <= MOST_LINES:
        lines = render(planned.plan, detail=not brief)
        # Only a real plan has a digest to go by.
        print_lines((line for line in lines if not line.text.startswith("Digest ")), err=True)
    else:
        _say(summary(planned.plan))
    if shown:
        shown[0].more(steps)
    else:
        shown.append(_follow(stage, steps))
    return True


def _follow(stage: Stage, steps: int) -> Progress:
    from raijin.cli.show import Progress  # noqa: PLC0415

    progress = Progress(steps, mark="rehearsal ", brief=steps > MOST_LINES)
    stage.session.events.add(progress)
    return progress


def _say_mark() -> None:
    from raijin.app.rehearsing import MARK  # noqa: PLC0415

    click.echo(click.style(MARK, fg="magenta", bold=True), err=True)


def _say(text: str) -> None:
    click.echo(f"{click.style('rehearsal', fg='magenta')} {text}", err=True)


def _report(result: Result, output: str) -> int:
    if output == "json":
        print_json(result.to_json())
        return result.exit_code
    from raijin.app.rehearsing import MARK  # noqa: PLC0415
    from raijin.cli.show import print_lines  # noqa: PLC0415
    from raijin.plan.render import Line, duration  # noqa: PLC0415

    style = "bad" if result.error else "good"
    lines = [Line(f"--- {MARK}", "title")]
    verb = f"{result.verb} of {result.cluster} on {result.hosts} host{'s' * (result.hosts != 1)}"
    if result.error:
        lines.append(Line(f"{verb} ended with: {result.error['detail']} (exit code {result.exit_code})", style))
    else:
        ended = "went on after the kill to its end" if result.resumed else "went to its end"
        lines.append(Line(f"{verb} {ended}: {result.steps} steps", style))
    real = f"on hosts like these it would take about {duration(result.seconds)}"
    lines.append(Line(f"{real}; rehearsed in {result.took:.1f} s"))
    lines += [Line(text, "note") for text in _left(result)]
    print_lines(lines)
    return result.exit_code


def _left(result: Result) -> list[str]:
    """What is left, in words."""
    found = [f"note: {note}" for note in result.notes]
    found += [f"fault {text}: {'it struck' if struck else 'it never struck'}" for text, struck in result.faults]
    ready = [node for node in result.nodes if node.ready]
    if result.nodes:
        found.append(f"{len(ready)} of {len(result.nodes)} nodes are Ready")
    found += [f"node {n.name} is not Ready: {n.reason}" for n in result.nodes if not n.ready][:20]
    found += [f"node {n.name} takes no pods: it is cordoned" for n in result.nodes if not n.schedulable][:20]
    found += [f"host {name} cannot be reached" for name in result.unreachable]
    found += [f"host {name} is in quarantine" for name in result.quarantined]
    if result.kept:
        found.append(f"{', '.join(result.kept)} keep what is on their disks: people are told to wipe them")
    found += [f"host {name} keeps: {', '.join(things[:8])}" for name, things in result.left.items()]
    if result.verb == "destroy" and not result.left and not result.error:
        found.append("nothing is left on any other host" if result.kept else "nothing is left on any host")
    if result.later is not None:
        count = len(result.later)
        found.append(
            f"the next plan has {count} steps: {', '.join(result.later[:8])}" if count else "the next plan is empty"
        )
    return found
