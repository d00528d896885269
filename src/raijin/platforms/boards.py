"""Raspberry Pi and its like: what their systems lack for a node. After docs.k3s.io, "Requirements", Raspberry Pi."""

from __future__ import annotations

from collections.abc import Iterable

from raijin.facts.board import Board
from raijin.facts.os import OperatingSystem
from raijin.operations.base import Operation
from raijin.operations.kernelarguments import KernelArguments
from raijin.operations.package import Package
from raijin.operations.reboot import Reboot
from raijin.platforms.base import Context, Node

ARGUMENTS = ("cgroup_memory=1", "cgroup_enable=memory")
MODULES_PACKAGE = "linux-modules-extra-raspi"
# Of Ubuntu, between these the kernel for Raspberry Pi has vxlan in a package of its own.
_APART = ((21, 10), (23, 10))
# Without control groups of memory no kubelet runs: so no node is ever started again by this while it is one.
_OFF = (
    "if [ -r /sys/fs/cgroup/cgroup.controllers ]; then ! grep -qw memory /sys/fs/cgroup/cgroup.controllers; "
    "else ! grep -qE '^memory([[:space:]]+[0-9]+){2}[[:space:]]+1' /proc/cgroups; fi"
)


def board(node: Node, *, vxlan: bool) -> tuple[Operation, ...]:
    """What the operating system of a board is given; nothing on any other machine. vxlan: the network needs it."""
    found = board_of(node)
    if found is None:
        return ()
    operations: list[Operation] = []
    if vxlan and _lacks_vxlan(node):
        operations.append(Package((MODULES_PACKAGE,)))
    # A kernel that has them without being told needs no words.
    if found.cmdline and (found.told or not found.memory):
        operations.append(KernelArguments(found.cmdline, ARGUMENTS))
        operations.append(Reboot(("sh", "-c", _OFF), flag=""))
    return tuple(operations)


def reasons(context: Context) -> Iterable[str]:
    """Hosts on which no kubelet could run, and that nothing here can mend."""
    for node in context.reachable:
        found = board_of(node)
        if found is None or found.memory:
            continue
        if found.told:
            yield f"{node.name}: its kernel has no control groups of memory, although it is told to: install another"
        elif not found.cmdline:
            words = " ".join(ARGUMENTS)
            yield f"{node.name}: control groups of memory are off: start it with `{words}` on the kernel's command line"


def board_of(node: Node) -> Board | None:
    """What is known of how the host boots; None when that is not known."""
    found = node.facts.facts.board if node.facts else None
    return found if isinstance(found, Board) else None


def _lacks_vxlan(node: Node) -> bool:
    facts = node.facts.facts if node.facts else None
    system, model = getattr(facts, "os", None), str(getattr(getattr(facts, "hardware", None), "board", ""))
    if not isinstance(system, OperatingSystem) or system.id != "ubuntu" or not model.startswith("Raspberry Pi"):
        return False
    numbers = tuple(int(part) for part in system.version.split(".") if part.isdigit())
    return _APART[0] <= numbers <= _APART[1]
