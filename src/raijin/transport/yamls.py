"""YAML as programs write it (kubeconfigs, kubeadm's files, lock files), read by the fast loader where there is one.

Definitions that people write are read by `definition/tree.py`, which keeps positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader in C is ten times as fast, and makes plain values only, as the other does."""
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def read_yaml(text: str | bytes) -> Any:
    """One document. Raises yaml.YAMLError."""
    return yaml.load(text, Loader=_LOADER)  # noqa: S506  (a safe loader, see above)


def write_yaml(document: Any) -> str:
    """One document, for programs: by the writer in C, which folds long lines in other places than the other does."""
    return str(yaml.dump(document, Dumper=_DUMPER, sort_keys=False))


def read_yamls(text: str | bytes) -> Iterator[Any]:
    """Every document of a text. Raises yaml.YAMLError."""
    return iter(yaml.load_all(text, Loader=_LOADER))
