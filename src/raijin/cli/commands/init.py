"""raijin init"""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.argument("target", type=click.Path(path_type=Path), default=Path("raijin.yaml"), metavar="[FILE]")
@click.option("--template", "template", metavar="NAME", help="Start from this template instead of asking.")
@click.option("--list", "listing", is_flag=True, help="List the templates.")
@click.option("--force", is_flag=True, help="Overwrite FILE.")
def init(target: Path, template: str | None, listing: bool, force: bool) -> None:
    """Write a new definition to FILE (default raijin.yaml): asks what it needs, or takes a template.

    FILE may be - for standard output.
    """
    from raijin.app.starting import starters, template_text  # noqa: PLC0415

    if listing:
        for name, summary in starters():
            click.echo(f"{name:14} {summary}")
        return
    if str(target) != "-" and target.exists() and not force:
        raise click.UsageError(f"{target} exists; use --force to overwrite it, or name another file")
    if template:
        text = template_text(template)
    elif sys.stdin.isatty():
        text = _ask()
    else:
        raise click.UsageError("nobody is there to ask; choose a template with --template (see --list)")
    if str(target) == "-":
        click.echo(text, nl=False)
        return
    target.write_text(text)
    click.echo(f"written: {target}. Next: `raijin check`, `raijin plan`, `raijin apply`", err=True)


def _ask() -> str:
    """The wizard: as few questions as a cluster needs; the answers are checked as a definition before writing."""
    from raijin.app.starting import Answers, written  # noqa: PLC0415

    name = click.prompt("Name of the cluster", default="lab", err=True)
    version = click.prompt("Kubernetes version", default=Answers.default_version(), err=True)
    user = click.prompt("SSH user of the hosts", default="root", err=True)
    key = click.prompt("SSH key (path; empty for the agent)", default="", show_default=False, err=True)
    control = _host("Control plane host (name=address)", default=None)
    workers = []
    while worker := _host("Worker (name=address; empty to end)", default=""):
        workers.append(worker)
    if control is None:
        raise click.UsageError("a cluster needs a control plane host")
    return written(Answers(name, version, user, key, control, tuple(workers)))


def _host(question: str, *, default: str | None) -> tuple[str, str] | None:
    """Asks until the answer has the right form; None for an empty answer where that is allowed."""
    while True:
        answer = click.prompt(question, default=default, show_default=False, err=True).strip()
        if not answer:
            return None
        name, equals, address = answer.partition("=")
        if name and equals and address:
            return name.strip(), address.strip()
        click.echo("write it as in w1=192.0.2.21", err=True)
