"""The folder of definitions: looked at each time, read where something has changed."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from raijin.app import sites as module
from raijin.app import stored
from raijin.app.sites import sites_of
from raijin.app.store import Store

SITE = "kind: Site\nname: here\nhosts:\n- {name: n1, address: 192.0.2.11}\n- {name: n2, address: 192.0.2.12}\n"
CLUSTER = """\
kind: Cluster
name: %s
type: VANILLA
version: v1.34.2
nodeGroups:
- {name: control-plane, role: CONTROL_PLANE, hosts: [%s]}
"""


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of files that were read."""
    names: list[str] = []
    parse = stored._parse

    def noted(path: Path) -> stored.StoredFile:
        names.append(path.name)
        return parse(path)

    monkeypatch.setattr(stored, "_parse", noted)
    return names


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "site.yaml").write_text(SITE)
    (tmp_path / "a.yaml").write_text(CLUSTER % ("a", "n1"))
    (tmp_path / "site.lock.yaml").write_text("not: ours")
    return Store(tmp_path)


def test_a_file_is_read_once_and_again_when_it_has_changed(store: Store, read: list[str]) -> None:
    first = store.contents()
    assert sorted(read) == ["a.yaml", "site.yaml"]
    assert store.contents() is first
    read.clear()
    (store.folder / "b.yaml").write_text(CLUSTER % ("b", "n2"))
    assert [cluster.name for cluster in store.clusters()] == ["a", "b"]
    assert read == ["b.yaml"]
    (store.folder / "a.yaml").unlink()
    assert [cluster.name for cluster in store.clusters()] == ["b"]
    assert read == ["b.yaml"]


def test_a_file_of_the_same_size_and_time_that_took_its_place_is_another_one(store: Store, read: list[str]) -> None:
    before = (store.folder / "a.yaml").stat()
    store.contents()
    read.clear()
    new = store.folder / "new"
    new.write_text(CLUSTER % ("z", "n1"))
    new.replace(store.folder / "a.yaml")
    os.utime(store.folder / "a.yaml", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [cluster.name for cluster in store.clusters()] == ["z"]
    assert read == ["a.yaml"]


def test_hosts_are_listed_with_who_holds_them(store: Store) -> None:
    rows = store.contents().hosts
    assert [(row["key"], row["cluster"]) for row in rows] == [("site/n1", "a"), ("site/n2", "")]


def test_sites_are_made_once_for_everybody_and_shown_to_whom_they_concern(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    right = module._right
    monkeypatch.setattr(module, "_right", lambda paths: (made.append(1), right(paths))[1])
    service = SimpleNamespace(store=store)
    for _ in range(3):
        (row,) = sites_of(service, lambda _: True)
        assert [cluster["name"] for cluster in row["clusters"]] == ["a"]
    assert sites_of(service, lambda _: False) == []
    assert len(made) == 1
    (store.folder / "a.yaml").write_text(CLUSTER % ("other", "n2"))
    assert [c["name"] for row in sites_of(service, lambda _: True) for c in row["clusters"]] == ["other"]


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert Store(tmp_path / "none").contents().files == ()
