"""raijin cluster upgrade"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from raijin.cli.options import definition_options, supply_options

if TYPE_CHECKING:
    from raijin.app.session import Session


@click.command()
@definition_options
@supply_options
@click.option("--version", metavar="VERSION", help="The release to go to; default: the newest that is held.")
@click.option("--max-unavailable", metavar="N|P%", help="How many workers may be out of service at once, this time.")
@click.option("--force", is_flag=True, help="Also where pods without a controller would be lost.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--edit-only", is_flag=True, help="Change the definition and stop there.")
def upgrade(
    session: Session,
    output: str,
    version: str | None,
    max_unavailable: str | None,
    force: bool,
    yes: bool,
    edit_only: bool,
) -> None:
    """Upgrade Kubernetes: the version in the definition (comments are kept), then the difference.

    Control planes go one at a time, then workers in batches, over every minor on the way. What failed or was stopped
    goes on with the same command.
    """
    from raijin.app.upgrading import propose_version  # noqa: PLC0415
    from raijin.cli.commands.apply import apply_edit  # noqa: PLC0415

    goal = propose_version(session, version, max_unavailable=max_unavailable)
    done = f"the definition of {session.cluster.name} says {goal}"
    apply_edit(session, output, done, yes=yes, edit_only=edit_only, force=force)
