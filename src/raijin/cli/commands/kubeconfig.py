"""raijin kubeconfig"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from raijin.cli.options import definition_options, run_async
from raijin.cli.remote import ask_there, named, server_option

if TYPE_CHECKING:
    from raijin.app.session import Session


@click.command()
@definition_options
@server_option
@click.option("--write", type=click.Path(path_type=Path), metavar="FILE", help="Write it to FILE, mode 0600.")
@click.option("--merge", is_flag=True, help="Merge it into ~/.kube/config (or $KUBECONFIG), as current context.")
def kubeconfig(session: Session, output: str, server: str, write: Path | None, merge: bool) -> None:
    """Print the administrator's kubeconfig, write it to a file, or merge it into yours."""
    del output
    from raijin.app.credentials import kubeconfig_of, merged_into, save  # noqa: PLC0415

    if server:
        text = ask_there(server, "GET", f"/clusters/{named(session.cluster_name)}/kubeconfig")["kubeconfig"]
    else:
        text = run_async(kubeconfig_of(session))
    if merge:
        path = merged_into(text)
        click.echo(
            f"{session.cluster_name if server else session.cluster.name} is the current context of {path}", err=True
        )
    elif write:
        save(text, write)
        click.echo(f"written to {write}", err=True)
    else:
        click.echo(text, nl=False)
