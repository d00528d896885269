"""A click group that imports a command only when it is called: `raijin --help` stays under 150 ms."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from raijin.cli.table import DEFAULTS, GROUPS


class LazyGroup(click.Group):
    """Its commands are a table of (module, attribute, help). path: the words that lead to it, empty for the root."""

    def __init__(
        self, *args: Any, table: dict[str, tuple[str, str, str]] | None = None, path: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.table = table or {}
        self.path = path

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Options without a command are those of the group's own one, where it has one."""
        default = DEFAULTS.get(self.path)
        if default and (not args or (args[0].startswith("-") and args[0] not in {"-h", "--help"})):
            args = [default, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.table.get(cmd_name)
        if entry is None:
            return None
        module, attribute, summary = entry
        path = f"{self.path} {cmd_name}".strip()
        if path in GROUPS:
            alone = path not in DEFAULTS
            return LazyGroup(cmd_name, help=summary, table=GROUPS[path], path=path, no_args_is_help=alone)
        del ctx
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}.{attribute} is not a command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches  # noqa: PLC0415  (only after a typing error)

            near = get_close_matches(args[0], self.table, n=1) if args else []
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near[0]!r}?", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """click's own would import every command for its short help."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in self.table.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem  # noqa: PLC0415

        found = [CompletionItem(n, help=h) for n, (_, _, h) in self.table.items() if n.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]
