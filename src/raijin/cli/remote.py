"""Commands that a server carries out (`--server`): the same plan, question and progress as here."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from raijin.cli.options import SERVER_VARIABLE, home, print_json, run_async

if TYPE_CHECKING:
    from raijin.app.session import Session

F = TypeVar("F", bound=Callable[..., Any])


def server_option(command: F) -> F:
    """--server, put into `server`: the address of a server that does it, or empty."""

    @click.option(
        "--server", metavar="URL", default=lambda: os.environ.get(SERVER_VARIABLE, ""),
        help=f"Let this server do it (default: {SERVER_VARIABLE}). Log in first.",
    )  # fmt: skip
    @wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return command(*args, **kwargs)

    return wrapper  # type: ignore[return-value]


def named(cluster: str | None) -> str:
    """A server has many clusters."""
    if not cluster:
        raise click.UsageError("a server has several clusters; name one with --cluster")
    return cluster


def refuse_supply(session: Session) -> None:
    """Where artifacts come from is the server's business. Raises UsageError for --mirror and --offline."""
    if session.mirror or session.offline:
        raise click.UsageError("--mirror and --offline are for runs of this machine: a server fetches for itself")


def plan_there(server: str, cluster: str | None, verb: str, *, force: bool) -> Any:
    from raijin.app.remote import connect  # noqa: PLC0415

    async def work() -> Any:
        async with connect(home(), server) as remote:
            return await remote.plan(named(cluster), verb, force=force)

    return run_async(work())


def apply_there(
    server: str, cluster: str | None, verb: str, *, output: str, yes: bool, force: bool, agreed: Callable[[], bool]
) -> None:
    """Plan there, show and ask here, let exactly that plan be done, and show how it goes."""
    from raijin.app.remote import connect  # noqa: PLC0415
    from raijin.cli.show import Progress, print_lines  # noqa: PLC0415
    from raijin.plan.render import render  # noqa: PLC0415

    async def work() -> dict[str, Any] | None:
        async with connect(home(), server) as remote:
            plan, _ = await remote.plan(named(cluster), verb, force=force)
            if output == "text":
                print_lines(render(plan, detail=not yes), err=True)
            if plan.empty or not (yes or agreed()):
                return None
            run = await remote.apply(named(cluster), plan, force=force)
            progress = Progress(len(plan.steps))
            try:
                return await remote.follow(run["id"], progress)
            finally:
                progress.close()

    done = run_async(work())
    if output == "json":
        print_json({"changed": done is not None, "run": done})
    elif done is None:
        click.echo("nothing was changed")
    else:
        click.echo(f"done: run {done['id']}, {done['total']} steps")


def ask_there(server: str, method: str, path: str) -> dict[str, Any]:
    from raijin.app.remote import connect  # noqa: PLC0415

    async def work() -> dict[str, Any]:
        async with connect(home(), server) as remote:
            return await remote.ask(method, path)

    return run_async(work())
