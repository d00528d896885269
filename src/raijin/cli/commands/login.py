"""raijin login"""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from raijin.cli.options import home, output_option, print_json, run_async


@click.command()
@click.option("--server", required=True, metavar="URL", help="The server, as in https://raijin.example.org:8080.")
@click.option("--name", default="", metavar="NAME", help="Who you are there; asked for without it.")
@click.option("--oidc", is_flag=True, help="Log in with the provider of the server, in a browser.")
@click.option("--setup", default="", metavar="TOKEN", help="Make the first administrator with the one-time token.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it.")
@output_option
def login(server: str, name: str, oidc: bool, setup: str, password_stdin: bool, output: str) -> None:
    """Log in to a server: a token of 30 days is made there and kept here, encrypted, for commands with --server.

    With --oidc the page of the server's OpenID Connect provider opens in a browser of this machine; such a token lives
    for a day.
    """
    from raijin.app.remote import entrance  # noqa: PLC0415
    from raijin.app.remote import login as log_in  # noqa: PLC0415

    if oidc and (name or setup or password_stdin):
        raise click.UsageError("--oidc asks for name and password elsewhere")
    run_async(entrance(server))  # before anybody types a password for nothing
    if oidc:
        _said(_by_browser(server), output)
        return
    name = name or click.prompt("Name", err=True)
    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=bool(setup), err=True)
    _said(run_async(log_in(home(), server, name, password, setup)), output)


def _by_browser(server: str) -> dict[str, Any]:
    import webbrowser  # noqa: PLC0415

    from raijin.app.signing_in import login_oidc  # noqa: PLC0415

    def show(address: str) -> None:
        click.echo(f"open this page on this machine, if it does not open by itself:\n  {address}", err=True)
        webbrowser.open(address)

    return run_async(login_oidc(home(), server, show))


def _said(done: dict[str, Any], output: str) -> None:
    if output == "json":
        print_json(done)
        return
    until = time.strftime("%Y-%m-%d", time.localtime(done["expires"]))
    click.echo(f"logged in to {done['server']} as {done['name']} ({', '.join(done['roles'])}) until {until}")
