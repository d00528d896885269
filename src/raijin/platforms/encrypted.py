"""Encryption at rest: which keys there are, what data is written with now, and the file that API servers read.

After "Encrypting Confidential Data at Rest" of kubernetes.io. Whatever changes, every API server can read what every
other one writes, at each moment: first all learn to read the new way, then all write in it, then everything is written
anew, then the old way is forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from raijin.model.apiserver import Encryption
from raijin.operations.base import SecretRef
from raijin.plan.model import Json

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Written:
    """How data in etcd is written: with which key (empty: as it is), and what of it."""

    key: str = ""
    provider: str = ""
    resources: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Json]:
        return {"key": self.key, "provider": self.provider, "resources": list(self.resources)}


PLAIN = Written()
OFF = Written(resources=("secrets",))
"""What the file says when nothing is encrypted any more: an empty one is refused by the API server."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What this RAIJIN_HOME knows: the names of the keys that it has, and how everything was written at last.

    begun: ways that were begun since then, in turns that have not ended: some data may be written in each of them.
    """

    names: frozenset[str] = frozenset()
    written: Written = PLAIN
    begun: tuple[Written, ...] = ()

    @property
    def found(self) -> tuple[Written, ...]:
        """Every way in which there may be data."""
        return (self.written, *self.begun)

    def as_json(self) -> str:
        return json.dumps({"written": self.written.as_data(), "begun": [way.as_data() for way in self.begun]})


NO_KEYS = Keys()


def at_rest(wanted: Written) -> tuple[Written, ...]:
    """The order of ways where nothing is on its way to another one."""
    return (wanted if wanted.key else OFF,)


def wanted_of(encryption: Encryption | None) -> Written:
    """How the definition wants data to be written."""
    if encryption is None:
        return PLAIN
    return Written(encryption.key, encryption.provider.value.lower(), tuple(sorted(encryption.resources)))


def read_keys(names: Iterable[str], text: str) -> Keys:
    """The reverse of `as_json`, for the keys that are there."""
    data = json.loads(text)
    return Keys(frozenset(names), read_written(data["written"]), tuple(map(read_written, data["begun"])))


def read_written(data: Mapping[str, Any]) -> Written:
    return Written(str(data["key"]), str(data["provider"]), tuple(map(str, data["resources"])))


def key_secret(cluster: str, key: str) -> str:
    """The name under which a key (32 bytes in base64) is kept."""
    return f"cluster/{cluster}/encryption/key/{key}"


def state_secret(cluster: str) -> str:
    """The name under which it is kept how data is written. No secret, but it belongs to the keys."""
    return f"cluster/{cluster}/encryption/state"


def configuration(cluster: str, *order: Written) -> tuple[str, Mapping[str, object]]:
    """EncryptionConfiguration as a template, and the values of the keys in it.

    order: the ways to read data, the first of them to write it; as it is (identity) can always be read.
    """
    values: dict[str, object] = {}
    resources = sorted({name for way in order for name in way.resources})
    document = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [
            {"resources": [name], "providers": list(_providers(cluster, name, (*order, PLAIN), values))}
            for name in resources
        ],
    }
    return yaml.safe_dump(document, sort_keys=False), values


def _providers(
    cluster: str, resource: str, order: Iterable[Written], values: dict[str, object]
) -> Iterable[dict[str, object]]:
    said: set[tuple[str, ...]] = set()
    for way in order:
        known = (way.provider, way.key) if way.key and resource in way.resources else ()
        if known in said:
            continue
        said.add(known)
        if not known:
            yield {"identity": {}}
            continue
        name = f"key_{way.key.replace('-', '_')}"
        values[name] = SecretRef(key_secret(cluster, way.key))
        yield {way.provider: {"keys": [{"name": way.key, "secret": f"{{{{ {name} }}}}"}]}}


def read_configuration(text: str) -> tuple[Mapping[str, str], tuple[Written, ...]]:
    """The keys in an EncryptionConfiguration (base64, by name), and every way in which data may be written by it.

    The first is the one that it writes with. Raises ValueError for what is no such configuration.
    """
    keys: dict[str, str] = {}
    ways: dict[tuple[str, str], set[str]] = {}
    writes: list[tuple[str, str]] = []
    try:
        for entry in yaml.safe_load(text)["resources"]:
            providers = [(kind, (about or {}).get("keys", ())) for p in entry["providers"] for kind, about in p.items()]
            named = [(kind, key) for kind, found in providers for key in found]
            keys |= {str(key["name"]): str(key["secret"]) for _, key in named}
            for kind, key in named:
                ways.setdefault((kind, str(key["name"])), set()).update(map(str, entry["resources"]))
            writes += [(providers[0][0], str(key["name"])) for key in providers[0][1][:1]]
    except (yaml.YAMLError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"no EncryptionConfiguration: {type(error).__name__}") from error
    found = {way: Written(way[1], way[0], tuple(sorted(ways[way]))) for way in (*writes, *ways)}
    return keys, tuple(found.values()) if writes else (PLAIN, *found.values())
