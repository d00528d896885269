"""Secrets: nothing readable on the disk, nothing readable in what is printed from then on."""

from __future__ import annotations

from pathlib import Path

import pytest

from raijin.errors import NotFound, StateError
from raijin.observe.masking import MASKER
from raijin.state.secrets import Imagined, SecretStore

NAME, VALUE = "cluster/lab/join/alpha", "abcdef.0123456789abcdef\nsecond line é"


def test_a_secret_comes_back_also_in_another_process(home: Path) -> None:
    SecretStore(home).put(NAME, VALUE)
    store = SecretStore(home)
    assert store.has(NAME)
    assert store.get(NAME) == VALUE
    store.put(NAME, "newer")
    assert SecretStore(home).get(NAME) == "newer"


def test_nothing_is_readable_on_the_disk_by_content_or_by_others(home: Path) -> None:
    SecretStore(home).put(NAME, VALUE)
    files = [path for path in home.rglob("*") if path.is_file()]
    assert len(files) == 2
    for path in files:
        assert path.stat().st_mode & 0o777 == 0o600
        for part in VALUE.encode().splitlines():
            assert part not in path.read_bytes()
    assert (home / "secrets").stat().st_mode & 0o777 == 0o700


def test_what_is_put_or_read_is_hidden_from_then_on(home: Path) -> None:
    SecretStore(home).put(NAME, "a-token-of-the-cluster")
    assert MASKER.mask("it says a-token-of-the-cluster!") == "it says ***!"
    MASKER._values.clear()
    SecretStore(home).get(NAME)
    assert MASKER.mask("it says a-token-of-the-cluster!") == "it says ***!"


def test_what_is_not_there(home: Path) -> None:
    store = SecretStore(home)
    assert not store.has(NAME)
    assert store.names() == []
    store.delete(NAME)
    with pytest.raises(NotFound, match=f"no secret {NAME}"):
        store.get(NAME)
    assert not home.exists()


def test_names_are_listed_as_they_were_given(home: Path) -> None:
    store = SecretStore(home)
    names = ["cluster/lab/kubeconfig", "cluster/lab/join/a.b_c-d", "cluster/ö/../x", "other"]
    for name in names:
        store.put(name, "value")
    assert store.names() == sorted(names)
    assert store.names("cluster/lab/") == ["cluster/lab/join/a.b_c-d", "cluster/lab/kubeconfig"]
    assert {path.parent for path in home.rglob("*.age") if path.name != "identity.age"} == {home / "secrets"}
    store.delete("other")
    assert "other" not in store.names()


def test_another_key_is_said_with_the_way_out(home: Path, tmp_path: Path) -> None:
    SecretStore(home).put(NAME, VALUE)
    SecretStore(tmp_path / "elsewhere").put(NAME, "x")
    (tmp_path / "elsewhere" / "identity.age").replace(home / "identity.age")
    with pytest.raises(StateError, match="encrypted with another key") as caught:
        SecretStore(home).get(NAME)
    assert "restore" in (caught.value.remedy or "")


def test_a_missing_key_is_said(home: Path) -> None:
    SecretStore(home).put(NAME, VALUE)
    (home / "identity.age").unlink()
    with pytest.raises(StateError, match=r"identity\.age is missing"):
        SecretStore(home).get(NAME)


def test_a_missing_key_is_not_replaced_while_secrets_need_it(home: Path) -> None:
    SecretStore(home).put(NAME, VALUE)
    (home / "identity.age").unlink()
    with pytest.raises(StateError, match=r"identity\.age is missing"):
        SecretStore(home).put("other", "x")


def test_a_damaged_key_is_said(home: Path) -> None:
    SecretStore(home).put(NAME, VALUE)
    (home / "identity.age").write_text("AGE-SECRET-KEY-1DAMAGED\n")
    with pytest.raises(StateError):
        SecretStore(home).get(NAME)


def test_a_damaged_secret_is_said(home: Path) -> None:
    SecretStore(home).put(NAME, VALUE)
    path = next((home / "secrets").iterdir())
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(StateError):
        SecretStore(home).get(NAME)


def test_what_is_imagined_reaches_no_disk(home: Path) -> None:
    """A restoration is planned with the secrets of its backup, and they are gone with the plan."""
    store = SecretStore(home)
    store.put(NAME, "kept")
    store.put("cluster/lab/other", "also")
    imagined = Imagined(home)
    imagined.put(NAME, "of the backup")
    imagined.put("restore/lab/ca", "of the backup")
    imagined.delete("cluster/lab/other")
    assert (imagined.get(NAME), imagined.has("cluster/lab/other")) == ("of the backup", False)
    assert imagined.names() == [NAME, "restore/lab/ca"]
    with pytest.raises(NotFound):
        imagined.get("cluster/lab/other")
    assert (store.get(NAME), store.names()) == ("kept", [NAME, "cluster/lab/other"])
