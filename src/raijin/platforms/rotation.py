"""The contract of those platforms whose authorities Raijin replaces while the cluster runs, beside that of all.

An authority is replaced in turns, so that at each moment everybody trusts whoever he may meet: all trust the old
one and the new one; what runs is signed anew by the new one; the old one is trusted by nobody any more. How far a
rotation is, the files of the hosts say; the new authorities wait on the control plane hosts until it has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol, cast

from raijin.operations.program import Program
from raijin.plan.model import Call, Change
from raijin.platforms import platform_of, served
from raijin.platforms.turns import Rotation, Turn

if TYPE_CHECKING:
    from raijin.model.cluster import Cluster
    from raijin.platforms.base import Context, Node


class Rotating(Protocol):
    """How the authorities of one distribution are replaced, host by host."""

    turns: tuple[Turn, ...]
    """Those that it takes, the last of which ends it."""

    def authorities(self, cluster: Cluster) -> tuple[str, ...]:
        """The names of those that can be replaced."""
        ...

    def reasons(self, context: Context) -> Iterable[str]:
        """What of its own stands against it."""
        ...

    def rotation(self, context: Context) -> Rotation:
        """The one that is in the middle; else the one that would begin now, as it was asked for."""
        ...

    def concerns(self, rotation: Rotation, node: Node, turn: Turn) -> bool:
        """Whether there is something to do about a node in this turn."""
        ...

    def has_done(self, rotation: Rotation, node: Node, turn: Turn) -> bool:
        """Whether the files of a host are those of this turn, or of a later one."""
        ...

    def make(self, context: Context, rotation: Rotation) -> Call:
        """The new authorities, and the texts of all turns; to the secret store."""
        ...

    def readmit(self, context: Context, node: Node, turn: Turn) -> Call | None:
        """Before a turn: what lets the agent of a node in anew, from where the new authority is; None: nothing."""
        ...

    def discard(self, context: Context, node: Node, turn: Turn) -> Call | None:
        """Forget what `readmit` made."""
        ...

    def turned(self, context: Context, rotation: Rotation, node: Node, turn: Turn) -> Program:
        """One node through one turn, what runs on it having taken that up. Safe to be run again."""
        ...

    def changes(self, rotation: Rotation, node: Node, turn: Turn) -> Sequence[Change]:
        """What of a node a turn changes, for people."""
        ...

    def is_estranged(self, context: Context, node: Node) -> bool:
        """Whether a worker trusts somebody else than the authority of the snapshot that is restored."""
        ...

    def reconciled(self, context: Context, node: Node) -> Program:
        """A worker trusts the authority of the snapshot, and is let in by it."""
        ...

    def publish(self, context: Context, rotation: Rotation, turn: Turn) -> Call | None:
        """What the cluster itself tells of its authorities, and the wait until it does; None: nobody waits for it."""
        ...

    def tells_pods(self, rotation: Rotation) -> bool:
        """Whether one of these authorities is what pods know the API by."""
        ...

    def restart(self, context: Context, mark: str) -> Call:
        """Start workloads anew that read the authorities at their start only, those that do not bear the mark."""
        ...

    def tidy(self, context: Context, rotation: Rotation, node: Node) -> Program:
        """Nothing of the rotation is left on a host."""
        ...


def rotating(cluster: Cluster) -> Rotating | None:
    """None where authorities are not replaced host by host."""
    return cast("Rotating | None", getattr(platform_of(cluster), "rotating", None)) if served(cluster.type) else None


def in_the_middle(context: Context) -> Rotation | None:
    """The rotation that was begun and has not ended, as far as hosts that can be reached tell."""
    ways = rotating(context.cluster)
    if ways is None or not context.started:
        return None
    found = ways.rotation(context)
    return found if found.begun and not found.over else None
