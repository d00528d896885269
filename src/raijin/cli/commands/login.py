"""raijin login"""

from __future__ import annotations

import sys
import time

import click

from raijin.cli.options import home, output_option, print_json, run_async


@click.command()
@click.option("--server", required=True, metavar="URL", help="The server, as in https://raijin.example.org:8080.")
@click.option("--name", prompt="Name", metavar="NAME", help="Who you are there.")
@click.option("--setup", default="", metavar="TOKEN", help="Make the first administrator with the one-time token.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it.")
@output_option
def login(server: str, name: str, setup: str, password_stdin: bool, output: str) -> None:
    """Log in to a server: a token of 30 days is made there and kept here, encrypted, for commands with --server."""
    from raijin.app.remote import login as log_in  # noqa: PLC0415

    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=bool(setup), err=True)
    done = run_async(log_in(home(), server, name, password, setup))
    if output == "json":
        print_json(done)
        return
    until = time.strftime("%Y-%m-%d", time.localtime(done["expires"]))
    click.echo(f"logged in to {done['server']} as {done['name']} ({', '.join(done['roles'])}) until {until}")
