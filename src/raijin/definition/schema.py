"""The JSON Schema of a definition file: for completion in editors, for the reference pages and for the API.

`raijin.schema.json` beside this file is its output; a test fails when the two differ. To write it anew:

    python -m raijin.definition.schema
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import Discriminator, Tag, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from raijin.model.cluster import Cluster
from raijin.model.duration import format_duration
from raijin.model.mesh import Mesh
from raijin.model.site import Site
from raijin.model.template import Template

DIALECT = "https://json-schema.org/draft/2020-12/schema"
IDENTIFIER = "https://example.org/raijin/definition.schema.json"
FILE = Path(__file__).with_name("raijin.schema.json")

Document = Site | Cluster | Mesh | Template


def _kind(document: object) -> str:
    kind = document.get("kind", "Cluster") if isinstance(document, dict) else getattr(document, "kind", "Cluster")
    return str(kind)


AnyDocument = Annotated[
    Annotated[Site, Tag("Site")]
    | Annotated[Cluster, Tag("Cluster")]
    | Annotated[Mesh, Tag("Mesh")]
    | Annotated[Template, Tag("Template")],
    Discriminator(_kind),
]


class _Generator(GenerateJsonSchema):
    """pydantic's generator; durations stand as they are written in files."""

    def encode_default(self, dft: Any) -> Any:
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def schema() -> dict[str, Any]:
    """The schema of one document of any kind. A document without `kind` is a Cluster."""
    adapter: TypeAdapter[Document] = TypeAdapter(AnyDocument)
    document = adapter.json_schema(by_alias=True, mode="validation", schema_generator=_Generator)
    for definition in document["$defs"].values():
        for key, field in definition.get("properties", {}).items():
            field["title"] = key  # pydantic would write "Maxunavailable"
            _say_once(field, document["$defs"])
    for kind in ("Site", "Mesh", "Template"):
        document["$defs"][kind].setdefault("required", []).insert(0, "kind")
    return {
        "$schema": DIALECT,
        "$id": IDENTIFIER,
        "title": "Raijin definition",
        "description": "One document of a Raijin definition: a Site, a Cluster, a Mesh or a Template.",
        **document,
        "discriminator": {"propertyName": "kind"},
    }


def _say_once(field: dict[str, Any], definitions: dict[str, Any]) -> None:
    """pydantic leaves out what the referenced definition says already only if it has seen that definition before: which
    depends on what else was imported.
    """
    name = str(field.get("$ref", "")).rpartition("/")[2]
    if name and field.get("description") == definitions[name].get("description"):
        field.pop("description", None)


def render() -> str:
    """The schema as it stands in the file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
