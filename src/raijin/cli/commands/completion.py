"""raijin completion"""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash: raijin completion bash > /etc/bash_completion.d/raijin
    zsh:  raijin completion zsh > "${fpath[1]}/_raijin"
    fish: raijin completion fish > ~/.config/fish/completions/raijin.fish
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415

    from raijin.cli import raijin  # noqa: PLC0415

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(kind(raijin, {}, "raijin", "_RAIJIN_COMPLETE").source())
