"""Merging a kubeconfig. Law: what others wrote stays, ours is there once and current, nobody else can read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from raijin.app.credentials import merge, merged_into
from raijin.errors import UsageError


def config(name: str, server: str = "https://192.0.2.1:6443") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": f"admin@{name}",
        "clusters": [{"name": name, "cluster": {"server": server}}],
        "users": [{"name": f"admin@{name}", "user": {"token": "x"}}],
        "contexts": [{"name": f"admin@{name}", "context": {"cluster": name, "user": f"admin@{name}"}}],
    }


def test_merging_twice_is_merging_once() -> None:
    once = merge(config("other"), config("lab"))
    assert merge(once, config("lab")) == once
    assert [entry["name"] for entry in once["clusters"]] == ["other", "lab"]
    assert once["current-context"] == "admin@lab"


def test_a_cluster_that_was_made_anew_takes_its_own_place() -> None:
    merged = merge(merge(config("other"), config("lab")), config("lab", "https://192.0.2.9:6443"))
    assert [e["cluster"]["server"] for e in merged["clusters"]] == ["https://192.0.2.1:6443", "https://192.0.2.9:6443"]


def test_what_we_do_not_know_stays() -> None:
    old = {**config("other"), "preferences": {"colors": True}, "extensions": [{"name": "x"}]}
    merged = merge(old, config("lab"))
    assert (merged["preferences"], merged["extensions"]) == ({"colors": True}, [{"name": "x"}])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/kube/config:{tmp_path}/other")
    return tmp_path / "kube" / "config"


def test_the_file_is_private_and_made_when_it_is_missing(place: Path) -> None:
    assert merged_into(yaml.safe_dump(config("lab"))) == place
    assert place.stat().st_mode & 0o777 == 0o600
    assert yaml.safe_load(place.read_text())["current-context"] == "admin@lab"


@pytest.mark.parametrize("content", ["", "# only a comment\n", "{}\n"])
def test_an_empty_file_is_no_obstacle(place: Path, content: str) -> None:
    place.parent.mkdir()
    place.write_text(content)
    merged_into(yaml.safe_dump(config("lab")))
    assert yaml.safe_load(place.read_text())["clusters"][0]["name"] == "lab"


def test_a_file_that_cannot_be_read_is_left_alone(place: Path) -> None:
    place.parent.mkdir()
    place.write_text("clusters: [")
    with pytest.raises(UsageError, match="is not YAML"):
        merged_into(yaml.safe_dump(config("lab")))
    assert place.read_text() == "clusters: ["
