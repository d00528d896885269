"""What a lifecycle stage asks for, before the planner has compared it with what is there."""

from __future__ import annotations

from dataclasses import dataclass

from raijin.operations.program import Program
from raijin.plan.model import Call, Change, Disruption, Retry


@dataclass(frozen=True, slots=True)
class Draft:
    """A step that may turn out to be unnecessary.

    A program is kept when a check on the host reports that something would change; a call is kept when it carries
    `changes`, or when it `follows` and one of the drafts that it needs is kept (waiting for what was just started), or
    when it goes `ahead` and a draft that needs it is kept (fetching what that one cannot do without).
    needs: keys `stage/target` of other drafts; `stage/*` means all of that stage. cleanup: it puts in order what its
    needs began, so it runs whether they ended well or not. forced: a program that is kept whatever the check says now,
    because steps before it will have changed that when its turn comes.
    """

    stage: str
    target: str
    title: str
    action: Program | Call
    needs: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    follows: bool = False
    ahead: bool = False
    disruption: Disruption = Disruption.NONE
    retry: Retry = Retry.TRANSIENT
    timeout: float = 600.0
    estimate: float = 1.0
    renewed: bool = False
    cleanup: bool = False
    forced: bool = False

    @property
    def key(self) -> str:
        return f"{self.stage}/{self.target}"
