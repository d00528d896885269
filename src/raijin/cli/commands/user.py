"""raijin user add|list|remove|password|roles"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from raijin.cli.options import home, output_option, print_json
from raijin.cli.remote import here_only

if TYPE_CHECKING:
    from raijin.state.access import User

THEIR_HOME = "users and tokens are changed here by who has the RAIJIN_HOME of their server (else: its dashboard or API)"
_PASSWORD = click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")


@click.command()
@click.argument("name")
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="As in viewer or operator:prod; may be repeated.")
@_PASSWORD
@output_option
@here_only(THEIR_HOME, changes=True)
def add(name: str, roles: tuple[str, ...], password_stdin: bool, output: str) -> None:
    """Add a user with a password, of at least 12 characters. The first one is an administrator.

    With it a server needs no one-time token for its first start.
    """
    from raijin.app.people import people_of  # noqa: PLC0415
    from raijin.app.roles import grants_of  # noqa: PLC0415

    with people_of(home()) as people:
        wanted = [str(grant) for grant in grants_of(people.roles_of_new(name, roles))]
        user = people.add(name, _password(password_stdin), wanted)
    _said(user, f"{name} is a user now: {', '.join(user.grants)}", output)


@click.command("list")
@output_option
@here_only(THEIR_HOME)
def list_users(output: str) -> None:
    """List the users, their roles and where they come from."""
    from raijin.app.people import users_of  # noqa: PLC0415
    from raijin.cli.show import print_table  # noqa: PLC0415

    users = users_of(home())
    if output == "json":
        print_json([user.to_json() for user in users])
        return
    rows = [[u.name, ", ".join(u.grants), u.origin, day(u.created), "locked out" if u.disabled else ""] for u in users]
    print_table(["USER", "ROLES", "FROM", "SINCE", ""], rows)


@click.command()
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@output_option
@here_only(THEIR_HOME, changes=True)
def remove(name: str, yes: bool, output: str) -> None:
    """Take a user away, with tokens and sessions. The only administrator stays."""
    from raijin.app.people import people_of  # noqa: PLC0415

    with people_of(home()) as people:
        user = people.user(name)
        if not yes:
            click.confirm(f"Remove {name} with all tokens?", abort=True, err=True)
        people.remove(name)
    _said(user, f"{name} is removed", output)


@click.command()
@click.argument("name")
@_PASSWORD
@output_option
@here_only(THEIR_HOME, changes=True)
def password(name: str, password_stdin: bool, output: str) -> None:
    """Give a user another password. Sessions of the user end; tokens stay."""
    from raijin.app.people import people_of  # noqa: PLC0415

    with people_of(home()) as people:
        people.user(name)
        user = people.change_password(name, _password(password_stdin))
    _said(user, f"{name} has another password", output)


@click.command("roles")
@click.argument("name")
@click.argument("roles", nargs=-1, required=True, metavar="ROLE...")
@output_option
@here_only(THEIR_HOME, changes=True)
def change_roles(name: str, roles: tuple[str, ...], output: str) -> None:
    """Let a user have exactly these roles, as in viewer operator:prod. Tokens allow no more than that from then on."""
    from raijin.app.people import people_of  # noqa: PLC0415

    with people_of(home()) as people:
        user = people.change_roles(name, roles)
    _said(user, f"{name} has the roles {', '.join(user.grants)}", output)


def day(at: float | None) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(at)) if at else ""


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return typed


def _said(user: User, text: str, output: str) -> None:
    if output == "json":
        print_json(user.to_json())
    else:
        click.echo(text)
