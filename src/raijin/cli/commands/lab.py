"""raijin lab up|status|off|on|down"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from raijin.cli.options import home, output_option, print_json, run_async

if TYPE_CHECKING:
    from raijin.machines.base import Machine


@click.command()
@click.option("--hosts", default=3, show_default=True, help="How many machines.")
@click.option("--names", metavar="A,B,...", help="Their names; default: node1, node2, ...")
@click.option("--subnet", metavar="CIDR", help="The lab's network; default: a free one.")
@click.option("--memory", metavar="SIZE", help="Memory limit of each new machine, as in 2G.")
@click.option("--write", type=click.Path(path_type=Path), metavar="FILE", help="Write a definition of these machines.")
@output_option
def up(hosts: int, names: str | None, subnet: str | None, memory: str | None, write: Path | None, output: str) -> None:
    """Start lab machines on this box: real systemd, sshd and apt, in containers. Needs root. Again changes nothing."""
    from raijin.app.lab import definition_text, lab_up  # noqa: PLC0415

    made = run_async(
        lab_up(
            home(), hosts=hosts, names=tuple(names.split(",")) if names else (), subnet=subnet, memory=memory, say=_say
        )
    )
    if write:
        write.write_text(definition_text(home(), made))
        click.echo(f"written: {write}", err=True)
    _print(made, output)


@click.command()
@output_option
def status(output: str) -> None:
    """Show the lab machines."""
    from raijin.app.lab import lab_status  # noqa: PLC0415

    seen = run_async(lab_status(home()))
    if output == "text" and seen.machines:
        click.echo(f"subnet {seen.subnet}; reach them with `ssh -F {seen.ssh_config} NAME`", err=True)
    _print(list(seen.machines), output)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--purge", is_flag=True, help="Also the SSH key and the cached base image.")
@output_option
def down(names: tuple[str, ...], purge: bool, output: str) -> None:
    """Stop the machines (all, or those named) and leave nothing of them behind."""
    from raijin.app.lab import lab_down  # noqa: PLC0415

    gone = run_async(lab_down(home(), names, purge=purge, say=_say))
    if output == "json":
        print_json({"destroyed": gone})
    else:
        click.echo(f"destroyed: {', '.join(gone) or 'nothing'}")


@click.command()
@click.argument("name")
@click.option("--pull-plug", is_flag=True, help="At once, as a power failure would.")
def off(name: str, pull_plug: bool) -> None:
    """Stop one machine and keep its disk: to see how a cluster takes the loss of a host."""
    from raijin.app.lab import lab_power  # noqa: PLC0415

    run_async(lab_power(home(), name, on=False, pull_plug=pull_plug, say=_say))


@click.command()
@click.argument("name")
def on(name: str) -> None:
    """Start one stopped machine and wait until it answers."""
    from raijin.app.lab import lab_power  # noqa: PLC0415

    run_async(lab_power(home(), name, on=True, say=_say))


def _say(subject: str, what: str) -> None:
    click.echo(f"{subject}: {what}", file=sys.stderr)


def _print(machines: list[Machine], output: str) -> None:
    from raijin.cli.show import print_table  # noqa: PLC0415

    if output == "json":
        rows: list[dict[str, Any]] = [
            {"name": m.name, "address": m.address, "state": m.state, "sshKey": str(m.ssh_key), "hostKey": m.host_key}
            for m in machines
        ]
        print_json(rows)
    else:
        print_table(["MACHINE", "ADDRESS", "STATE"], [[m.name, m.address, m.state] for m in machines])
