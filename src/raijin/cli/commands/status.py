"""raijin status"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from raijin.cli.options import definition_options, print_json
from raijin.cli.remote import look, server_option

if TYPE_CHECKING:
    from raijin.app.session import Session

UNHEALTHY = 20
"""The command has done its work; what it saw is not well. Above the codes of errors."""


@click.command()
@definition_options
@server_option
def status(session: Session, output: str, server: str) -> None:
    """Show hosts, nodes and the last run. Exit code 20 unless every host answers and every node is Ready."""
    from raijin.app.status import from_json, status_of  # noqa: PLC0415
    from raijin.cli.show import print_table  # noqa: PLC0415

    seen = from_json(look(session, server, "/status", lambda: status_of(session)))
    if output == "json":
        print_json(seen.to_json())
    else:
        click.echo(seen.headline())
        headers = ["HOST", "ROLE", "STATE", "VERSION", "ADDRESS", "REMARK"]
        print_table(headers, [[h.name, h.role, h.state, h.version, h.address, h.remark] for h in seen.hosts])
        if seen.last_run:
            click.echo(f"last run: {seen.last_run}")
    raise SystemExit(0 if seen.healthy else UNHEALTHY)
