"""raijin check"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from raijin.cli.options import definition_options, print_json
from raijin.cli.remote import ask_there, server_or_files

if TYPE_CHECKING:
    from raijin.app.session import Session


@click.command()
@click.argument("source", required=False)
@definition_options
@server_or_files
def check(source: str | None, session: Session, output: str, server: str) -> None:
    """Check a definition: YAML or JSON, a file, a folder, or - for standard input. All faults at once.

    Says also what Raijin cannot serve yet; that alone is no fault of the definition. A server checks it together with
    the files that it has.
    """
    from raijin.app.checking import check_definition  # noqa: PLC0415
    from raijin.errors import Problem  # noqa: PLC0415

    if server:
        from raijin.app.remote import texts_of  # noqa: PLC0415

        paths = (Path(source),) if source else session.paths
        files = {"unnamed": sys.stdin.read()} if source == "-" else texts_of(paths)
        checked = ask_there(server, "POST", "/definitions/check-together", {"files": files})
    elif source == "-":
        checked = check_definition(sys.stdin).to_json()
    else:
        checked = check_definition((Path(source),) if source else session.paths).to_json()
    if output == "json":
        print_json(checked)
        return
    hosts, clusters = checked["hosts"], len(checked["clusters"])
    click.echo(f"valid: {clusters} cluster{'s' * (clusters != 1)}, {hosts} host{'s' * (hosts != 1)}")
    for warning in checked["warnings"]:
        click.echo(f"warning: {Problem(**warning)}", err=True)
    for name, items in checked["unsupported"].items():
        for item in items:
            click.echo(f"not yet: {name}: {item['path']}: {item['reason']}", err=True)
