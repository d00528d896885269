"""raijin facts"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from raijin.cli.options import definition_options, print_json, run_async

if TYPE_CHECKING:
    from raijin.app.session import Session


@click.command()
@click.argument("hosts", nargs=-1)
@definition_options
def facts(hosts: tuple[str, ...], session: Session, output: str) -> None:
    """Show what is known about the hosts: all of the definition, or those named."""
    from raijin.app.inventory import inventory  # noqa: PLC0415
    from raijin.cli.problems import show_error  # noqa: PLC0415
    from raijin.cli.show import print_table  # noqa: PLC0415

    found, errors = run_async(inventory(session, hosts))
    if output == "json":
        print_json({name: item.facts.to_json() for name, item in found.items()})
    else:
        rows = [[name, *item.summary()] for name, item in found.items()]
        print_table(["HOST", "SYSTEM", "KERNEL", "ARCH", "CPU", "MEMORY", "GPU", "MACHINE", "KUBERNETES"], rows)
    for error in errors:
        show_error(error)
    if errors:
        raise SystemExit(errors[0].exit_code)
