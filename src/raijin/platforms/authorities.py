"""What this RAIJIN_HOME keeps of a rotation of authorities: the new ones, and the texts of its turns."""

from __future__ import annotations

from collections.abc import Mapping

from raijin.facts import x509
from raijin.plan.handlers import CallContext, Handlers
from raijin.platforms.keys import Secrets
from raijin.platforms.turns import authority_secret, kept_under
from raijin.transport.base import Connection
from raijin.transport.quoting import word


def kept_of(store: Secrets, cluster: str) -> dict[str, Mapping[str, str]]:
    """By the id of each rotation, the identifiers of the new keys by authority; of those that are kept whole.

    Raises StateError when the store cannot be read, and ValueError for what is no certificate.
    """
    prefix, found = kept_under(cluster), dict[str, dict[str, str]]()
    for name in store.names(prefix):
        rotation, authority, part = name.removeprefix(prefix).split("/")
        if part == "new" and store.has(authority_secret(cluster, rotation, authority, "key")):
            first = next(x509.blocks(store.get(name)))
            found.setdefault(rotation, {})[authority] = x509.read(first).key
    return {rotation: keys for rotation, keys in found.items() if {*keys} == {*rotation.split(".")[:-1]}}


async def has_files(connection: Connection, *paths: str) -> bool:
    """Whether a host has all of these. Raises HostError."""
    tests = " && ".join(f"[ -e {word(path)} ]" for path in paths)
    return (await connection.run(f"{tests}\n", timeout=60)).status == 0


def forget_others(context: CallContext, rotation: str) -> None:
    """What is kept of a rotation that never reached a host, or that has ended."""
    mine = f"{kept_under(context.cluster)}{rotation}/"
    for name in context.secrets.names(kept_under(context.cluster)):
        if not name.startswith(mine):
            context.secrets.delete(name)


async def forget(context: CallContext) -> None:
    """authorities.forget: nothing of any rotation of the cluster is kept here any more."""
    for name in context.secrets.names(kept_under(context.cluster)):
        context.secrets.delete(name)


HANDLERS: Handlers = {"authorities.forget": forget}
BY_HAND = {"authorities.forget": "Delete your copies of the new authorities and of their keys"}
