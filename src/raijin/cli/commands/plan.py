"""raijin plan"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from raijin.cli.options import definition_options, print_json, run_async, supply_options
from raijin.cli.remote import plan_there, server_option

if TYPE_CHECKING:
    from raijin.app.session import Session

HAS_CHANGES = 100
"""Exit code of --exit-code when something is to be done; errors have codes below 20."""


@click.command()
@definition_options
@supply_options
@server_option
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Save the plan, for `raijin apply FILE`.")
@click.option("--runbook", is_flag=True, help="Print it as Markdown that a person can follow by hand.")
@click.option("--brief", is_flag=True, help="One line per step, without the fields.")
@click.option("--destroy", is_flag=True, help="The plan of `raijin destroy`.")
@click.option("--force", is_flag=True, help="Plan what --force would do (pods without a controller, dead hosts).")
@click.option("--exit-code", is_flag=True, help=f"Exit with {HAS_CHANGES} when something is to be done.")
def plan(
    session: Session,
    output: str,
    server: str,
    out: Path | None,
    runbook: bool,
    brief: bool,
    destroy: bool,
    force: bool,
    exit_code: bool,
) -> int:
    """Show what apply would change, field by field. Changes nothing, anywhere."""
    from raijin.app.running import plan as make  # noqa: PLC0415

    verb = "destroy" if destroy else "apply"
    if server:
        found, lines = plan_there(server, session.cluster_name, {"verb": verb, "force": force})
    else:
        planned = run_async(make(session, verb, force=force))
        found, lines = planned.plan, "\n".join(planned.runbook()) if runbook else ""
    # Not before the hosts are asked.
    from raijin.cli.show import print_lines  # noqa: PLC0415
    from raijin.plan.codec import plan_to_json  # noqa: PLC0415
    from raijin.plan.render import render  # noqa: PLC0415
    from raijin.transport.delivery import atomic_write  # noqa: PLC0415

    if out:
        atomic_write(out, json.dumps(plan_to_json(found), indent=1).encode(), mode=0o600)
        click.echo(f"saved to {out}", err=True)
    if output == "json":
        print_json(plan_to_json(found))
    elif runbook:
        click.echo(lines)
    else:
        print_lines(render(found, detail=not brief))
    return HAS_CHANGES if exit_code and not found.empty else 0
