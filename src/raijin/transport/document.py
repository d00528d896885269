"""Objects of the Kubernetes API as plain mappings, and what people call them.

Apart from kube.py, because whoever only compares documents need not wait for the client to be imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = dict[str, Any]
FIELD_MANAGER = "raijin"
"""Whose fields are which, the server keeps by this name."""


def describe(document: Mapping[str, Any]) -> str:
    """`DaemonSet kube-flannel/kube-flannel-ds`, for people."""
    metadata = document["metadata"]
    place = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{document['kind']} {place}{metadata['name']}"


def is_custom(api_version: str) -> bool:
    """Whether a kind of this group is defined by a CustomResourceDefinition; Kubernetes' own groups are short."""
    group, slash, _ = api_version.partition("/")
    return bool(slash) and "." in group and not group.endswith(".k8s.io")


def plural_of(kind: str) -> str:
    """The plural that controller-gen gives a kind: `ippools`, `networkpolicies`, `ingressclasses`."""
    word = kind.lower()
    if word.endswith("y") and word[-2] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"
