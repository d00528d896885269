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

_NODE: dict[str, Any] = {
    "name": "n2",
    "takes_pods": True,
    "cpu": {"used": 1.2, "requested": 2.5, "size": 4.0},
    "memory": {"used": 5.1e9, "requested": 6.4e9, "size": 16.6e9},
    "pods": {"used": 31, "size": 110},
}

UTILISATION: Any = {
    "cluster": "edge",
    "at": 1795800000.0,
    "asked": 1795800000.0,
    "source": "metrics.k8s.io",
    "faults": ["n3: metrics.k8s.io tells nothing of it"],
    "total": {"nodes": 1, **{name: _NODE[name] for name in ("cpu", "memory", "pods")}},
    "nodes": [_NODE],
    "pods": [
        {
            "namespace": "kube-system", "pod": "coredns-7c65d6cfc9-x2x8q", "node": "n2", "at": 1795800000.0,
            "cpu_used": 0.004, "cpu_requested": 0.1, "memory_used": 2.1e7, "memory_requested": 7.3e7,
        }
    ],
    "history": [
        {
            "at": 1795799700.0, "seconds": 0.0, "cpu_used": 1.1, "cpu_size": 4.0, "cpu_requested": 2.5,
            "memory_used": 5.0e9, "memory_size": 16.6e9, "memory_requested": 6.4e9, "pods": 31, "pods_size": 110,
        }
    ],
}  # fmt: skip

CAPACITY: Any = {
    "cluster": "edge",
    "at": 1795800000.0,
    "nodes": 3,
    "hours": 168.0,
    "resources": [
        {
            "resource": "cpu", "unit": "cores", "allocatable": 16.0, "largest_node": "n4", "largest": 8.0,
            "limit": 8.0, "requested": 9.5, "used": 3.1, "p95": 3.4, "headroom": -1.5, "trend_per_day": 0.12,
            "trend_days": 7, "days_until_full": 40.8,
            "arithmetic": [
                "allocatable: 8.00 + 2 x 4.00 = 16.00 cores",
                "after the loss of the largest node (n4): 16.00 - 8.00 = 8.00 cores",
                "requested by pods: 9.50 cores (59% of allocatable)",
                "headroom by requests: 8.00 - 9.50 = -1.50 cores",
            ],
        }
    ],
    "recommendations": [
        {
            "check": "capacity", "subject": "cpu", "grade": "warning",
            "text": "when n4 is lost, 1.50 cores of cpu are missing for its pods",
            "remedy": "add 1 worker of 4.00 cores, or lower requests",
            "arithmetic": ["workers to add: 1.50 / 4.00 = 1, rounded up"],
        }
    ],
}  # fmt: skip
