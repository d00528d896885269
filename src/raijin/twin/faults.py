"""What may go wrong in a rehearsal, when it is asked for: `--fault KIND=NODE[@STAGE]`.

dead-host=NODE[@STAGE]            it goes dark in the middle of its STAGE; without one, before anything is looked at
lost-link=NODE[@STAGE][:SECONDS]  its program goes on, and nobody hears it, for that long (20 s)
slow-disk=NODE                    everything that it writes takes twenty times as long
failed-drain=NODE                 the disruption budgets of its pods forbid to move them
kill@STAGE                        Raijin itself is killed in the middle of a STAGE, and the run resumed
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from raijin.errors import UsageError

LINK_SECONDS = 20.0
SLOW = 20.0


class FaultKind(StrEnum):
    DEAD_HOST = "dead-host"
    LOST_LINK = "lost-link"
    SLOW_DISK = "slow-disk"
    FAILED_DRAIN = "failed-drain"
    KILL = "kill"


@dataclass
class Fault:
    """node and stage: empty for any. struck: it has happened."""

    kind: FaultKind
    node: str = ""
    stage: str = ""
    seconds: float = LINK_SECONDS
    struck: bool = False

    def __str__(self) -> str:
        text = str(self.kind) + (f"={self.node}" if self.node else "") + (f"@{self.stage}" if self.stage else "")
        return f"{text}:{self.seconds:g}" if self.kind is FaultKind.LOST_LINK else text

    def meets(self, stage: str, target: str) -> bool:
        """Whether a step of this stage on this target is the place; `upgrade` is also `upgrade@v1.34.2`."""
        here = not self.stage or stage == self.stage or stage.partition("@")[0] == self.stage
        return here and self.node in {"", target}


_FORM = re.compile(
    r"(?P<kind>[a-z-]+)(?:=(?P<node>[a-z0-9.-]+))?(?:@(?P<stage>[a-z0-9@.-]+?))?(?::(?P<seconds>\d+(?:\.\d+)?))?"
)
_REMEDY = "dead-host=NODE[@STAGE], slow-disk=NODE, lost-link=NODE[@STAGE][:SECONDS], failed-drain=NODE or kill@STAGE"


def parse_fault(text: str) -> Fault:
    """Raises UsageError for what is no fault."""
    found = _FORM.fullmatch(text)
    if found is None or found["kind"] not in set(FaultKind):
        raise UsageError(f"{text!r} is not a fault that can be rehearsed", remedy=f"write {_REMEDY}")
    fault = Fault(FaultKind(found["kind"]), found["node"] or "", found["stage"] or "")
    if found["seconds"]:
        fault.seconds = float(found["seconds"])
    staged = fault.kind in {FaultKind.DEAD_HOST, FaultKind.LOST_LINK, FaultKind.KILL}
    right = bool(fault.stage) if fault.kind is FaultKind.KILL else bool(fault.node)
    timed = not found["seconds"] or fault.kind is FaultKind.LOST_LINK
    if not right or not timed or (fault.stage and not staged) or (fault.kind is FaultKind.KILL and fault.node):
        raise UsageError(f"{text!r} is not written as this fault is", remedy=f"write {_REMEDY}")
    return fault
