"""raijin schema"""

from __future__ import annotations

import click

from raijin.cli.options import print_json


@click.command()
def schema() -> None:
    """Print the JSON Schema (2020-12) of the definition, for editors and other programs."""
    from raijin.app.checking import schema_document  # noqa: PLC0415

    print_json(schema_document())
