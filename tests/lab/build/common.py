"""What the parts of the builder share: failures, running commands, and saying what happens."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


class BuildError(Exception):
    """A failure whose message tells the reader what to do."""


def say(text: str) -> None:
    """Progress goes to stderr; stdout carries results only."""
    sys.stderr.write(f"lab build: {text}\n")
    sys.stderr.flush()


def run(command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a command to its end and return its output; a failure carries the end of what it wrote."""
    try:
        done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        message = f"{command[0]} is not installed"
        raise BuildError(message) from error
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        message = f"`{' '.join(command)}` failed with status {done.returncode}:\n{tail}"
        raise BuildError(message)
    return done.stdout
