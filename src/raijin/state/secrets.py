"""The secret store: join tokens, kubeconfigs and passwords, each a file encrypted with age in RAIJIN_HOME/secrets.

The key lies beside it (mode 0600), so this protects copies and backups of the folder's files, not against root on this
machine. Everything that is read or written here is masked from then on (observe.masking).
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote, unquote

import pyrage

from raijin.errors import NotFound, StateError
from raijin.observe.masking import MASKER


class SecretStore:
    """Secrets by name (`cluster/lab/kubeconfig`)."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "secrets"
        self._key_file = home / "identity.age"
        self._identity: pyrage.x25519.Identity | None = None

    def put(self, name: str, value: str) -> None:
        MASKER.add(value)
        identity = self._key(create=True)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_private(self._path(name), pyrage.encrypt(value.encode(), [identity.to_public()]))

    def get(self, name: str) -> str:
        """Raises NotFound, or StateError when it was encrypted with another key."""
        path = self._path(name)
        if not path.is_file():
            raise NotFound(f"there is no secret {name}", remedy="apply the cluster, which makes its secrets")
        try:
            value = pyrage.decrypt(path.read_bytes(), [self._key(create=False)]).decode()
        except pyrage.DecryptError as error:
            remedy = f"restore {self._key_file} from the backup of this RAIJIN_HOME"
            raise StateError(f"the secret {name} was encrypted with another key", remedy=remedy) from error
        MASKER.add(value)
        return str(value)

    def has(self, name: str) -> bool:
        return self._path(name).is_file()

    def delete(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def names(self, prefix: str = "") -> list[str]:
        if not self._folder.is_dir():
            return []
        found = (unquote(path.stem) for path in self._folder.glob("*.age"))
        return sorted(name for name in found if name.startswith(prefix))

    def public_key(self) -> str:
        """What others encrypt with so that this RAIJIN_HOME can read it: `age1...`."""
        return str(self._key(create=True).to_public())

    def identities(self) -> list[str]:
        """The key of this RAIJIN_HOME, for what was encrypted with `public_key`; none where there is none yet."""
        return [str(self._key(create=False))] if self._key_file.is_file() else []

    def _path(self, name: str) -> Path:
        return self._folder / f"{quote(name, safe='')}.age"

    def _key(self, *, create: bool) -> pyrage.x25519.Identity:
        if self._identity is not None:
            return self._identity
        if not self._key_file.is_file():
            if not create or self.names():
                raise StateError(
                    f"the key {self._key_file} is missing, and the secrets there are need it",
                    remedy="restore it from a backup, or remove the folder `secrets` beside it and lose them",
                )
            self._key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write_private(self._key_file, f"{pyrage.x25519.Identity.generate()}\n".encode(), replace=False)
        try:
            self._identity = pyrage.x25519.Identity.from_str(self._key_file.read_text().strip())
        except (pyrage.IdentityError, UnicodeDecodeError) as error:
            raise StateError(f"the key {self._key_file} is damaged", remedy="restore it from a backup") from error
        return self._identity


class Imagined(SecretStore):
    """The same store to plan with: what is put into it or deleted stays in memory and goes with it."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self._beside: dict[str, str | None] = {}

    def put(self, name: str, value: str) -> None:
        MASKER.add(value)
        self._beside[name] = value

    def get(self, name: str) -> str:
        if name not in self._beside:
            return super().get(name)
        value = self._beside[name]
        if value is None:
            raise NotFound(f"there is no secret {name}")
        return value

    def has(self, name: str) -> bool:
        return self._beside[name] is not None if name in self._beside else super().has(name)

    def delete(self, name: str) -> None:
        self._beside[name] = None

    def names(self, prefix: str = "") -> list[str]:
        beside = {name for name in self._beside if name.startswith(prefix)}
        return sorted(name for name in beside.union(super().names(prefix)) if self.has(name))


def _write_private(path: Path, content: bytes, *, replace: bool = True) -> None:
    """Write a file of mode 0600 in one go; without `replace`, the first of two writers wins."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if replace:
            temporary.replace(path)
        elif not path.exists():
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
