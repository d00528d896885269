"""Encryption at rest: which keys there are, what data is written with now, and the file that API servers read.

After "Encrypting Confidential Data at Rest" of kubernetes.io. Whatever changes, every API server can read what every
other one writes, at each moment: first all learn to read the new way, then all write in it, then everything is written
anew, then the old way is forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import yaml

from raijin.model.apiserver import Encryption
from raijin.operations.base import SecretRef

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Written:
    """How data in etcd is written: with which key (empty: as it is), and what of it."""

    key: str = ""
    provider: str = ""
    resources: tuple[str, ...] = ()

    def as_json(self) -> str:
        return json.dumps({"key": self.key, "provider": self.provider, "resources": list(self.resources)})


PLAIN = Written()
OFF = Written(resources=("secrets",))
"""What the file says when nothing is encrypted any more: an empty one is refused by the API server."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What this RAIJIN_HOME knows: the names of the keys that it has, and how data was written at last."""

    names: frozenset[str] = frozenset()
    written: Written = PLAIN


NO_KEYS = Keys()


def at_rest(wanted: Written) -> tuple[Written, ...]:
    """The order of ways where nothing is on its way to another one."""
    return (wanted if wanted.key else OFF,)


def wanted_of(encryption: Encryption | None) -> Written:
    """How the definition wants data to be written."""
    if encryption is None:
        return PLAIN
    return Written(encryption.key, encryption.provider.value.lower(), tuple(sorted(encryption.resources)))


def read_written(text: str) -> Written:
    data = json.loads(text)
    return Written(str(data["key"]), str(data["provider"]), tuple(map(str, data["resources"])))


def key_secret(cluster: str, key: str) -> str:
    """The name under which a key (32 bytes in base64) is kept."""
    return f"cluster/{cluster}/encryption/key/{key}"


def written_secret(cluster: str) -> str:
    """The name under which it is kept how data was written at last. No secret, but it belongs to the keys."""
    return f"cluster/{cluster}/encryption/written"


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


def read_configuration(text: str) -> tuple[Mapping[str, str], Written]:
    """The keys in an EncryptionConfiguration (base64, by name), and how data is written by it.

    Raises ValueError for what is none.
    """
    keys: dict[str, str] = {}
    first: dict[str, tuple[str, str]] = {}
    try:
        for entry in yaml.safe_load(text)["resources"]:
            ways = [
                (kind, (about or {}).get("keys", ())) for item in entry["providers"] for kind, about in item.items()
            ]
            keys |= {str(key["name"]): str(key["secret"]) for _, found in ways for key in found}
            kind, found = ways[0]
            first |= {str(name): (kind, str(found[0]["name"])) for name in entry["resources"] if found}
    except (yaml.YAMLError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"no EncryptionConfiguration: {type(error).__name__}") from error
    if not first:
        return keys, PLAIN
    kind, key = next(iter(first.values()))
    return keys, Written(key, kind, tuple(sorted(name for name, way in first.items() if way == (kind, key))))
