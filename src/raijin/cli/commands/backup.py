"""raijin backup list|verify|show|delete|key"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from raijin.cli.options import definition_options, home, output_option, print_json, run_async

if TYPE_CHECKING:
    from raijin.app.backups import BackupRow
    from raijin.app.session import Session

_SHOWN_KINDS = 8


@click.command("list")
@definition_options
def list_backups(session: Session, output: str) -> None:
    """List the backups of the cluster in all targets, and whether they were ever tried."""
    from raijin.app.backups import listing  # noqa: PLC0415
    from raijin.cli.show import print_table  # noqa: PLC0415

    found = run_async(listing(session))
    for fault in found.faults:
        click.echo(f"cannot be asked: {fault}", err=True)
    if output == "json":
        print_json({"backups": [row.to_json() for row in found.rows], "faults": list(found.faults)})
        return
    table = [[r.id, _time(r.created), f"{r.size / 1e6:.1f} MB", ", ".join(r.targets), _tried(r)] for r in found.rows]
    print_table(["BACKUP", "MADE", "SIZE", "KEPT IN", "VERIFIED"], table)


@click.command()
@definition_options
@click.argument("backup", default="latest", metavar="[BACKUP]")
@click.option(
    "--identity", type=click.Path(path_type=Path), metavar="FILE", help="A key of age that can read the backup."
)
def verify(session: Session, output: str, backup: str, identity: Path | None) -> None:
    """Restore a backup into a scratch etcd on this machine and count what is in it. Default: the latest."""
    verify_one(session, output, backup, identity)


def verify_one(session: Session, output: str, backup: str, identity: Path | None = None) -> None:
    """Try a backup and print what it holds."""
    from raijin.app.backups import try_out  # noqa: PLC0415
    from raijin.app.restoring import read_identities  # noqa: PLC0415

    name, contents = run_async(try_out(session, backup, read_identities(identity) if identity else ()))
    if output == "json":
        about = contents.manifest
        data = {"backup": name, "cluster": about.cluster, "version": about.version, "created": about.created}
        print_json({**data, "keys": contents.keys, "objects": contents.kinds})
        return
    most = ", ".join(f"{count} {kind}" for kind, count in list(contents.kinds.items())[:_SHOWN_KINDS])
    click.echo(f"{name} can be restored: {contents.keys} keys ({most})")


@click.command()
@definition_options
@click.argument("backup", metavar="BACKUP")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def delete(session: Session, output: str, backup: str, yes: bool) -> None:
    """Delete a backup from every target."""
    from raijin.app.backups import delete as remove  # noqa: PLC0415

    if not yes:
        click.confirm(f"Delete {backup} everywhere?", abort=True, err=True)
    targets = run_async(remove(session, backup))
    if output == "json":
        print_json({"backup": backup, "deleted": targets})
    else:
        click.echo(f"{backup} is deleted from {', '.join(targets)}")


@click.command()
@output_option
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


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _tried(row: BackupRow) -> str:
    if row.fault:
        return f"FAILED: {row.fault}"
    return f"{_time(row.verified)}, {row.keys} keys" if row.verified else "never"
