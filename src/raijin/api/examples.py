"""Examples in the OpenAPI document."""

from __future__ import annotations

from typing import Any

_EDGE: dict[str, Any] = {
    "name": "edge",
    "type": "VANILLA",
    "version": "v1.34.2",
    "nodeGroups": [
        {"name": "control-plane", "role": "CONTROL_PLANE", "hosts": ["n1"]},
        {"name": "workers", "role": "WORKER", "hosts": ["n2", "n3"]},
    ],
}

PROVISION: Any = {
    "existing-hosts": {"summary": "A cluster on hosts of a Site in the store", "value": _EDGE},
    "with-a-backup": {
        "summary": "... with a place for its backups",
        "value": {**_EDGE, "backup": {"targets": [{"name": "nas", "folder": "/srv/backups"}]}},
    },
}
