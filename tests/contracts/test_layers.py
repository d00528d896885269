"""The import contract holds, and it covers every package there is."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import raijin

PACKAGE = Path(raijin.__file__).parent
ROOT = PACKAGE.parent.parent


@pytest.fixture(scope="module")
def contracts() -> list[dict[str, object]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def parts() -> set[str]:
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    return folders | {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}


@pytest.mark.slow
def test_the_contract_is_kept() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(linter), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_the_layers_are_the_packages_that_exist(contracts) -> None:
    (layers,) = (contract for contract in contracts if contract["type"] == "layers")
    named = [name.strip(" ()") for layer in layers["layers"] for name in layer.split("|")]
    assert layers["exhaustive"] is True
    assert sorted(named) == sorted(parts())


def test_dbos_is_fenced_from_everything_but_the_engine(contracts) -> None:
    (fence,) = (contract for contract in contracts if contract.get("forbidden_modules") == ["dbos"])
    assert {name.removeprefix("raijin.") for name in fence["source_modules"]} == parts() - {"engine"}


def test_no_drawer_for_everything() -> None:
    bad = {"utils", "util", "common", "helpers", "core", "misc"}
    assert not [path for path in PACKAGE.rglob("*.py") if path.stem in bad or path.parent.name in bad]
