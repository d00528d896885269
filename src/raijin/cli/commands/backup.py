"""raijin backup list|verify|show|delete|key"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from raijin.cli.options import definition_options, home, output_option, print_json, run_async
from raijin.cli.remote import ask_there, here_only, look, named, quoted, refuse_there, server_option

if TYPE_CHECKING:
    from raijin.app.session import Session

_SHOWN_KINDS = 8
KEYS_STAY = "it reads backups with its own keys, and no other ones are sent to it"


@click.command("list")
@definition_options
@server_option
def list_backups(session: Session, output: str, server: str) -> None:
    """List the backups of the cluster in all targets, and whether they were ever tried."""
    from raijin.app.backups import listing  # noqa: PLC0415
    from raijin.cli.show import print_table  # noqa: PLC0415

    found = look(session, server, "/backups", lambda: listing(session))
    for fault in found["faults"]:
        click.echo(f"cannot be asked: {fault}", err=True)
    if output == "json":
        print_json(found)
        return
    print_table(["BACKUP", "MADE", "SIZE", "KEPT IN", "VERIFIED"], [_row(row) for row in found["backups"]])


@click.command()
@definition_options
@server_option
@click.argument("backup", default="latest", metavar="[BACKUP]")
@click.option(
    "--identity", type=click.Path(path_type=Path), metavar="FILE", help="A key of age that can read the backup."
)
def verify(session: Session, output: str, server: str, backup: str, identity: Path | None) -> None:
    """Restore a backup into a scratch etcd on this machine and count what is in it. Default: the latest.

    With a server: on the machine of the server.
    """
    refuse_there(server, KEYS_STAY, identity=identity)
    verify_one(session, server, output, backup, identity)


def verify_one(session: Session, server: str, output: str, backup: str, identity: Path | None = None) -> None:
    """Try a backup and print what it holds."""
    from raijin.app.backups import try_out  # noqa: PLC0415
    from raijin.app.restoring import read_identities  # noqa: PLC0415

    keys = read_identities(identity) if identity else ()
    found = look(
        session, server, f"/backups/{quoted(backup)}/verify", lambda: try_out(session, backup, keys), method="POST"
    )
    if output == "json":
        print_json(found)
        return
    most = ", ".join(f"{count} {kind}" for kind, count in list(found["objects"].items())[:_SHOWN_KINDS])
    click.echo(f"{found['backup']} can be restored: {found['keys']} keys ({most})")


@click.command()
@definition_options
@server_option
@click.argument("backup", metavar="BACKUP")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def delete(session: Session, output: str, server: str, backup: str, yes: bool) -> None:
    """Delete a backup from every target."""
    from raijin.app.backups import delete as remove  # noqa: PLC0415

    if not yes:
        click.confirm(f"Delete {backup} everywhere?", abort=True, err=True)
    if server:
        path = f"/clusters/{named(session.cluster_name)}/backups/{quoted(backup)}"
        targets = ask_there(server, "DELETE", path)["deleted"]
    else:
        targets = run_async(remove(session, backup))
    if output == "json":
        print_json({"backup": backup, "deleted": targets})
    else:
        click.echo(f"{backup} is deleted from {', '.join(targets)}")


@click.command()
@output_option
@here_only("the key of its backups never leaves its machine")
@click.option("--secret", is_flag=True, help="The key itself, to be kept away from this machine.")
def key(output: str, secret: bool) -> None:
    """Print the public key that backups are encrypted for. Without its secret part, no backup can be read."""
    from raijin.state.secrets import SecretStore  # noqa: PLC0415

    store = SecretStore(home())
    text = store.public_key()
    if secret:
        text = store.identities()[0]
    if output == "json":
        print_json({"identity" if secret else "recipient": text})
    else:
        click.echo(text)


def _row(row: Mapping[str, Any]) -> list[str]:
    first = row["copies"][0]
    targets = ", ".join(copy["target"] for copy in row["copies"])
    return [row["id"], _time(row["created"]), f"{first['size'] / 1e6:.1f} MB", targets, _tried(row)]


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _tried(row: Mapping[str, Any]) -> str:
    if row["fault"]:
        return f"FAILED: {row['fault']}"
    return f"{_time(row['verified'])}, {row['keys']} keys" if row["verified"] else "never"
