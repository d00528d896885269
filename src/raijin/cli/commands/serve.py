"""raijin serve"""

from __future__ import annotations

from pathlib import Path

import click

from raijin.cli.options import home

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535), help="The port to listen on.")
@click.option(
    "--definitions",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="The definitions to serve. Default: definitions in RAIJIN_HOME.",
)
@click.option("--no-auth", is_flag=True, help="Ask nobody who they are. Only on an address of this machine alone.")
@click.option("--tls", is_flag=True, help="HTTPS with a certificate made here; the default beyond this machine.")
@click.option("--tls-cert", type=_FILE, metavar="FILE", help="HTTPS with your own certificate (PEM).")
@click.option("--tls-key", type=_FILE, metavar="FILE", help="Its key (PEM).")
@click.option("--behind-proxy", is_flag=True, help="HTTP also beyond this machine: a proxy before it does TLS.")
@click.option(
    "--rehearsal",
    is_flag=True,
    help="Simulated hosts, on copies of the definitions; all of it goes with the server.",
)
def serve(
    host: str,
    port: int,
    definitions: Path | None,
    no_auth: bool,
    tls: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
    behind_proxy: bool,
    rehearsal: bool,
) -> None:
    """Serve the REST API, and carry out what it is asked for.

    Runs that a killed server has left are gone on with. With RAIJIN_DATABASE_URL (PostgreSQL) any number of servers and
    runners share the work.
    """
    from raijin.api.server import Listening, serve  # noqa: PLC0415

    listening = Listening(host, port, tls, tls_cert, tls_key, behind_proxy)
    serve(
        home(),
        listening,
        definitions=definitions,
        ask=not no_auth,
        say=lambda text: click.echo(text, err=True),
        rehearsal=rehearsal,
    )
