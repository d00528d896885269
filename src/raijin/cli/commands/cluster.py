"""raijin cluster upgrade|backup|restore"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from raijin.cli.commands.backup import KEYS_STAY
from raijin.cli.options import definition_options, run_async, supply_options
from raijin.cli.remote import FILES_THERE, act_there, ask_there, named, refuse_there, server_option

if TYPE_CHECKING:
    from raijin.app.session import Session


@click.command()
@definition_options
@supply_options
@server_option
@click.option("--version", metavar="VERSION", help="The release to go to; default: the newest that is held.")
@click.option("--max-unavailable", metavar="N|P%", help="How many workers may be out of service at once, this time.")
@click.option("--force", is_flag=True, help="Also where pods without a controller would be lost.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--edit-only", is_flag=True, help="Change the definition and stop there.")
def upgrade(
    session: Session,
    output: str,
    server: str,
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
    from raijin.app.upgrading import propose_version, warnings  # noqa: PLC0415
    from raijin.cli.commands.apply import apply_edit  # noqa: PLC0415

    if server:
        refuse_there(server, FILES_THERE, edit_only=edit_only)
        goal = version or _newest_there(server, named(session.cluster_name))
        more = {"maxUnavailable": max_unavailable} if max_unavailable else {}
        asked = {"verb": "upgrade", "version": goal, "force": force, **more}
        done = f"the definition of {session.cluster_name} says {goal}"
        act_there(server, session, asked, output=output, yes=yes, done=done)
        return
    goal = propose_version(session, version, max_unavailable=max_unavailable)
    done = f"the definition of {session.cluster.name} says {goal}"
    for warning in warnings(session) if edit_only else ():
        click.echo(f"warning: {warning}", err=True)
    apply_edit(session, output, done, yes=yes, edit_only=edit_only, force=force)


def _newest_there(server: str, cluster: str) -> str:
    from raijin.app.upgrading import none_held  # noqa: PLC0415

    found = ask_there(server, "GET", f"/clusters/{cluster}/versions")
    if not found["held"]:
        raise none_held(cluster, found["version"])
    return str(found["held"][0])


@click.command()
@definition_options
@server_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--verify", is_flag=True, help="Restore it into a scratch etcd at once, and count what is in it.")
def backup(session: Session, output: str, server: str, yes: bool, verify: bool) -> None:
    """Take a snapshot of the cluster with its keys, encrypt it, and keep it in every target of the definition."""
    from raijin.cli.commands.apply import execute, report  # noqa: PLC0415
    from raijin.cli.commands.backup import verify_one  # noqa: PLC0415

    # With --verify, what was found in the backup is the answer.
    if server:
        changed = act_there(server, session, {"verb": "backup"}, output=output, yes=yes, quiet=verify)
    else:
        finished = execute(session, "backup", output=output, yes=yes)
        changed = finished.run is not None
        if not (verify and changed):
            report(session, finished, output)
    if verify and changed:
        verify_one(session, server, output, "latest")


@click.command()
@definition_options
@supply_options
@server_option
@click.argument("snapshot", required=False, metavar="[SNAPSHOT]")
@click.option("--at", metavar="TIME", help="The newest backup that is not younger, as in '2026-11-27 15:00'.")
@click.option(
    "--identity", type=click.Path(path_type=Path), metavar="FILE", help="A key of age that can read the backup."
)
@click.option("--force", is_flag=True, help="Also when a control plane host cannot be reached: it is left alone then.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask for the cluster's name.")
def restore(
    session: Session,
    output: str,
    server: str,
    snapshot: str | None,
    at: str | None,
    identity: Path | None,
    force: bool,
    yes: bool,
) -> None:
    """Make the cluster go on from a backup, on the hosts of the definition, also when all of them are new.

    SNAPSHOT is an id of `raijin backup list`, a file, or `latest`. What was written after it is lost; etcd's data of
    today is kept aside on its hosts. A server knows the backups of its targets, and takes no file.
    """
    from raijin.app.restoring import read_identities  # noqa: PLC0415
    from raijin.app.restoring import restore as restored  # noqa: PLC0415
    from raijin.backups.naming import parse_time  # noqa: PLC0415
    from raijin.cli.commands.apply import asking, report  # noqa: PLC0415

    if (snapshot is None) == (at is None):
        raise click.UsageError("name a backup (or `latest`), or a time with --at")
    refuse_there(server, KEYS_STAY, identity=identity)
    moment = parse_time(at) if at else None
    if server:
        if snapshot and Path(snapshot).is_file():
            raise click.UsageError(f"{snapshot} is a file of this machine: a server restores from its own targets")
        which = {"at": moment} if at else {"backup": snapshot}
        act_there(server, session, {"verb": "restore", "force": force, **which}, output=output, yes=yes)
        return
    keys = read_identities(identity) if identity else []
    with asking(session, "restore", output=output, yes=yes) as confirm:
        finished = run_async(restored(session, snapshot or "latest", confirm, at=moment, identities=keys, force=force))
    report(session, finished, output)
