"""Secrets show themselves nowhere."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from raijin.errors import Unsupported
from raijin.model.host import Become, Host, Ssh
from raijin.model.secret import Secret, SecretReference, parse_secret


def test_a_secret_is_masked_in_every_form() -> None:
    ssh = Ssh.model_validate({"password": "hunter2", "passphrase": "env:PASS"})
    shown = [
        str(ssh),
        repr(ssh),
        f"{ssh.password}",
        f"{ssh.password!r}",
        str(ssh.model_dump()),
        ssh.model_dump_json(),
        str({"p": ssh.password}),
        f"{ssh.password:>10}",
    ]
    assert not [text for text in shown if "hunter2" in text]
    assert ssh.password is not None
    assert ssh.password.reveal() == "hunter2"


def test_a_validation_error_does_not_show_a_secret() -> None:
    with pytest.raises(ValidationError) as caught:
        Host.model_validate({"name": "n1", "become": "hunter2", "ssh": {"pasword": "hunter2"}})
    assert "hunter2" not in str(caught.value)


def test_a_definition_can_be_written_with_its_secrets_on_purpose() -> None:
    become = Become.model_validate({"password": "hunter2"})
    written = become.model_dump(mode="json", exclude_unset=True, context={"reveal": True})
    assert written == {"password": "hunter2"}
    assert Become.model_validate(written) == become


@pytest.mark.parametrize("text", ["env:NAME", "file:/run/pw", "sops:secrets.yaml#pw", "vault:kv/raijin#pw"])
def test_a_reference_is_shown_and_must_be_fetched(text: str) -> None:
    secret = parse_secret(text)
    assert isinstance(secret, SecretReference)
    assert str(secret) == text
    assert Become.model_validate({"password": text}).model_dump(exclude_unset=True) == {"password": text}
    with pytest.raises(Unsupported):
        secret.reveal()


def test_an_ansible_value_is_not_shown() -> None:
    secret = SecretReference(SecretReference.ANSIBLE, "$ANSIBLE_VAULT;1.1;AES256\n6162")
    assert str(secret) == "ansible-vault:***"
    assert "6162" not in repr(secret)


def test_equality_is_by_text_and_kind() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("env:A") != SecretReference("env", "A")
    assert len({Secret("a"), Secret("a"), SecretReference("env", "A")}) == 2
    assert Secret("a") != "a"


@pytest.mark.parametrize("value", ["", "***", "file:", 5, None, ["a"]])
def test_what_is_no_secret(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_secret(value)
