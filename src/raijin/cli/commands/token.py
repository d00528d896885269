"""raijin token make|list|revoke"""

from __future__ import annotations

import click

from raijin.cli.commands.user import THEIR_HOME, day
from raijin.cli.options import home, output_option, print_json
from raijin.cli.remote import here_only


@click.command()
@click.argument("name")
@click.option("--user", metavar="NAME", help="Whose it is; needed where there are several.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    metavar="ROLE",
    help="What it allows; default: all that its user may.",
)
@click.option("--days", default=30.0, show_default=True, type=float, help="How long it is valid.")
@output_option
@here_only(THEIR_HOME, changes=True)
def make(name: str, user: str | None, roles: tuple[str, ...], days: float, output: str) -> None:
    """Make a token for programs, and print it, this once. NAME says what it is for.

    It allows at most what its user may.
    """
    from raijin.app.people import people_of  # noqa: PLC0415

    with people_of(home()) as people:
        secret, token = people.new_token(user, name, roles, days)
    if output == "json":
        print_json(token.to_json() | {"token": secret})
        return
    click.echo(secret)
    text = f"{token.id} of {token.owner} ({', '.join(token.grants)}) until {day(token.expires)}; it is shown this once"
    click.echo(text, err=True)


@click.command("list")
@click.option("--user", metavar="NAME", help="Only those of this user.")
@output_option
@here_only(THEIR_HOME)
def list_tokens(user: str | None, output: str) -> None:
    """List the tokens, what they allow and when they were used. Never the tokens themselves."""
    from raijin.app.people import tokens_of  # noqa: PLC0415
    from raijin.cli.show import print_table  # noqa: PLC0415

    tokens = tokens_of(home(), user)
    if output == "json":
        print_json([token.to_json() for token in tokens])
        return
    rows = [[t.id, t.name, t.owner, ", ".join(t.grants), day(t.expires), day(t.used) or "never"] for t in tokens]
    print_table(["TOKEN", "FOR", "USER", "ROLES", "UNTIL", "USED"], rows)


@click.command()
@click.argument("token")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@output_option
@here_only(THEIR_HOME, changes=True)
def revoke(token: str, yes: bool, output: str) -> None:
    """Let a token be worth nothing from now on. TOKEN is an id of `raijin token list`."""
    from raijin.app.people import people_of  # noqa: PLC0415

    if not yes:
        click.confirm(f"Revoke {token}?", abort=True, err=True)
    with people_of(home()) as people:
        people.revoke(token)
    if output == "json":
        print_json({"id": token, "revoked": True})
    else:
        click.echo(f"{token} is revoked")
