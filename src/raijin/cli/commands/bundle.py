"""raijin bundle create|import|verify|list"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from raijin.cli.options import definition_options, home, output_option, print_json, run_async, supply_options
from raijin.cli.remote import here_only

if TYPE_CHECKING:
    from raijin.app.session import Session


@click.command()
@click.argument("target", type=click.Path(path_type=Path), metavar="FILE")
@definition_options
@supply_options
@here_only("a bundle is made of the cache of the machine that it is made on")
@click.option(
    "--from", "folder", type=click.Path(path_type=Path), metavar="FOLDER",
    help="Pack a folder of your own with an artifacts.yaml, instead of what the lock names.",
)  # fmt: skip
def create(target: Path, session: Session, output: str, folder: Path | None) -> None:
    """Put everything that a cluster needs into one FILE, to carry to where there is no internet."""
    from raijin.app.provision import create_bundle  # noqa: PLC0415

    made = run_async(create_bundle(session, target, folder))
    if output == "json":
        print_json({"file": str(target), "bytes": target.stat().st_size, **made})
    else:
        size = target.stat().st_size / 1e6
        click.echo(f"{target}: {made['artifacts']} artifacts, {made['images']} images, {size:.0f} MB")


@click.command("import")
@click.argument("source", type=click.Path(path_type=Path), metavar="FILE")
@output_option
def import_(source: Path, output: str) -> None:
    """Import a bundle into the cache, every file verified."""
    from raijin.app.provision import import_bundle  # noqa: PLC0415

    made = import_bundle(home(), source)
    if output == "json":
        print_json(made)
    else:
        click.echo(f"{made['artifacts']} artifacts and {made['images']} images are in the cache")


@click.command()
@click.argument("source", type=click.Path(path_type=Path), metavar="FILE")
@output_option
def verify(source: Path, output: str) -> None:
    """Read every byte of a bundle and compare it with the bundle's own list."""
    from raijin.app.provision import verify_bundle  # noqa: PLC0415

    faults = verify_bundle(source)
    if output == "json":
        print_json({"file": str(source), "sound": not faults, "faults": faults})
    else:
        for fault in faults:
            click.echo(fault)
        click.echo(f"{source}: {'sound' if not faults else f'{len(faults)} faults'}")
    raise SystemExit(12 if faults else 0)


@click.command("list")
@output_option
def list_bundles(output: str) -> None:
    """List the imported bundles."""
    from raijin.app.provision import bundles  # noqa: PLC0415
    from raijin.cli.show import print_table  # noqa: PLC0415

    rows = bundles(home())
    if output == "json":
        print_json(rows)
    else:
        print_table(["BUNDLE", "ARTIFACTS", "IMAGES"], [[str(cell) for cell in row.values()] for row in rows])
