"""The options that many commands share."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from raijin.app.session import Session

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
SERVER_VARIABLE = "RAIJIN_SERVER"


def definition_options(command: F) -> F:
    """-f, --cluster and --output; the command gets `session` and `output`."""

    @click.option(
        "-f", "--file", "files", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
        help="The definition: a file or folder; may be repeated. Default: raijin.yaml here.",
    )  # fmt: skip
    @click.option("--cluster", metavar="NAME", help="Which cluster, where the definition has several.")
    @output_option
    @wraps(command)
    def wrapper(*args: Any, files: tuple[Path, ...], cluster: str | None, **kwargs: Any) -> Any:
        from raijin.app.session import Session  # noqa: PLC0415

        return command(*args, session=Session(home(), files, cluster), **kwargs)

    return wrapper  # type: ignore[return-value]


def supply_options(command: F) -> F:
    """--mirror and --offline, put into the session."""

    @click.option("--mirror", metavar="URL", help="Fetch artifacts from this mirror first.")
    @click.option("--offline", is_flag=True, help="Use only the cache and imported bundles.")
    @wraps(command)
    def wrapper(*args: Any, session: Session, mirror: str | None, offline: bool, **kwargs: Any) -> Any:
        session.mirror, session.offline = mirror, offline
        return command(*args, session=session, **kwargs)

    return wrapper  # type: ignore[return-value]


def output_option(command: F) -> F:
    return click.option(
        "-o",
        "--output",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Form of the data.",
    )(command)


def home() -> Path:
    from raijin.app.home import default_home  # noqa: PLC0415

    return default_home()


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, in an event loop of its own."""
    results: list[T] = []

    # asyncio.run makes a text of its task when it puts the handler of Ctrl-C back, with all that the task returned: for
    # a plan of many hosts that takes longer than the plan. So its task returns nothing.
    async def main() -> None:
        results.append(await work)

    asyncio.run(main())
    return results[0]


def print_json(data: object) -> None:
    click.echo(json.dumps(data, indent=2, default=str))
