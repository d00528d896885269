"""Objects of the Kubernetes API as plain mappings, and what people call them.

Apart from kube.py, because whoever only compares documents need not wait for the client to be imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = dict[str, Any]


def describe(document: Mapping[str, Any]) -> str:
    """`DaemonSet kube-flannel/kube-flannel-ds`, for people."""
    metadata = document["metadata"]
    place = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{document['kind']} {place}{metadata['name']}"
