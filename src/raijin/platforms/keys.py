"""Calls about the keys of encryption at rest, and what this RAIJIN_HOME knows of them."""

from __future__ import annotations

import base64
import secrets
from dataclasses import replace
from typing import Any, Protocol, cast

from raijin.plan.handlers import CallContext, Handlers
from raijin.platforms.encrypted import (
    KEY_BYTES,
    NO_KEYS,
    Keys,
    Written,
    key_secret,
    read_keys,
    read_written,
    state_secret,
)


class Secrets(Protocol):
    def has(self, name: str) -> bool: ...

    def get(self, name: str) -> str: ...

    def names(self, prefix: str = "") -> list[str]: ...


def keys_of(store: Secrets, cluster: str) -> Keys:
    """Raises StateError when the store cannot be read."""
    prefix, noted = key_secret(cluster, ""), state_secret(cluster)
    names = frozenset(name.removeprefix(prefix) for name in store.names(prefix))
    return read_keys(names, store.get(noted)) if store.has(noted) else Keys(names)


def secrets_of(keys: Keys, cluster: str) -> list[str]:
    """The names of all secrets that belong to them."""
    noted = [state_secret(cluster)] if keys != NO_KEYS else []
    return [*(key_secret(cluster, name) for name in sorted(keys.names)), *noted]


async def make_key(context: CallContext) -> None:
    """encryption.key: a key for a `way` of writing, unless there is one; the way is noted as begun.

    fresh: there is no data yet, so that all of it will be written in this way.
    """
    way, keys = _way(context), keys_of(context.secrets, context.cluster)
    name = key_secret(context.cluster, way.key)
    if way.key and not context.secrets.has(name):
        context.secrets.put(name, base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode())
    fresh = bool(context.arguments.get("fresh"))
    now = Keys(keys.names, way) if fresh else replace(keys, begun=tuple(dict.fromkeys((*keys.begun, way))))
    context.secrets.put(state_secret(context.cluster), now.as_json())


async def note_written(context: CallContext) -> None:
    """encryption.written: everything in etcd is written in this way now."""
    context.secrets.put(state_secret(context.cluster), Keys(written=_way(context)).as_json())


def _way(context: CallContext) -> Written:
    return read_written(cast("dict[str, Any]", context.arguments["way"]))


HANDLERS: Handlers = {"encryption.key": make_key, "encryption.written": note_written}
BY_HAND = {
    "encryption.key": "Make a key: `head -c 32 /dev/urandom | base64`, and keep it where only you can read it",
    "encryption.written": "Note that the old key is not needed any more",
}
