"""Which backup is meant, and what is said where there is none, or where nobody could look."""

from __future__ import annotations

from pathlib import Path

import pytest

from raijin.app.backups import known, targets_of
from raijin.app.session import Session
from raijin.backups.naming import file_name, new_id
from raijin.errors import NotFound, StateError
from raijin.observe.masking import masked
from raijin.transport.pool import Pool

DEFINITION = """\
kind: Site
hosts: [{name: n1, connection: local}]
---
kind: Cluster
name: lab
type: VANILLA
version: v1.34.2
nodeGroups: [{name: control-plane, role: CONTROL_PLANE, hosts: [n1]}]
"""
OLD, NEW = 1_800_000_000.0, 1_800_100_000.0


@pytest.fixture
def session(tmp_path: Path) -> Session:
    path = tmp_path / "lab.yaml"
    path.write_text(DEFINITION)
    return Session(tmp_path / "home", (path,))


def make(folder: Path) -> None:
    folder.mkdir(parents=True)
    for at in (OLD, NEW):
        (folder / file_name(new_id("lab", at))).write_bytes(b"x")


async def test_a_backup_by_its_words(session: Session) -> None:
    make(session.home / "backups")
    old, new = new_id("lab", OLD), new_id("lab", NEW)
    assert await known(session, "latest") == new
    assert await known(session, "latest", OLD + 60) == old
    assert await known(session, old) == old


async def test_a_cluster_without_backups(session: Session) -> None:
    with pytest.raises(NotFound, match=r"^lab has no backup$") as caught:
        await known(session, "latest")
    assert "raijin cluster backup" in (caught.value.remedy or "")


async def test_a_backup_that_nobody_has(session: Session) -> None:
    make(session.home / "backups")
    with pytest.raises(NotFound, match=r"^lab has no backup nosuch$") as caught:
        await known(session, "nosuch")
    assert caught.value.remedy == "see `raijin backup list`"
    with pytest.raises(NotFound, match=r"^lab has no backup that old$"):
        await known(session, "latest", OLD - 60)


async def test_a_target_that_cannot_be_read_is_no_answer(session: Session) -> None:
    """It was said that there is no such backup (404), as if somebody had looked."""
    session.home.mkdir()
    (session.home / "backups").write_text("a share that is not mounted may be anything")
    with pytest.raises(StateError, match=r"whether lab has a backup cannot be said.*local: .*cannot be read") as caught:
        await known(session, "latest")
    assert "mounted" in (caught.value.remedy or "")


def test_both_keys_of_a_bucket_are_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that names the account was not."""
    monkeypatch.setenv("ACCESS", "account-of-the-bucket")
    monkeypatch.setenv("SECRET", "secret-of-the-bucket")
    target = "{name: s3, s3: {bucket: backups, region: eu-west-1, accessKey: 'env:ACCESS', secretKey: 'env:SECRET'}}"
    path = tmp_path / "lab.yaml"
    path.write_text(DEFINITION + f"backup: {{targets: [{target}]}}\n")
    targets_of(Session(tmp_path / "home", (path,)), Pool({}))
    assert masked("account-of-the-bucket secret-of-the-bucket") == "*** ***"
