"""Places for backups: whole files or none, and only those of this very cluster."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raijin.backups.naming import file_name, new_id, parse_name, parse_time
from raijin.backups.targets import FolderTarget, HostTarget, Stored, surplus
from raijin.backups.verifying import kinds_of
from raijin.errors import NotFound, OperationFailed, StateError, UsageError
from raijin.transport.local import LocalConnection


class OneHost:
    """A pool with this machine in it."""

    async def get(self, name: str) -> LocalConnection:
        return LocalConnection(name)


@pytest.fixture(params=["folder", "host"])
def target(request: pytest.FixtureRequest, tmp_path: Path):
    folder = tmp_path / "kept"
    if request.param == "folder":
        return FolderTarget("nas", folder)
    return HostTarget("nas", OneHost(), "here", str(folder))  # type: ignore[arg-type]


def made(folder: Path, cluster: str, at: float) -> Path:
    path = folder / file_name(new_id(cluster, at))
    path.write_bytes(cluster.encode() * 100)
    return path


async def test_stored_listed_fetched_and_deleted(target, tmp_path: Path) -> None:
    assert await target.list("prod") == []
    path = made(tmp_path, "prod", 1_800_000_000)
    await target.put(path)
    assert await target.list("prod") == [Stored(path.name, 400, "nas")]
    await target.get(path.name, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == path.read_bytes()
    await target.delete(path.name)
    assert await target.list("prod") == []


async def test_what_else_lies_there_is_left_alone(target, tmp_path: Path) -> None:
    """A cluster whose name begins with another one's, half a file, somebody's notes."""
    for cluster in ("prod", "prod-2"):
        await target.put(made(tmp_path, cluster, 1_800_000_000))
    (tmp_path / "kept" / ".prod-20270115T080000Z.tar.age.part").touch()
    (tmp_path / "kept" / "prod-notes.txt").touch()
    (tmp_path / "kept" / "prod-20279915T080000Z.tar.age").touch()
    assert [stored.name for stored in await target.list("prod")] == ["prod-20270115T080000Z.tar.age"]


async def test_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no prod-x"):
        await FolderTarget("nas", tmp_path).get("prod-x", tmp_path / "back")


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="cannot be kept in"):
        await FolderTarget("nas", tmp_path / "file" / "below").put(made(tmp_path, "prod", 1_800_000_000))


def test_the_oldest_are_too_many() -> None:
    names = [file_name(new_id("prod", 1_800_000_000 + day * 86_400)) for day in range(5)]
    stored = [Stored(name, 1, "nas") for name in (names[3], names[0], names[4], names[1], names[2])]
    assert [item.name for item in surplus(stored, 3)] == [names[1], names[0]]
    assert surplus(stored, 5) == []


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True), st.integers(0, 4_000_000_000))
def test_a_name_tells_cluster_and_time(cluster: str, at: int) -> None:
    assert parse_name(file_name(new_id(cluster, at))) == (cluster, float(at))


@pytest.mark.parametrize("text", ["2027-01-15T08:00:00Z", "2027-01-15 09:00+01:00", "2027-01-15T08:00+00:00"])
def test_points_in_time(text: str) -> None:
    assert parse_time(text) == 1_800_000_000.0


def test_a_point_in_time_that_is_none() -> None:
    with pytest.raises(UsageError, match="not a point in time"):
        parse_time("yesterday")


def test_keys_are_counted_by_resource() -> None:
    keys = [
        "/registry/pods/default/a", "/registry/pods/kube-system/b", "/registry/namespaces/default",
        "/registry/example.org/things/default/x", "/registry/apiregistration.k8s.io/apiservices/v1.", "compact_rev_key",
    ]  # fmt: skip
    assert kinds_of(keys) == {
        "pods": 2,
        "namespaces": 1,
        "things.example.org": 1,
        "apiservices.apiregistration.k8s.io": 1,
    }


async def test_a_place_that_cannot_be_read_is_not_an_empty_one(target, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("no folder")
    with pytest.raises((StateError, OperationFailed), match="cannot be read"):
        await target.list("prod")
