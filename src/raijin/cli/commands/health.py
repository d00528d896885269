"""raijin cluster status|health"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from raijin.cli.commands.status import UNHEALTHY
from raijin.cli.options import definition_options, print_json
from raijin.cli.remote import look, server_option

if TYPE_CHECKING:
    from raijin.app.session import Session

_MARKS = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "failed": ("FAILED", "red")}


@click.command()
@definition_options
@server_option
def status(session: Session, output: str, server: str) -> None:
    """Show nodes, versions, etcd, network, add-ons, the last backup and run, and what is wrong, on one screen.

    Exit code 20 unless everything is well.
    """
    from raijin.app.overview import overview_of  # noqa: PLC0415
    from raijin.cli.show import print_table  # noqa: PLC0415

    seen = look(session, server, "/overview", lambda: overview_of(session))
    well = 0 if seen["healthy"] else UNHEALTHY
    if output == "json":
        print_json(seen)
        raise SystemExit(well)
    click.secho(seen["title"], bold=True)
    for title, text in seen["about"].items():
        click.echo(f"{title + ':':<9} {text}")
    click.echo()
    headers = ["NODE", "ROLE", "STATE", "VERSION", "SYSTEM", "RUNTIME", "REMARK"]
    print_table(headers, [[node[name.lower().replace("node", "name")] for name in headers] for node in seen["nodes"]])
    if seen["problems"]:
        click.echo()
    for problem in seen["problems"]:
        click.echo(_line(problem))
    raise SystemExit(well)


@click.command()
@definition_options
@server_option
@click.option("--check", "names", multiple=True, metavar="NAME", help="Only this check; may be repeated.")
@click.option(
    "--category",
    "categories",
    multiple=True,
    type=click.Choice(["INFRASTRUCTURE", "KUBERNETES", "APPLICATION", "SECURITY"], case_sensitive=False),
    help="Only checks of this category; may be repeated.",
)
@click.option("--problems", is_flag=True, help="Leave out what is well.")
def health(
    session: Session, output: str, server: str, names: tuple[str, ...], categories: tuple[str, ...], problems: bool
) -> None:
    """Make every health check and say what each found. Exit code 20 when one found a fault, or could not look."""
    from raijin.app.health import health_of  # noqa: PLC0415

    asked = {"checks": names, "categories": categories}
    told = look(
        session, server, "/validate", lambda: health_of(session, names, categories), method="POST", document=asked
    )
    found = {name: told[name] for name in ("cluster", "healthy", "verdict", "findings")}
    if output == "json":
        print_json(found)
    else:
        for finding in _worst_first(found["findings"]) if problems else found["findings"]:
            click.echo(_line(finding))
        click.echo(f"{found['cluster']}: {found['verdict']}")
    raise SystemExit(0 if found["healthy"] else UNHEALTHY)


def _worst_first(findings: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Those that people should look at."""
    return [item for grade in ("failed", "unknown", "warning") for item in findings if item["grade"] == grade]


def _line(finding: Mapping[str, str]) -> str:
    grade, remedy = finding["grade"], finding["remedy"]
    word, colour = _MARKS.get(grade, (grade, "yellow"))
    text = f"{click.style(word, fg=colour)} {finding['check']}: {finding['subject']}: {finding['text']}"
    return f"{text}; {remedy}" if remedy and grade != "ok" else text
