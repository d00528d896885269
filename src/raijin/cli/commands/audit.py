"""raijin audit list|verify|export"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from raijin.cli.options import home, output_option, print_json

if TYPE_CHECKING:
    from raijin.state.audit import Entry

BROKEN = 20
"""The command has done its work, and what it saw is not well: the code of `status`."""


F = TypeVar("F", bound=Callable[..., Any])


def filter_options(command: F) -> F:
    """Which entries, by the names that the API has for it; the command gets `wanted`, for `Audit.entries`."""

    @click.option("--cluster", default="", metavar="NAME", help="Only what was done to this cluster.")
    @click.option("--target", default="", metavar="NAME", help="Only about this cluster, user or token.")
    @click.option("--who", default="", metavar="NAME", help="Only what this person did.")
    @click.option("--action", default="", metavar="NAME", help="Only this, as in apply or login.")
    @click.option("--result", default="", metavar="WORD", help="Only what ended so, as in done, failed or refused.")
    @click.option("--run", default="", metavar="RUN", help="Only about this run, by its whole id.")
    @click.option("--since", metavar="TIME", help="Only from then on, as in 2026-11-27 or 2026-11-27T15:00 (UTC).")
    @click.option("--until", metavar="TIME", help="Only to then.")
    @click.option("--incidents", is_flag=True, help="Only security incidents: refused logins, tokens and host keys.")
    @wraps(command)
    def wrapper(*args: Any, cluster: str, since: str | None, until: str | None, incidents: bool, **kwargs: Any) -> Any:
        from raijin.app.auditing import moment  # noqa: PLC0415

        filters = {name: kwargs.pop(name) for name in ("target", "who", "action", "result", "run")}
        wanted = {"filters": filters, "since": moment(since), "until": moment(until), "incidents": incidents}
        return command(*args, wanted=wanted | {"cluster": cluster}, **kwargs)

    return wrapper  # type: ignore[return-value]


@click.command("list")
@filter_options
@click.option("--limit", default=50, show_default=True, help="At most so many, newest first.")
@output_option
def list_entries(wanted: dict[str, Any], limit: int, output: str) -> None:
    """List who did what, when, from where, on what, with which result."""
    from raijin.app.auditing import clock, trail  # noqa: PLC0415
    from raijin.cli.show import print_table  # noqa: PLC0415

    found = trail(home()).entries(newest=True, limit=limit, **wanted)
    if output == "json":
        print_json([entry.to_json() for entry in found])
        return
    headers = ["NUMBER", "TIME", "WHO", "FROM", "ACTION", "TARGET", "RESULT", "RUN"]
    rows = [
        [str(e.number), clock(e.at), e.who, e.address or e.origin, e.action, e.target, e.result, e.run] for e in found
    ]
    print_table(headers, rows)


@click.command()
@output_option
def verify(output: str) -> None:
    """Read the whole trail and compute every hash again. Exit code 20 when an entry was changed or is missing."""
    from raijin.app.auditing import trail  # noqa: PLC0415

    found = trail(home()).verify()
    if output == "json":
        data = {"entries": found.count, "faults": list(found.faults), "head": found.head}
        print_json({"intact": not found.faults, **data})
    else:
        for fault in found.faults:
            click.echo(fault)
        click.echo(f"{'BROKEN' if found.faults else 'intact'}: {found.count} entries, the newest hash is {found.head}")
    raise SystemExit(BROKEN if found.faults else 0)


@click.command()
@click.option(
    "--format", "form", type=click.Choice(["jsonl", "csv", "report"]), default="jsonl", show_default=True,
    help="Lines of JSON, a table, or Markdown for people.",
)  # fmt: skip
@filter_options
def export(form: str, wanted: dict[str, Any]) -> None:
    """Write the trail to standard output."""
    from raijin.app.auditing import trail, written  # noqa: PLC0415

    entries = trail(home()).all(**wanted)
    told = _report(list(entries)) if form == "report" else written(entries, form)
    for line in told:
        click.echo(line)


def _report(entries: list[Entry]) -> Iterator[str]:
    """Of clusters as a server of this home has them."""
    from raijin.app.compliance import compliance  # noqa: PLC0415
    from raijin.state.database import open_database  # noqa: PLC0415

    return compliance(home(), open_database(home()), home() / "definitions", entries)
