"""Calls about the keys of encryption at rest, and what this RAIJIN_HOME knows of them."""

from __future__ import annotations

import base64
import secrets
from typing import Protocol

from raijin.plan.handlers import CallContext, Handlers
from raijin.platforms.encrypted import KEY_BYTES, NO_KEYS, PLAIN, Keys, key_secret, read_written, written_secret


class Secrets(Protocol):
    def has(self, name: str) -> bool: ...

    def get(self, name: str) -> str: ...

    def names(self, prefix: str = "") -> list[str]: ...


def keys_of(store: Secrets, cluster: str) -> Keys:
    """Raises StateError when the store cannot be read."""
    prefix, noted = key_secret(cluster, ""), written_secret(cluster)
    names = frozenset(name.removeprefix(prefix) for name in store.names(prefix))
    return Keys(names, read_written(store.get(noted)) if store.has(noted) else PLAIN)


def secrets_of(keys: Keys, cluster: str) -> list[str]:
    """The names of all secrets that belong to them."""
    noted = [written_secret(cluster)] if keys != NO_KEYS else []
    return [*(key_secret(cluster, name) for name in sorted(keys.names)), *noted]


async def make_key(context: CallContext) -> None:
    """encryption.key: a key of that name, unless there is one. `written`, if any, is noted with it."""
    key, written = context.text("key"), context.text("written")
    name = key_secret(context.cluster, key)
    if key and not context.secrets.has(name):
        context.secrets.put(name, base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode())
    if written:
        context.secrets.put(written_secret(context.cluster), written)


async def note_written(context: CallContext) -> None:
    """encryption.written: everything in etcd is written in this way now."""
    context.secrets.put(written_secret(context.cluster), context.text("written"))


HANDLERS: Handlers = {"encryption.key": make_key, "encryption.written": note_written}
BY_HAND = {
    "encryption.key": "Make a key: `head -c 32 /dev/urandom | base64`, and keep it where only you can read it",
    "encryption.written": "Note that the old key is not needed any more",
}
