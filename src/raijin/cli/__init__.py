"""The command line. Data goes to standard output, everything else to standard error; the exit code says which error."""

from __future__ import annotations

import gc
import sys

import click

from raijin import __version__
from raijin.cli.lazy import LazyGroup
from raijin.cli.table import COMMANDS

EPILOG = "Exit codes and every option: docs/reference/cli.md. Start with `raijin init`, or `raijin lab up` to play."


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=True,
)
@click.version_option(__version__, "-V", "--version", prog_name="raijin")
def raijin() -> None:
    """On-premises Kubernetes from the power button to day two.

    One definition (raijin.yaml) says what shall be; `plan` shows the difference, `apply` makes it so.
    """


COLLECT_AFTER = 200_000
"""Objects made before the garbage collector looks for cycles; Python's 700 makes it walk again and again over all that
was imported, a tenth of the time of a short command."""


def main() -> None:
    """Entry point of the console script: every error becomes one message, one remedy, one exit code."""
    gc.set_threshold(COLLECT_AFTER)
    try:
        code = raijin.main(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        from raijin.cli.problems import show_usage_error  # noqa: PLC0415

        sys.exit(show_usage_error(error))
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
        sys.exit(130)
    except Exception as error:  # noqa: BLE001  (the outermost frame: what is not ours is a defect, and says so)
        from raijin.cli.problems import show_error  # noqa: PLC0415

        sys.exit(show_error(error))
    sys.exit(code if isinstance(code, int) else 0)
