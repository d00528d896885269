"""References become secrets here and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from raijin.definition.secrets import fetch, reveal
from raijin.errors import NotFound, Unsupported
from raijin.model.secret import Secret, SecretReference, parse_secret


def test_variables_and_files(tmp_path: Path) -> None:
    path = tmp_path / "pw"
    path.write_text("hunter2\n")
    assert reveal(parse_secret("env:PW"), {"PW": "x"}) == "x"
    assert reveal(parse_secret(f"file:{path}")) == "hunter2"
    assert fetch(Secret("plain")) == Secret("plain")
    assert reveal(None) is None


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="env:PW is not set") as caught:
        reveal(parse_secret("env:PW"), {})
    assert caught.value.remedy == "export PW before you run Raijin"
    with pytest.raises(NotFound, match="does not exist"):
        reveal(parse_secret(f"file:{tmp_path}/none"))
    with pytest.raises(NotFound, match="cannot be read"):
        reveal(parse_secret(f"file:{tmp_path}"))


@pytest.mark.parametrize(
    "secret",
    [parse_secret("sops:s.yaml#a"), parse_secret("vault:kv#a"), SecretReference(SecretReference.ANSIBLE, "$ANSIBLE")],
    ids=lambda secret: secret.scheme,
)
def test_stores_that_are_not_read_yet_say_what_to_do(secret: Secret) -> None:
    with pytest.raises(Unsupported, match="cannot be read yet") as caught:
        reveal(secret)
    assert "decrypt" in str(caught.value.remedy) or "vault kv get" in str(caught.value.remedy)
