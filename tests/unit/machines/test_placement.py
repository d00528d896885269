"""Which hypervisor a machine is put on: in turn, always the same, and never what is not allowed."""

from __future__ import annotations

import pytest

from raijin.machines.placement import crowded, hypervisor
from raijin.model.node_group import NodeGroup, Placement


@pytest.mark.parametrize(
    ("placement", "placed"),
    [
        (None, ["", "", ""]),
        ({}, ["", "", ""]),
        ({"preferredNodes": ["hv5", "hv6"]}, ["hv5", "hv6", "hv5"]),
        ({"targetNodes": ["storage01"]}, ["storage01", "storage01", "storage01"]),
        ({"targetNodes": ["a", "b"], "preferredNodes": ["b", "c"]}, ["b", "a", "b"]),
    ],
)
def test_machines_take_turns(placement: dict[str, object] | None, placed: list[str]) -> None:
    wanted = None if placement is None else Placement.model_validate(placement)
    assert [hypervisor(wanted, number) for number in (1, 2, 3)] == placed


@pytest.mark.parametrize(
    ("count", "placement", "reason"),
    [
        (2, {"preferredNodes": ["a", "b"], "antiAffinity": "HARD"}, ""),
        (3, {"preferredNodes": ["a", "b"], "antiAffinity": "HARD"}, "3 machines, and a, b"),
        (3, {"preferredNodes": ["a", "b"], "antiAffinity": "SOFT"}, ""),
        (3, {"antiAffinity": "HARD"}, ""),
    ],
)
def test_hard_means_never(count: int, placement: dict[str, object], reason: str) -> None:
    group = NodeGroup.model_validate({"name": "g", "role": "WORKER", "count": count, "placement": placement})
    assert reason in crowded(group)
    assert bool(reason) == bool(crowded(group))
