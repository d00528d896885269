"""The JSON Schema in the package is what the models say."""

from __future__ import annotations

from raijin.definition.schema import FILE, render, schema


def test_nothing_is_said_twice() -> None:
    """What a field refers to says what it is; whether the field repeats it must not depend on what was imported."""
    document = schema()
    for definition in document["$defs"].values():
        for field in definition.get("properties", {}).values():
            name = str(field.get("$ref", "")).rpartition("/")[2]
            assert (
                not name
                or "description" not in field
                or field["description"] != document["$defs"][name].get("description")
            )


def test_the_file_is_fresh() -> None:
    assert FILE.read_text(encoding="utf-8") == render(), "run: python -m raijin.definition.schema"


def test_every_key_is_described_in_the_words_of_the_file() -> None:
    document = schema()
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {item["$ref"] for item in document["oneOf"]} == {
        f"#/$defs/{k}" for k in ("Site", "Cluster", "Mesh", "Template")
    }
    assert "privateVLAN" in document["$defs"]["ClusterNetwork"]["properties"]
    assert document["$defs"]["Policy"]["properties"]["drainTimeout"]["default"] == "10m"
    for name, definition in document["$defs"].items():
        for key, field in definition.get("properties", {}).items():
            assert field.get("description") or "$ref" in field, f"{name}.{key}"
            assert field["title"] == key


def test_only_a_cluster_may_leave_its_kind_out() -> None:
    required = {kind: "kind" in schema()["$defs"][kind].get("required", []) for kind in ("Site", "Cluster", "Mesh")}
    assert required == {"Site": True, "Cluster": False, "Mesh": True}
