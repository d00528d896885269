"""raijin cluster logs|collect"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from raijin.cli.options import definition_options, print_json, run_async
from raijin.cli.remote import here_only

if TYPE_CHECKING:
    from raijin.app.logs import LogLine
    from raijin.app.session import Session


@click.command()
@definition_options
@here_only("hosts are asked over SSH from here, and no server passes their logs on yet")
@click.argument("names", nargs=-1, metavar="[HOST|POD...]")
@click.option("--part", "parts", multiple=True, metavar="NAME", help="Only this unit or container; may be repeated.")
@click.option("--since", metavar="TIME", help="Not older than this, as in 10m or 2h.")
@click.option("--lines", default=200, show_default=True, help="At most so many of each log.")
@click.option("--follow", is_flag=True, help="Go on showing what is written, until Ctrl-C.")
def logs(
    session: Session,
    output: str,
    names: tuple[str, ...],
    parts: tuple[str, ...],
    since: str | None,
    lines: int,
    follow: bool,
) -> None:
    """Show the logs of hosts (journals of kubelet and runtime, etcd, the control plane) and of pods.

    Hosts are asked over SSH, so that this works when the API does not. Pods are NAMESPACE/POD or POD; without names,
    all hosts are shown.
    """
    from raijin.app.logs import seconds, show  # noqa: PLC0415
    from raijin.facts.logs import Wanted  # noqa: PLC0415

    wanted = Wanted(lines, seconds(since) if since else None, follow)

    def take(line: LogLine) -> None:
        if output == "json":
            print_json({"host": line.host, "part": line.part, "text": line.text})
        else:
            place = f"{line.host} {line.part}".strip()
            click.echo(f"{click.style(place, fg='cyan')} {line.text}")

    run_async(show(session, names, wanted, parts, take, note=lambda text: click.echo(text, err=True)))


@click.command()
@definition_options
@here_only("hosts are asked over SSH from here, and no server collects for others yet")
@click.option("--to", type=click.Path(path_type=Path), metavar="FILE", help="The file to write, a gzipped tar.")
@click.option("--timeout", "limit", default="5m", show_default=True, metavar="TIME", help="For any one part of it.")
def collect(session: Session, output: str, to: Path | None, limit: str) -> None:
    """Put definition, health, facts, logs, events, lists of the API, etcd and runs into one file, without secrets."""
    from raijin.app.collecting import collect as gather  # noqa: PLC0415
    from raijin.app.logs import seconds  # noqa: PLC0415

    stamp = time.strftime("%Y%m%d-%H%M%S")
    path = to or Path(f"raijin-support-{session.cluster.name}-{stamp}.tar.gz")
    found = run_async(gather(session, path, lambda text: click.echo(text, err=True), seconds(limit)))
    if output == "json":
        print_json({"file": str(path), "files": sorted(found.files), "missing": found.missing})
        return
    click.echo(f"{path}: {len(found.files)} files, {path.stat().st_size / 1e6:.1f} MB")
    for text in found.missing:
        click.echo(f"not had: {text}", err=True)
