"""raijin cluster status|health"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from raijin.cli.commands.status import UNHEALTHY
from raijin.cli.options import definition_options, print_json, run_async

if TYPE_CHECKING:
    from raijin.app.session import Session
    from raijin.validation.finding import Finding

_MARKS = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "failed": ("FAILED", "red")}


@click.command()
@definition_options
def status(session: Session, output: str) -> None:
    """Show nodes, versions, etcd, network, add-ons, the last backup and run, and what is wrong, on one screen.

    Exit code 20 unless everything is well.
    """
    from raijin.app.overview import overview_of  # noqa: PLC0415
    from raijin.cli.show import print_table  # noqa: PLC0415

    seen = run_async(overview_of(session))
    if output == "json":
        print_json(seen.to_json())
        raise SystemExit(0 if seen.healthy else UNHEALTHY)
    click.secho(seen.title, bold=True)
    for title, text in seen.lines:
        click.echo(f"{title + ':':<9} {text}")
    click.echo()
    headers = ["NODE", "ROLE", "STATE", "VERSION", "SYSTEM", "RUNTIME", "REMARK"]
    print_table(headers, [[n.name, n.role, n.state, n.version, n.system, n.runtime, n.remark] for n in seen.nodes])
    if seen.health.problems:
        click.echo()
    for problem in seen.health.problems:
        click.echo(_line(problem))
    raise SystemExit(0 if seen.healthy else UNHEALTHY)


@click.command()
@definition_options
@click.option("--check", "names", multiple=True, metavar="NAME", help="Only this check; may be repeated.")
@click.option(
    "--category",
    "categories",
    multiple=True,
    type=click.Choice(["INFRASTRUCTURE", "KUBERNETES", "APPLICATION", "SECURITY"], case_sensitive=False),
    help="Only checks of this category; may be repeated.",
)
@click.option("--problems", is_flag=True, help="Leave out what is well.")
def health(session: Session, output: str, names: tuple[str, ...], categories: tuple[str, ...], problems: bool) -> None:
    """Make every health check and say what each found. Exit code 20 when one found a fault, or could not look."""
    from raijin.app.health import health_of  # noqa: PLC0415

    found = run_async(health_of(session, names, categories))
    if output == "json":
        print_json(found.to_json())
    else:
        for finding in found.problems if problems else found.findings:
            click.echo(_line(finding))
        click.echo(f"{found.cluster}: {found.verdict}")
    raise SystemExit(0 if found.healthy else UNHEALTHY)


def _line(finding: Finding) -> str:
    word, colour = _MARKS.get(str(finding.grade), (str(finding.grade), "yellow"))
    text = f"{click.style(word, fg=colour)} {finding.check}: {finding}"
    return f"{text}; {finding.remedy}" if finding.remedy and finding.grade != "ok" else text
