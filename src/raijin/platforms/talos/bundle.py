"""The secrets of a Talos cluster: kept as the bundle that `talosctl gen secrets` makes, never in a plan.

A machine configuration in a plan has a word in the place of each secret, and so has the live one before it is compared.
They are put in when the configuration is sent. Fields of the bundle: `talosctl gen secrets` of v1.12.0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from raijin.errors import StateError
from raijin.observe.masking import MASKER

Document = dict[str, Any]

# The path in a machine configuration, and in the bundle. Certificates are no secrets, but they come from it too.
_OF_ALL = {
    "machine.token": "trustdinfo.token",
    "machine.ca.crt": "certs.os.crt",
    "cluster.id": "cluster.id",
    "cluster.secret": "cluster.secret",
    "cluster.token": "secrets.bootstraptoken",
    "cluster.ca.crt": "certs.k8s.crt",
}
_OF_CONTROL_PLANES = {
    "machine.ca.key": "certs.os.key",
    "cluster.secretboxEncryptionSecret": "secrets.secretboxencryptionsecret",
    "cluster.ca.key": "certs.k8s.key",
    "cluster.aggregatorCA.crt": "certs.k8saggregator.crt",
    "cluster.aggregatorCA.key": "certs.k8saggregator.key",
    "cluster.serviceAccount.key": "certs.k8sserviceaccount.key",
    "cluster.etcd.ca.crt": "certs.etcd.crt",
    "cluster.etcd.ca.key": "certs.etcd.key",
}
_MARK = "(kept) "


def bundle_secret(cluster: str) -> str:
    """The name under which the bundle is kept. It outlives every machine; it goes by hand, or with RAIJIN_HOME."""
    return f"cluster/{cluster}/talos"


def places(*, control_plane: bool) -> Mapping[str, str]:
    return _OF_ALL | _OF_CONTROL_PLANES if control_plane else _OF_ALL


def marked(document: Document, *, control_plane: bool) -> Document:
    """A machine configuration with a word in the place of each secret of the cluster, whatever was there."""
    result = document
    for path, source in places(control_plane=control_plane).items():
        result = _with(result, path.split("."), _MARK + source)
    return result


def filled(documents: Sequence[Document], bundle: str) -> list[Document]:
    """The secrets put in. Raises StateError when the bundle has not what is asked for."""
    content = yaml.safe_load(bundle)
    return [_filled(document, content) for document in documents]


def mask(bundle: str) -> None:
    """Nothing of it is printed from now on."""
    for text in _texts(yaml.safe_load(bundle)):
        if len(text) >= 16:
            MASKER.add(text)


def _with(document: Document, path: Sequence[str], value: str) -> Document:
    key, *rest = path
    inner = document.get(key)
    below = _with(inner if isinstance(inner, dict) else {}, rest, value) if rest else value
    return {**document, key: below}


def _filled(value: Any, content: Any) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, content) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, content) for inner in value]
    if not isinstance(value, str) or not value.startswith(_MARK):
        return value
    found: Any = content
    for key in value.removeprefix(_MARK).split("."):
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, str):
        raise StateError(
            f"the kept secrets of the cluster have no {value.removeprefix(_MARK)}", remedy="restore them from a backup"
        )
    return found


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    return [value] if isinstance(value, str) else []
