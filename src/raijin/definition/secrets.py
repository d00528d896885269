"""Fetching what a secret reference names. Only here does a reference become a secret."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from raijin.errors import NotFound, Unsupported
from raijin.model.secret import Secret, SecretReference

_REMEDIES = {
    "sops": "decrypt it with `sops -d` into a file that only you can read, and write file:PATH",
    "vault": "read it with `vault kv get` into an environment variable, and write env:NAME",
    SecretReference.ANSIBLE: "decrypt it with `ansible-vault decrypt` into a file that only you can read, "
    "and write file:PATH",
}


def fetch(secret: Secret, environment: Mapping[str, str] | None = None) -> Secret:
    """The secret itself: what a reference names, anything else unchanged.

    Raises NotFound when the variable or file is not there, Unsupported for a store that Raijin cannot read yet.
    """
    if not isinstance(secret, SecretReference):
        return secret
    if secret.scheme == "env":
        return _from_environment(secret.target, os.environ if environment is None else environment)
    if secret.scheme == "file":
        return _from_file(Path(secret.target).expanduser())
    raise Unsupported(f"the secret {secret} cannot be read yet", remedy=_REMEDIES[secret.scheme])


def reveal(secret: Secret | None, environment: Mapping[str, str] | None = None) -> str | None:
    """The text of a secret or of what it refers to; None stays None."""
    return None if secret is None else fetch(secret, environment).reveal()


def _from_environment(name: str, environment: Mapping[str, str]) -> Secret:
    value = environment.get(name)
    if not value:
        raise NotFound(f"the secret env:{name} is not set", remedy=f"export {name} before you run Raijin")
    return Secret(value)


def _from_file(path: Path) -> Secret:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"the secret file {path} does not exist", remedy="create it, readable by you alone") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise NotFound(f"the secret file {path} cannot be read: {reason}", remedy="make it readable for you") from None
    # Editors end a file with a newline that is not part of the secret; further ones may be.
    return Secret(text.removesuffix("\n").removesuffix("\r"))
