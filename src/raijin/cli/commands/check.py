"""raijin check"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from raijin.cli.options import definition_options, print_json
from raijin.cli.remote import here_only

if TYPE_CHECKING:
    from raijin.app.session import Session


@click.command()
@click.argument("source", required=False)
@definition_options
@here_only("a server checks each file that is put there, together with its others")
def check(source: str | None, session: Session, output: str) -> None:
    """Check a definition: YAML or JSON, a file, a folder, or - for standard input. All faults at once.

    Says also what Raijin cannot serve yet; that alone is no fault of the definition.
    """
    from raijin.app.checking import check_definition  # noqa: PLC0415

    if source == "-":
        checked = check_definition(sys.stdin)
    else:
        checked = check_definition((Path(source),) if source else session.paths)
    if output == "json":
        print_json(checked.to_json())
        return
    hosts, clusters = len(checked.definition.site().hosts), len(checked.definition.clusters)
    click.echo(f"valid: {clusters} cluster{'s' * (clusters != 1)}, {hosts} host{'s' * (hosts != 1)}")
    for warning in checked.definition.warnings:
        click.echo(f"warning: {warning}", err=True)
    for name, items in checked.later.items():
        for path, reason in items:
            click.echo(f"not yet: {name}: {path}: {reason}", err=True)
