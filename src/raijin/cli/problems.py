"""Errors for people (and, with --output json, for machines)."""

from __future__ import annotations

import json
import os
import sys
import traceback

import click

from raijin.errors import DefinitionError, RaijinError, UsageError
from raijin.observe.masking import MASKER, masked


def show_error(error: Exception) -> int:
    """Print it on standard error; returns the exit code."""
    if not isinstance(error, RaijinError):
        return _defect(error)
    if wants_json():
        click.echo(json.dumps(masked(error.problem()), indent=2), err=True)
        return error.exit_code
    text = str(error) if not isinstance(error, DefinitionError) else _definition(error)
    click.echo(MASKER.mask(f"{click.style('error:', fg='red', bold=True)} {text}"), err=True)
    if error.remedy:
        click.echo(MASKER.mask(f"{click.style('hint:', fg='cyan', bold=True)} {error.remedy}"), err=True)
    if error.detail and os.environ.get("RAIJIN_DEBUG"):
        click.echo(MASKER.mask(error.detail), err=True)
    return error.exit_code


def show_usage_error(error: click.ClickException) -> int:
    """click's own: a wrong option, a missing argument."""
    if not wants_json():
        error.show()
        return error.exit_code
    return show_error(UsageError(error.format_message(), remedy="see --help"))


def wants_json() -> bool:
    """Asked for on this command line. Read from the arguments: the error may come before they are parsed."""
    arguments = sys.argv[1:]
    pairs = zip(arguments, [*arguments[1:], ""], strict=False)
    return any(
        pair in {("--output", "json"), ("-o", "json")} or pair[0] in {"--output=json", "-ojson"} for pair in pairs
    )


def _definition(error: DefinitionError) -> str:
    lines = [error.message]
    for problem in error.problems:
        place = f"{problem.file}:{problem.line}:{problem.column}: " if problem.line else f"{problem.file}: "
        value = f" (got {problem.value})" if problem.value else ""
        lines.append(f"  {place if problem.file else ''}{problem.path}: {problem.message}{value}")
        if problem.remedy:
            lines.append(f"      {problem.remedy}")
    return "\n".join(lines)


def _defect(error: Exception) -> int:
    click.echo(f"defect: {type(error).__name__}: {MASKER.mask(str(error))}", err=True)
    if os.environ.get("RAIJIN_DEBUG"):
        click.echo(MASKER.mask("".join(traceback.format_exception(error))), err=True)
    else:
        click.echo("hint: this is a defect of Raijin; RAIJIN_DEBUG=1 shows where, please report it", err=True)
    return 1
