"""Small plans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from raijin.operations.base import SecretRef
from raijin.operations.file import File
from raijin.operations.program import Program
from raijin.operations.report import FieldChange, Report, State
from raijin.plan.build import build
from raijin.plan.draft import Draft
from raijin.plan.model import Call, Change, Disruption, Json, Plan, Retry


def program(name: str = "prepare", *, content: str = "a\nb\nc\n") -> Program:
    return Program(name, "lab", (File("/etc/one", content), File("/etc/two", SecretRef("token"))))


def changed(index: int = 0, before: str = "a\nold\nc\n", after: str = "a\nb\nc\n") -> Report:
    return Report(index, State.WOULD_CHANGE, 1, (FieldChange("content", before, after),))


def drafts(content: str = "a\nb\nc\n") -> list[Draft]:
    shared = program(content=content)
    documents: list[Json] = [{"kind": "DaemonSet", "metadata": {"name": "net"}}]
    network = Call("kube.apply", {"documents": documents, "port": 6443})
    there = Change("DaemonSet net", "state", "absent", "applied")
    moved = Change("node gamma", "pods", "running", "moved")
    drain = Draft("drain", "gamma", "move the pods away", Call("kube.drain", {}), ("network/lab",), (moved,))
    return [
        Draft("prepare", "alpha", "prepare the system", shared, estimate=15),
        Draft("prepare", "beta", "prepare the system", shared, estimate=15),
        Draft("network", "lab", "install the network", network, ("prepare/*",), (there,)),
        replace(drain, disruption=Disruption.DRAIN, retry=Retry.NEVER),
        Draft("ready", "alpha", "wait for it", Call("kube.wait-node", {}), ("network/lab",), follows=True, timeout=9),
    ]


@pytest.fixture
def example() -> Callable[..., Plan]:
    def make(content: str = "a\nb\nc\n", before: str = "a\nold\nc\n", **more: object) -> Plan:
        reports = {f"prepare/{host}": [changed(before=before, after=content)] for host in ("alpha", "beta")}
        values: dict[str, object] = {"notes": ("mind the gap",), "definition": "d1", "sources": ("/srv/lab.yaml",)}
        return build("apply", "lab", drafts(content), reports, **{**values, **more})  # type: ignore[arg-type]

    return make
