"""raijin worker add|remove|list|prepare|join-command"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from raijin.cli.options import definition_options, print_json, run_async, supply_options

if TYPE_CHECKING:
    from raijin.app.session import Session

ROLES = ("worker", "storage", "infra")


@click.command()
@click.argument("hostname")
@definition_options
@supply_options
@click.option("--ip", metavar="IP", help="Its address; not needed when the host is in the definition already.")
@click.option("--role", type=click.Choice(ROLES), default="worker", show_default=True, help="What it does.")
@click.option("--group", metavar="NAME", help="Which node group; default: the first of the role.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--edit-only", is_flag=True, help="Change the definition and stop there.")
def add(
    hostname: str,
    session: Session,
    output: str,
    ip: str | None,
    role: str,
    group: str | None,
    yes: bool,
    edit_only: bool,
) -> None:
    """Add a worker to the definition (comments are kept), then apply the difference."""
    from raijin.app.workers import add_to_definition, warnings  # noqa: PLC0415

    add_to_definition(session, hostname, address=ip, role=role, group=group)
    for warning in warnings(session, hostname) if edit_only else ():
        click.echo(f"warning: {warning}", err=True)
    _apply(session, output, f"{hostname} is in the definition", yes=yes, edit_only=edit_only)


@click.command()
@click.argument("hostname")
@definition_options
@supply_options
@click.option("--drain/--no-drain", default=True, show_default=True, help="Move its pods away first.")
@click.option("--force", is_flag=True, help="Also when pods without a controller would be lost.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--edit-only", is_flag=True, help="Change the definition and stop there.")
def remove(hostname: str, session: Session, output: str, drain: bool, force: bool, yes: bool, edit_only: bool) -> None:
    """Drain a worker, take it out of the cluster and the definition, and put the host back as it was.

    A host that does not answer any more is removed too: its node goes, its traces on the host stay.
    """
    from raijin.app.workers import remove_from_definition  # noqa: PLC0415

    session.drain = drain
    remove_from_definition(session, hostname)
    done = f"{hostname} is out of the definition"
    _apply(session, output, done, yes=yes, edit_only=edit_only, force=force)


@click.command("list")
@definition_options
@click.option("--status", "with_status", is_flag=True, help="Ask the hosts and the cluster.")
def list_workers(session: Session, output: str, with_status: bool) -> None:
    """List the workers of the definition."""
    from dataclasses import asdict  # noqa: PLC0415

    from raijin.app.workers import list_workers as rows_of  # noqa: PLC0415
    from raijin.cli.show import print_table  # noqa: PLC0415

    rows = run_async(rows_of(session, with_status=with_status))
    if output == "json":
        print_json([asdict(row) for row in rows])
        return
    headers = ["WORKER", "ADDRESS", "GROUP", "ROLE"] + (["STATE", "VERSION", "REMARK"] if with_status else [])
    table = [
        [row.name, row.address, row.group, row.role] + ([row.state, row.version, row.remark] if with_status else [])
        for row in rows
    ]
    print_table(headers, table)


@click.command()
@click.argument("hostname")
@definition_options
@supply_options
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def prepare(hostname: str, session: Session, output: str, yes: bool) -> None:
    """Prepare a host (by name or address) over SSH: system, binaries, runtime, images. It does not join."""
    from raijin.cli.commands.apply import execute, report  # noqa: PLC0415

    session.only_host = hostname
    report(session, execute(session, "prepare", output=output, yes=yes), output)


@click.command("join-command")
@definition_options
@click.option("--ttl", default="30m", show_default=True, metavar="TIME", help="How long the token is valid.")
def join_command(session: Session, output: str, ttl: str) -> None:
    """Print a `kubeadm join` command with a fresh token, for a host that Raijin does not manage."""
    from raijin.app import workers  # noqa: PLC0415

    command = run_async(workers.join_command(session, workers.minutes(ttl)))
    if output == "json":
        print_json({"command": command, "ttl": ttl})
    else:
        click.echo(command)


def _apply(session: Session, output: str, done: str, *, yes: bool, edit_only: bool, force: bool = False) -> None:
    from raijin.cli.commands.apply import apply_edit  # noqa: PLC0415

    apply_edit(session, output, done, yes=yes, edit_only=edit_only, force=force)
