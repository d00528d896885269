"""Commands that a server carries out (`--server`): the same plan, question and progress as here.

A command that looks says where the server has its document, and prints that document as it prints its own (`look`). One
that changes something says what the server shall plan (`act_there`). One that works from this machine alone says why
(`here_only`).
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import quote, urlencode

import click

from raijin.cli.options import SERVER_VARIABLE, home, run_async

if TYPE_CHECKING:
    from raijin.app.remote import Brought
    from raijin.app.session import Session
    from raijin.plan.model import Plan

F = TypeVar("F", bound=Callable[..., Any])


FILES_THERE = "it plans with its own definition, and writes it when you agree"


class Document(Protocol):
    def to_json(self) -> Any: ...


def server_option(command: F) -> F:
    """--server, put into `server`: the address of a server that does it, or empty.

    Raises UsageError for what is this machine's business when a server does it: where artifacts come from, and the
    files of a definition.
    """
    return _server_option(command, files=False)


def server_or_files(command: F) -> F:
    """The same for a command that brings the files of -f to the server."""
    return _server_option(command, files=True)


def _server_option(command: F, *, files: bool) -> F:
    @click.option(
        "--server", metavar="URL", default=lambda: os.environ.get(SERVER_VARIABLE, ""),
        help=f"Let this server do it (default: {SERVER_VARIABLE}). Log in first.",
    )  # fmt: skip
    @wraps(command)
    def wrapper(*args: Any, server: str, **kwargs: Any) -> Any:
        session: Session | None = kwargs.get("session")
        if server and session is not None:
            _refuse_supply(session)
            if session.files and not files:
                raise click.UsageError("a server has definitions of its own: leave -f out, and name the --cluster")
        return command(*args, server=server, **kwargs)

    return wrapper  # type: ignore[return-value]


def here_only(reason: str, *, changes: bool = False) -> Callable[[F], F]:
    """For a command that no server carries out: naming one is refused, with the reason.

    Who has set RAIJIN_SERVER means that server's clusters: what would change another one is refused then too, and what
    only looks says where it looks from. changes: it does, whether or not it asks before (`--yes`).
    """

    def decorate(command: F) -> F:
        @click.option("--server", metavar="URL", default="", hidden=True, help="Refused: this works from here only.")
        @wraps(command)
        def wrapper(*args: Any, server: str, **kwargs: Any) -> Any:
            if server:
                raise click.UsageError(f"no server does this: {reason}")
            if os.environ.get(SERVER_VARIABLE):
                if changes or "yes" in kwargs:
                    raise click.UsageError(f"{SERVER_VARIABLE} is set, and no server does this: {reason}; unset it")
                click.echo(f"{SERVER_VARIABLE} is set, and this looks from this machine: {reason}", err=True)
            return command(*args, **kwargs)

        return wrapper  # type: ignore[return-value]

    return decorate


def named(cluster: str | None) -> str:
    """A server has many clusters."""
    if not cluster:
        raise click.UsageError("a server has several clusters; name one with --cluster")
    return cluster


def quoted(text: str) -> str:
    """As a part of a path, whatever was typed."""
    return quote(text, safe="")


def refuse_there(server: str, reason: str, **options: object) -> None:
    """Raises UsageError for the first of these options that was given although a server does the command."""
    for name, value in options.items():
        if server and value:
            raise click.UsageError(f"--{name.replace('_', '-')} is not for a server: {reason}")


def _refuse_supply(session: Session) -> None:
    if session.mirror or session.offline:
        raise click.UsageError("--mirror and --offline are for runs of this machine: a server fetches for itself")


def ask_there(
    server: str, method: str, path: str, document: Any = None, query: Mapping[str, object] | None = None
) -> dict[str, Any]:
    """The answer of a server. query: what is None is left out."""
    from raijin.app.remote import connect  # noqa: PLC0415

    given = {name: value for name, value in (query or {}).items() if value is not None}
    words = f"?{urlencode(given, doseq=True)}" if given else ""

    async def work() -> dict[str, Any]:
        async with connect(home(), server) as remote:
            return await remote.ask(method, f"{path}{words}", document)

    return run_async(work())


def look(
    session: Session,
    server: str,
    path: str,
    here: Callable[[], Awaitable[Document]],
    *,
    method: str = "GET",
    document: Any = None,
    query: Mapping[str, object] | None = None,
) -> Any:
    """What there is to see, as its document: from the server, below its address of the cluster, or from here."""
    if server:
        return ask_there(server, method, f"/clusters/{named(session.cluster_name)}{path}", document, query)

    async def work() -> Document:
        return await here()

    return run_async(work()).to_json()


def plan_there(server: str, session: Session, asked: Mapping[str, Any]) -> tuple[Plan, str]:
    """The plan that a server makes of what it is asked (as in its `PlanRequest`), and its runbook.

    It plans with the files of -f as if it had them.
    """
    from raijin.app.remote import connect  # noqa: PLC0415

    async def work() -> tuple[Plan, str]:
        async with connect(home(), server) as remote:
            brought = await remote.compare(session.files) if session.files else None
            return await remote.plan(_cluster_of(session, brought), _with_files(asked, brought))

    return run_async(work())


def act_there(
    server: str,
    session: Session,
    asked: Mapping[str, Any],
    *,
    output: str,
    yes: bool,
    done: str = "",
    quiet: bool = False,
) -> bool:
    """Plan there, show and ask here, let exactly that plan be done, show how it goes, and say what came of it.

    asked: as in the server's `PlanRequest`. The files of -f are planned with, and written when the plan is agreed to.
    done: what the change of its definition is, in words; such a change is written also where there is nothing else to
    do. quiet: what was changed is not said. Returns whether something was.
    """
    from raijin.app.remote import connect  # noqa: PLC0415
    from raijin.cli.outcome import Outcome, agreed_to, print_outcome  # noqa: PLC0415
    from raijin.cli.show import Progress, print_lines  # noqa: PLC0415
    from raijin.plan.render import render  # noqa: PLC0415

    async def work() -> Outcome:
        async with connect(home(), server) as remote:
            brought = await remote.compare(session.files) if session.files else None
            cluster = _cluster_of(session, brought)
            plan, _ = await remote.plan(cluster, _with_files(asked, brought))
            said = brought.said() if brought else []
            for line in said:
                click.echo(line, err=True)
            if not plan.empty and output == "text":
                print_lines(render(plan, detail=not yes), err=True)
            if (said or not plan.empty) and not (yes or agreed_to(asked["verb"], cluster)):
                return Outcome(cluster, plan, declined=True)
            if brought is not None and said:
                await remote.bring(brought)
                click.echo("the definition is on the server", err=True)
            if plan.empty and not done:
                return Outcome(cluster, plan)
            run = await remote.agree(cluster, plan)
            progress = Progress(len(plan.steps))
            try:
                ended = await remote.follow(run["id"], progress)
            finally:
                progress.close()
            return Outcome.of(cluster, plan, ended)

    outcome = run_async(work())
    if done and not outcome.declined:
        click.echo(done, err=True)
    if not (quiet and outcome.run):
        print_outcome(outcome, output)
    return bool(outcome.run)


def _cluster_of(session: Session, brought: Brought | None) -> str:
    """The cluster that is named, or the only one that is brought."""
    only = brought.clusters[0] if brought is not None and len(brought.clusters) == 1 else None
    return named(session.cluster_name or only)


def _with_files(asked: Mapping[str, Any], brought: Brought | None) -> dict[str, Any]:
    return {**asked, **({"definitions": brought.texts} if brought is not None and brought.texts else {})}
