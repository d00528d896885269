"""raijin cluster certificates list|renew|rotate-ca"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from raijin.cli.options import definition_options, print_json
from raijin.cli.remote import look, server_option

if TYPE_CHECKING:
    from raijin.app.session import Session


@click.command("list")
@definition_options
@server_option
def list_certificates(session: Session, output: str, server: str) -> None:
    """List the certificates on every host, who signed them, and how long they are valid.

    They are read on the hosts: the API need not answer.
    """
    from raijin.app.certificates import listing  # noqa: PLC0415
    from raijin.cli.show import print_table  # noqa: PLC0415

    found = look(session, server, "/certificates", lambda: listing(session))
    for fault in found["faults"]:
        click.echo(f"cannot be asked: {fault}", err=True)
    if output == "json":
        print_json(found)
        return
    if found["rotation"]:
        click.echo(f"{found['rotation']}: `raijin cluster certificates rotate-ca` goes on with it", err=True)
    headers = ["NODE", "CERTIFICATE", "SUBJECT", "SIGNED BY", "EXPIRES", "STATE", "RENEWED BY"]
    print_table(headers, [_row(row) for row in found["certificates"]])


@click.command()
@definition_options
@server_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def renew(session: Session, output: str, server: str, yes: bool) -> None:
    """Renew all certificates now, control planes one at a time. Those that are due `raijin apply` renews by itself.

    Also mends a cluster whose certificates have expired.
    """
    from raijin.cli.commands.apply import act  # noqa: PLC0415

    act(session, server, {"verb": "renew"}, output=output, yes=yes)


@click.command("rotate-ca")
@click.argument("authorities", nargs=-1, metavar="[AUTHORITY]...")
@definition_options
@server_option
@click.option("--restart-workloads", is_flag=True, help="Start workloads of your own anew too, by their own rules.")
@click.option("--step", is_flag=True, help="Only the next turn: the same command goes on from there.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def rotate_ca(
    authorities: tuple[str, ...],
    session: Session,
    output: str,
    server: str,
    restart_workloads: bool,
    step: bool,
    yes: bool,
) -> None:
    """Replace the authorities of the cluster while it runs: kubernetes, etcd, front-proxy (default: all of them).

    In three turns, host by host: everybody trusts the old and the new ones; everything is signed anew; the old ones are
    forgotten. One that was cut off goes on with the same command.
    """
    from raijin.app.changes import rotating  # noqa: PLC0415
    from raijin.cli.commands.apply import act  # noqa: PLC0415

    here = {"authorities": authorities, "workloads": restart_workloads, "step": step}
    asked = {"verb": "rotate-ca", "authorities": authorities, "restartWorkloads": restart_workloads, "step": step}
    act(session, server, asked, output=output, yes=yes, before=lambda: rotating(session, "rotate-ca", here))


def _row(row: Mapping[str, Any]) -> list[str]:
    if row["fault"]:
        return [row["node"], row["path"], "", "", row["fault"], row["state"], row["renewed_by"]]
    left = f"{row['expires']} ({row['days_left']:.0f} days)"
    return [row["node"], row["path"], row["subject"], row["issuer"], left, row["state"], row["renewed_by"]]
