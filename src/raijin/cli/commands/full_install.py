"""raijin full-install"""

from __future__ import annotations

from pathlib import Path

import click

from raijin.cli.options import home, output_option


@click.command("full-install")
@click.option("--name", default="local", show_default=True, help="Name of the cluster.")
@click.option(
    "--kubernetes-version", metavar="VERSION", help="Default: the newest that the bundles hold, or Raijin knows."
)
@click.option("--mirror", metavar="URL", help="Fetch artifacts from this mirror first.")
@click.option("--offline", is_flag=True, help="Use only the cache and imported bundles.")
@click.option(
    "--file", "target", type=click.Path(path_type=Path), default=Path("raijin.yaml"), show_default=True,
    help="The definition; written when it does not exist.",
)  # fmt: skip
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@output_option
def full_install(
    name: str, kubernetes_version: str | None, mirror: str | None, offline: bool, target: Path, yes: bool, output: str
) -> None:
    """Make this machine a one-node cluster: system, container runtime, Kubernetes, network. Needs root or sudo.

    It is `raijin init` for one local host and `raijin apply`: the definition stays, so that workers can be added later.
    """
    from raijin.app.session import Session  # noqa: PLC0415
    from raijin.app.starting import local_definition  # noqa: PLC0415
    from raijin.cli.commands.apply import execute, report  # noqa: PLC0415

    if not target.exists():
        text = local_definition(home(), name=name, version=kubernetes_version)
        target.write_text(text)
        click.echo(f"written: {target}", err=True)
    session = Session(home(), (target,), mirror=mirror, offline=offline)
    report(session, execute(session, "apply", output=output, yes=yes), output)
