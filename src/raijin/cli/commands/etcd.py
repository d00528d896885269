"""raijin cluster etcd members|defragment|replace, raijin cluster reset"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from raijin.cli.commands.status import UNHEALTHY
from raijin.cli.options import definition_options, print_json, supply_options
from raijin.cli.remote import look, server_option

if TYPE_CHECKING:
    from raijin.app.session import Session


@click.command()
@definition_options
@server_option
def members(session: Session, output: str, server: str) -> None:
    """List the members: who leads, how large their stores are, how far they are behind. Exit code 20 on trouble."""
    from raijin.app.etcd import members as members_of  # noqa: PLC0415
    from raijin.cli.show import print_table  # noqa: PLC0415
    from raijin.plan.render import megabytes  # noqa: PLC0415

    seen = look(session, server, "/etcd", lambda: members_of(session))
    if output == "json":
        print_json(seen)
    else:
        headers = ["MEMBER", "ID", "HOST", "STATE", "SIZE", "IN USE", "LAG", "VERSION", "REMARK"]
        sizes = ("size", "in_use")
        rows = [{**row, "lag": str(row["lag"]), **{s: megabytes(row[s]) for s in sizes}} for row in seen["members"]]
        names = ("name", "id", "host", "state", *sizes, "lag", "version", "remark")
        print_table(headers, [[row[name] for name in names] for row in rows])
        for alarm in seen["alarms"]:
            click.secho(f"alarm {alarm}", fg="red")
    raise SystemExit(0 if seen["healthy"] else UNHEALTHY)


@click.command()
@definition_options
@server_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def defragment(session: Session, output: str, server: str, yes: bool) -> None:
    """Give the file system back what is free in the stores: one member at a time, the leader last.

    A member answers nobody while it does so, so each has to be well again before the next one begins. An alarm about
    space is taken back at the end.
    """
    from raijin.cli.commands.apply import act  # noqa: PLC0415

    act(session, server, {"verb": "defragment"}, output=output, yes=yes)


@click.command()
@definition_options
@supply_options
@server_option
@click.argument("member")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--force", is_flag=True, help="Also when the member is well.")
def replace(session: Session, output: str, server: str, member: str, yes: bool, force: bool) -> None:
    """Take the member of a control plane host out, put the host back as it was, and join it anew.

    For a host whose data of etcd is lost or corrupt. Refused when the majority would be lost.
    """
    from raijin.app.etcd import choose  # noqa: PLC0415
    from raijin.cli.commands.apply import act  # noqa: PLC0415

    asked = {"verb": "replace", "hosts": [member], "force": force}
    act(session, server, asked, output=output, yes=yes, before=lambda: choose(session, (member,), planes=True))


@click.command()
@definition_options
@server_option
@click.argument("hosts", nargs=-1, metavar="[HOST...]")
@click.option("-y", "--yes", is_flag=True, help="Do not ask for the cluster's name.")
@click.option("--force", is_flag=True, help="Whatever becomes of the cluster; hosts out of reach are only forgotten.")
def reset(session: Session, output: str, server: str, hosts: tuple[str, ...], yes: bool, force: bool) -> None:
    """Put hosts back as they were before Raijin, all or those named, also when the cluster is broken.

    Where the cluster lives on without them, their etcd members leave first and their nodes go. Nothing is drained: to
    take a host out politely, take it out of the definition.
    """
    from raijin.app.etcd import choose  # noqa: PLC0415
    from raijin.cli.commands.apply import act  # noqa: PLC0415

    asked = {"verb": "reset", "hosts": hosts, "force": force}
    act(session, server, asked, output=output, yes=yes, before=lambda: choose(session, hosts))
