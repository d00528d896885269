"""Right definitions: every example against its golden file, and the two requests of the provisioning framework.

To write the golden files anew: UPDATE_GOLDEN=1 pytest tests/definitions/test_valid.py
"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from raijin.definition.load import Definition, load
from raijin.definition.templates import STARTERS, Starter, starter
from raijin.errors import NotFound

_HERE = Path(__file__).parent
_EXAMPLES = _HERE.parents[1] / "examples"


def _normal(definition: Definition) -> dict[str, object]:
    kinds = ("sites", "clusters", "meshes", "templates")
    return {
        kind: [document.model_dump(mode="json", exclude_unset=True) for document in getattr(definition, kind)]
        for kind in kinds
    } | {"warnings": [str(warning).partition(": ")[2] for warning in definition.warnings]}


@pytest.mark.parametrize("example", sorted(_EXAMPLES.glob("*.[yj][as]*")), ids=lambda path: path.name)
def test_example(example: Path) -> None:
    golden = _HERE / "golden" / f"{example.name}.json"
    normal = _normal(load(example, {}))
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(json.dumps(normal, indent=2) + "\n", encoding="utf-8")
    assert normal == json.loads(golden.read_text(encoding="utf-8"))


def test_every_golden_file_has_its_example() -> None:
    assert {path.stem for path in (_HERE / "golden").iterdir()} == {path.name for path in _EXAMPLES.glob("*.[yj][as]*")}


@pytest.mark.parametrize("name", ["okd-production", "k3s-edge"])
def test_a_request_says_the_same_as_json_and_as_yaml(name: str) -> None:
    as_json = load(_EXAMPLES / f"{name}.json", {}).clusters
    assert as_json == load(_EXAMPLES / f"{name}.yaml", {}).clusters


@pytest.mark.parametrize("item", STARTERS, ids=lambda item: item.name)
def test_starter_loads_without_a_warning(item: Starter) -> None:
    definition = load(io.StringIO(item.text), {})
    assert definition.warnings == ()
    assert definition.hosts_of(definition.cluster())


def test_a_starter_by_name() -> None:
    assert starter("ha").text.startswith("# Three control plane hosts")
    with pytest.raises(NotFound) as caught:
        starter("worker")
    assert caught.value.remedy == "did you mean workers?"


def test_the_folder_of_starters_holds_no_other() -> None:
    folder = _HERE.parents[1] / "src/raijin/definition/starters"
    assert sorted(path.stem for path in folder.iterdir()) == sorted(item.name for item in STARTERS)


def test_kubernetes_defaults_depend_on_the_type() -> None:
    cluster = load(_EXAMPLES / "k3s-edge.json", {}).cluster()
    assert (cluster.network.pod_cidr, cluster.network.service_cidr) == ("10.42.0.0/16", "10.43.0.0/16")
    assert cluster.network.model_fields_set == set()
    assert str(load(_EXAMPLES / "okd-production.json", {}).cluster().network.cni.name) == "OVN_KUBERNETES"
