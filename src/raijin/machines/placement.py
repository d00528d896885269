"""On which hypervisor a machine is put. Pure."""

from __future__ import annotations

from raijin.model.node_group import AntiAffinity, NodeGroup, Placement


def hypervisor(placement: Placement | None, number: int) -> str:
    """That of the n-th machine of a group (from 1): those that it may be on in turn, empty where nobody says.

    The same number always has the same one, so that machines that come later move none that is there.
    """
    allowed = _allowed(placement)
    return allowed[(number - 1) % len(allowed)] if allowed else ""


def crowded(group: NodeGroup) -> str:
    """Why the machines of a group cannot be placed as it says; empty when they can."""
    allowed = _allowed(group.placement)
    hard = group.placement is not None and group.placement.anti_affinity is AntiAffinity.HARD
    if hard and allowed and group.size > len(allowed):
        return f"HARD never takes two on one hypervisor: {group.size} machines, and {', '.join(allowed)}"
    return ""


def _allowed(placement: Placement | None) -> tuple[str, ...]:
    if placement is None:
        return ()
    if not placement.target_nodes:
        return placement.preferred_nodes
    preferred = [name for name in placement.preferred_nodes if name in placement.target_nodes]
    return tuple(dict.fromkeys([*preferred, *placement.target_nodes]))
