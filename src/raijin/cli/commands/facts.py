"""raijin facts"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from raijin.cli.options import definition_options, print_json
from raijin.cli.remote import look, server_option

if TYPE_CHECKING:
    from raijin.app.session import Session


@click.command()
@click.argument("hosts", nargs=-1)
@definition_options
@server_option
def facts(hosts: tuple[str, ...], session: Session, output: str, server: str) -> None:
    """Show what is known about the hosts: all of the definition (of a server: of the cluster), or those named."""
    from raijin.app.inventory import inventory  # noqa: PLC0415
    from raijin.app.remote import error_of  # noqa: PLC0415
    from raijin.cli.problems import show_error  # noqa: PLC0415
    from raijin.cli.show import print_table  # noqa: PLC0415

    found = look(session, server, "/facts", lambda: inventory(session, hosts), query={"host": hosts})
    errors = [error_of(problem, 0, server) for problem in found["errors"]]
    if output == "json":
        print_json(found["hosts"])
    else:
        rows = [[name, *words] for name, words in found["summaries"].items()]
        print_table(["HOST", "SYSTEM", "KERNEL", "ARCH", "CPU", "MEMORY", "GPU", "MACHINE", "KUBERNETES"], rows)
    for error in errors:
        show_error(error)
    if errors:
        raise SystemExit(errors[0].exit_code)
