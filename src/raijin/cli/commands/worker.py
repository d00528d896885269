"""raijin worker add|remove|list|prepare|join-command"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from raijin.cli.options import definition_options, print_json, run_async, supply_options
from raijin.cli.remote import FILES_THERE, act_there, here_only, look, refuse_there, server_option

if TYPE_CHECKING:
    from raijin.app.session import Session

ROLES = ("worker", "storage", "infra")


@click.command()
@click.argument("hostname")
@definition_options
@supply_options
@server_option
@click.option("--ip", metavar="IP", help="Its address; not needed when the host is in the definition already.")
@click.option("--role", type=click.Choice(ROLES), default="worker", show_default=True, help="What it does.")
@click.option("--group", metavar="NAME", help="Which node group; default: the first of the role.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--edit-only", is_flag=True, help="Change the definition and stop there.")
def add(
    hostname: str,
    session: Session,
    output: str,
    server: str,
    ip: str | None,
    role: str,
    group: str | None,
    yes: bool,
    edit_only: bool,
) -> None:
    """Add a worker to the definition (comments are kept), then apply the difference."""
    from raijin.app.workers import add_to_definition, warnings  # noqa: PLC0415
    from raijin.cli.commands.apply import apply_edit  # noqa: PLC0415

    done = f"{hostname} is in the definition"
    if server:
        refuse_there(server, FILES_THERE, edit_only=edit_only)
        more = {name: text for name, text in (("address", ip), ("nodeGroup", group)) if text}
        asked = {"verb": "worker-add", "hosts": [hostname], "role": role, **more}
        act_there(server, session, asked, output=output, yes=yes, done=done)
        return
    add_to_definition(session, hostname, address=ip, role=role, group=group)
    for warning in warnings(session, hostname) if edit_only else ():
        click.echo(f"warning: {warning}", err=True)
    apply_edit(session, output, done, yes=yes, edit_only=edit_only)


@click.command()
@click.argument("hostname")
@definition_options
@supply_options
@server_option
@click.option("--drain/--no-drain", default=True, show_default=True, help="Move its pods away first.")
@click.option("--force", is_flag=True, help="Also when pods without a controller would be lost.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--edit-only", is_flag=True, help="Change the definition and stop there.")
def remove(
    hostname: str,
    session: Session,
    output: str,
    server: str,
    drain: bool,
    force: bool,
    yes: bool,
    edit_only: bool,
) -> None:
    """Drain a worker, take it out of the cluster and the definition, and put the host back as it was.

    A host that does not answer any more is removed too: its node goes, its traces on the host stay.
    """
    from raijin.app.workers import remove_from_definition  # noqa: PLC0415
    from raijin.cli.commands.apply import apply_edit  # noqa: PLC0415

    done = f"{hostname} is out of the definition"
    if server:
        refuse_there(server, FILES_THERE, edit_only=edit_only)
        asked = {"verb": "worker-remove", "hosts": [hostname], "drain": drain, "force": force}
        act_there(server, session, asked, output=output, yes=yes, done=done)
        return
    session.drain = drain
    remove_from_definition(session, hostname)
    apply_edit(session, output, done, yes=yes, edit_only=edit_only, force=force)


@click.command("list")
@definition_options
@server_option
@click.option("--status", "with_status", is_flag=True, help="Ask the hosts and the cluster.")
def list_workers(session: Session, output: str, server: str, with_status: bool) -> None:
    """List the workers of the definition."""
    from raijin.app.workers import list_workers as rows_of  # noqa: PLC0415
    from raijin.cli.show import print_table  # noqa: PLC0415

    query = {"status": "true"} if with_status else {}
    rows = look(session, server, "/workers", lambda: rows_of(session, with_status=with_status), query=query)["workers"]
    if output == "json":
        print_json(rows)
        return
    headers = ["WORKER", "ADDRESS", "GROUP", "ROLE"] + (["STATE", "VERSION", "REMARK"] if with_status else [])
    names = [header.lower().replace("worker", "name") for header in headers]
    print_table(headers, [[row[name] for name in names] for row in rows])


@click.command()
@click.argument("hostname")
@definition_options
@supply_options
@server_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def prepare(hostname: str, session: Session, output: str, server: str, yes: bool) -> None:
    """Prepare a host (by name or address) over SSH: system, binaries, runtime, images. It does not join."""
    from raijin.cli.commands.apply import act  # noqa: PLC0415

    def here() -> None:
        session.only_host = hostname

    act(session, server, {"verb": "prepare", "hosts": [hostname]}, output=output, yes=yes, before=here)


@click.command("join-command")
@definition_options
@here_only("what it prints lets anybody into the cluster, so it is for who has its RAIJIN_HOME")
@click.option("--ttl", default="30m", show_default=True, metavar="TIME", help="How long the token is valid.")
def join_command(session: Session, output: str, ttl: str) -> None:
    """Print a `kubeadm join` command with a fresh token, for a host that Raijin does not manage."""
    from raijin.app import workers  # noqa: PLC0415

    command = run_async(workers.join_command(session, workers.minutes(ttl)))
    if output == "json":
        print_json({"command": command, "ttl": ttl})
    else:
        click.echo(command)
