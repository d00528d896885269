"""From what a platform does about a node to a draft of the plan."""

from __future__ import annotations

from typing import Any

from raijin.plan.draft import Draft
from raijin.plan.model import Change
from raijin.platforms.base import Action, Work


def drafted(
    stage: str, target: str, title: str, action: Action, *, changes: tuple[Change, ...] = (), **more: Any
) -> Draft:
    """By a program on the host, or by a call from here. more: the other fields of the draft."""
    if isinstance(action, Work):
        if action.seconds:
            more["timeout"] = max(float(more.get("timeout", 0.0)), action.seconds)
        return Draft(stage, target, title, action.call, changes=(*action.changes, *changes), **more)
    return Draft(stage, target, title, action, changes=changes, **more)
