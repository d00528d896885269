"""raijin cluster utilisation|capacity"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from raijin.cli.commands.status import UNHEALTHY
from raijin.cli.options import definition_options, print_json
from raijin.cli.remote import look, server_option

if TYPE_CHECKING:
    from raijin.app.session import Session

GIB = 2.0**30
_COLOURS = {"ok": "green", "warning": "yellow"}


@click.command()
@definition_options
@server_option
@click.option("--hours", type=click.FloatRange(0.1, 720), default=24.0, show_default=True, help="Of the history.")
@click.option("--pods", is_flag=True, help="Also the pods that use the most.")
def utilisation(session: Session, output: str, server: str, hours: float, pods: bool) -> None:
    """Show what nodes and pods use now, by the metrics API, else by the kubelets.

    A server answers with what its schedule has collected, and the history of it.
    """
    from raijin.app.utilisation import usage_of  # noqa: PLC0415

    query = {"hours": f"{hours:g}"}
    found = look(session, server, "/utilisation", lambda: usage_of(session, hours), query=query)
    if output == "json":
        print_json(found)
        return
    _print_usage(found, pods=pods)


def _print_usage(found: dict[str, Any], *, pods: bool) -> None:
    from raijin.cli.show import print_table  # noqa: PLC0415

    rows = [[*_row(node["name"], node), "" if node["takes_pods"] else "takes no pods"] for node in found["nodes"]]
    if len(rows) > 1:
        rows.append([*_row("together", found["total"]), ""])
    print_table(["NODE", "CPU", "REQUESTED", "OF", "MEMORY GIB", "REQUESTED", "OF", "PODS", "OF", "REMARK"], rows)
    if pods:
        click.echo()
        lines = [
            [pod["namespace"], pod["pod"], pod["node"], f"{pod['cpu_used']:.3f}", f"{pod['memory_used'] / GIB:.3f}"]
            for pod in found["pods"]
        ]
        print_table(["NAMESPACE", "POD", "NODE", "CPU", "MEMORY GIB"], lines)
    if found["history"]:
        first = found["history"][0]["at"]
        span = (found["history"][-1]["at"] - first) / 3600
        click.echo(f"history: {len(found['history'])} samples of {span:.1f} hours (--output json shows them)")
    for fault in found["faults"]:
        click.echo(f"missing: {fault}", err=True)


def _row(name: str, part: dict[str, Any]) -> list[str]:
    cpu, memory, pods = part["cpu"], part["memory"], part["pods"]
    return [
        name, f"{cpu['used']:.2f}", f"{cpu['requested']:.2f}", f"{cpu['size']:.2f}", f"{memory['used'] / GIB:.2f}",
        f"{memory['requested'] / GIB:.2f}", f"{memory['size'] / GIB:.2f}", f"{pods['used']:.0f}", f"{pods['size']:.0f}",
    ]  # fmt: skip


@click.command()
@definition_options
@server_option
def capacity(session: Session, output: str, server: str) -> None:
    """Say whether there is room, also when a node is lost, and until when; with the arithmetic.

    Exit code 20 when something should be done. The history is what a server has collected.
    """
    from raijin.app.utilisation import room_of  # noqa: PLC0415

    found = look(session, server, "/capacity", lambda: room_of(session))
    well = all(item["grade"] == "ok" for item in found["recommendations"])
    if output == "json":
        print_json(found)
        raise SystemExit(0 if well else UNHEALTHY)
    click.secho(
        f"{found['cluster']}: {found['nodes']} nodes take pods, {found['hours']:.0f} hours of samples", bold=True
    )
    for room in found["resources"]:
        click.echo(f"{room['resource']}:")
        for line in room["arithmetic"]:
            click.echo(f"  {line}")
    for item in found["recommendations"]:
        word = click.style(item["grade"], fg=_COLOURS.get(item["grade"], "red"))
        remedy = f"; {item['remedy']}" if item["remedy"] else ""
        click.echo(f"{word} {item['subject']}: {item['text']}{remedy}")
        shown = {line for room in found["resources"] for line in room["arithmetic"]}
        for line in item["arithmetic"]:
            if line not in shown:
                click.echo(f"  {line}")
    raise SystemExit(0 if well else UNHEALTHY)
