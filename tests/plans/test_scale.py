"""What a plan costs grows with the hosts, not with their square. Calls are counted: they do not depend on the box."""

from __future__ import annotations

import io
import sys
from types import FrameType

from raijin.definition.load import load
from raijin.lifecycle.preflight import preflight

FEW, MANY = 16, 64


def text(workers: int) -> str:
    names = [f"w{n}" for n in range(workers)]
    hosts = "\n".join(f"  - {{name: {name}, address: 192.0.2.{n + 2}}}" for n, name in enumerate(names))
    return f"""
kind: Site
hosts:
  - {{name: n1, address: 192.0.2.1}}
{hosts}
---
kind: Cluster
name: big
type: VANILLA
version: v1.34.2
nodeGroups:
  - {{name: control-plane, role: CONTROL_PLANE, hosts: [n1]}}
  - {{name: workers, role: WORKER, hosts: [{", ".join(names)}]}}
"""


def calls(work) -> int:
    """How many Python functions it calls, generators' steps included."""
    count = 0

    def counting(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        del frame
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(counting)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def test_planning_is_linear(world) -> None:
    """The first plan, and the one that finds nothing to do; the digest and the judgement of the preflight too."""
    cost: dict[str, list[int]] = {"first": [], "again": []}
    for workers in (FEW, MANY):
        made = world("minimal")
        made.definition = load(io.StringIO(text(workers)), {})
        cost["first"].append(calls(lambda: (made.plan().digest, preflight(made.context()))))  # noqa: B023
        after = made.carry_out(made.plan())
        cost["again"].append(calls(lambda: (after.plan().digest, preflight(after.context()))))  # noqa: B023
        assert after.plan().empty
    for kind, (few, many) in cost.items():
        assert many / few < 1.1 * MANY / FEW, (kind, few, many)
