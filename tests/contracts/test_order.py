"""Tests do not depend on each other's order: what makes the reference leaves the commands as they were."""

from __future__ import annotations

from click.testing import CliRunner
from tests.contracts.test_docs import load_script

from raijin.cli import raijin


def test_making_the_reference_does_not_change_how_commands_explain_themselves() -> None:
    load_script("reference").cli_page()
    for words in (["plan", "-h"], ["cluster", "capacity", "-h"]):
        said = CliRunner().invoke(raijin, words)
        assert (said.exit_code, said.output.startswith("Usage: ")) == (0, True), said.output
