"""Checking a definition, and saying what of it cannot be served yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from raijin.app.home import default_home
from raijin.app.making import named_provider
from raijin.app.unsupported import unsupported
from raijin.definition.definition import Definition
from raijin.definition.load import load


@dataclass(frozen=True, slots=True)
class Checked:
    definition: Definition

    @property
    def later(self) -> dict[str, list[tuple[str, str]]]:
        """By cluster: field paths that are right and not served yet, with the reason."""
        site = self.definition.site()
        maker = named_provider(site, default_home())
        return {
            cluster.name: unsupported(
                cluster, site, [placed.host for placed in self.definition.hosts_of(cluster)], maker=maker
            )
            for cluster in self.definition.clusters
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "valid": True,
            "sites": [site.name for site in self.definition.sites],
            "clusters": [cluster.name for cluster in self.definition.clusters],
            "hosts": len(self.definition.site().hosts),
            "warnings": [warning.to_json() for warning in self.definition.warnings],
            "unsupported": {n: [{"path": p, "reason": r} for p, r in items] for n, items in self.later.items()},
        }


def check_definition(source: tuple[Path, ...] | TextIO) -> Checked:
    """Raises DefinitionError with all faults."""
    return Checked(load(source))


def schema_document() -> dict[str, Any]:
    """The JSON Schema of all documents."""
    from raijin.definition.schema import schema  # noqa: PLC0415  (pydantic's schema generator is slow to import)

    return schema()
