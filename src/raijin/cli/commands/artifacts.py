"""raijin artifacts lock|list|fetch"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from raijin.cli.options import definition_options, print_json, run_async, supply_options
from raijin.cli.remote import ask_there, here_only, named, refuse_there, server_option

if TYPE_CHECKING:
    from raijin.app.session import Session


@click.command()
@definition_options
@supply_options
@here_only("a server reads the lock file beside its definitions: lock there, and put the file beside them")
@click.option("--arch", "archs", multiple=True, metavar="ARCH", help="amd64, arm64, ...; default: those of the hosts.")
@click.option("--from-bundles", is_flag=True, help="Take the checksums of the imported bundles, not upstream's.")
@click.option("--images/--no-images", default=True, help="Lock container images too (each is fetched once).")
@click.option("--from", "start", metavar="VERSION", help="Also what an upgrade from this version leads through.")
def lock(
    session: Session, output: str, archs: tuple[str, ...], from_bundles: bool, images: bool, start: str | None
) -> None:
    """Write raijin.lock.yaml beside the definition: versions and checksums, as upstream publishes them."""
    from raijin.app.provision import make_lock  # noqa: PLC0415

    made = run_async(make_lock(session, archs, from_bundles=from_bundles, images=images, start=start))
    data = {"file": str(session.lock_file), "artifacts": len(made.artifacts), "images": len(made.images)}
    if output == "json":
        print_json(data)
    else:
        click.echo(f"{session.lock_file}: {len(made.artifacts)} artifacts, {len(made.images)} images")


@click.command("list")
@definition_options
@supply_options
@server_option
@click.option("--arch", "archs", multiple=True, metavar="ARCH", help="amd64, arm64, ...; default: those of the hosts.")
def list_artifacts(session: Session, output: str, server: str, archs: tuple[str, ...]) -> None:
    """List what the definition needs, and whether it is locked and here."""
    from raijin.app.provision import listing  # noqa: PLC0415
    from raijin.cli.show import print_table  # noqa: PLC0415

    if server:
        refuse_there(server, "it lists those of the hosts", arch=archs)
        rows = ask_there(server, "GET", f"/clusters/{named(session.cluster_name)}/artifacts")["artifacts"]
    else:
        rows = [row.to_json() for row in listing(session, archs)]
    if output == "json":
        print_json(rows)
    else:
        yes = {True: "yes", False: "no"}
        table = [
            [r["name"], r["version"], r["arch"], yes[r["locked"]], yes[r["cached"]], r["sha256"][:12]] for r in rows
        ]
        print_table(["NAME", "VERSION", "ARCH", "LOCKED", "HERE", "SHA256"], table)


@click.command()
@definition_options
@supply_options
@here_only("a server fetches into its own cache, when a run needs something")
def fetch(session: Session, output: str) -> None:
    """Fetch everything that the lock names into the cache, verified."""
    from raijin.app.provision import fetch_all  # noqa: PLC0415

    paths: list[Path] = run_async(fetch_all(session))
    if output == "json":
        print_json({"files": len(paths), "bytes": sum(path.stat().st_size for path in paths)})
    else:
        click.echo(f"{len(paths)} files are here")
