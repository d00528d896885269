"""One program on a simulated host: every operation checked, changed, checked again, and reported as a host would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from raijin.errors import Unsupported
from raijin.operations.base import Operation, Resolve
from raijin.operations.program import Mode, Script
from raijin.operations.report import FieldChange, Report, State
from raijin.twin.host import Entry, Host, Thing

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite

Found = list[FieldChange]
"""What of a thing is not as wanted: empty when all is."""


class Refused(Exception):
    """The operation must not be done here; nothing was changed."""


class Failed(Exception):
    """The operation could not be done. output: what its program would have printed."""

    def __init__(self, reason: str, output: str = "") -> None:
        super().__init__(reason)
        self.output = output


class Rebooting(Exception):
    """The host goes down now, and comes back."""


@dataclass
class Run:
    """What an operation's model may look at and change. touched: what would change before it, in a check."""

    site: TwinSite
    host: Host
    scope: str
    mode: Mode
    resolve: Resolve
    touched: set[str] = field(default_factory=set)
    restarted: set[str] = field(default_factory=set)
    needed: float = 0.0

    def set(self, thing: Thing, value: object | None) -> None:
        """Change a thing, with a receipt of what it was before the first time. None: it goes."""
        kept = self.host.receipts.setdefault(self.scope, {})
        kept.setdefault(thing, self.host.things.get(thing))
        self.put(thing, value)

    def put(self, thing: Thing, value: object | None) -> None:
        """The same without a receipt."""
        if value is None:
            self.host.things.pop(thing, None)
        else:
            self.host.things[thing] = value

    def write(self, path: str, content: str, mode: str = "644", owner: str = "root", group: str = "root") -> None:
        """A file, with a receipt. Its folder must exist, as for a real one."""
        folder = path.rpartition("/")[0] or "/"
        if not self.host.is_folder(folder):
            raise Failed(f"the folder {folder} does not exist")
        self.set(("path", path), Entry("file", content, mode, owner, group, self.host.tick()))

    def spend(self, seconds: float, *, disk: bool = False) -> None:
        """Time that the operation takes on this host."""
        took = seconds * (self.host.slow if disk else 1.0)
        self.needed += took
        self.host.seconds += took


async def run_program(site: TwinSite, host: Host, script: Script, timeout: float | None) -> AsyncIterator[Report]:
    """The reports of a compiled script, in the order in which a host writes them."""
    operations = [(program, operation) for program in script.programs for operation in program.operations]
    scope = script.programs[0].scope if script.programs else "none"
    run = Run(site, host, scope, script.mode, script.resolve)
    halted: State | None = None
    started = host.seconds
    for index, (_, operation) in enumerate(operations):
        if halted is None and script.mode is Mode.APPLY and script.run in host.stops:
            halted = State.CANCELLED
        if halted is not None:
            yield Report(index, halted, 0)
            continue
        if script.mode is Mode.CHECK:
            yield _checked(run, index, operation)
            continue
        await asyncio.sleep(0)
        if timeout is not None and host.seconds - started > timeout:
            yield Report(index, State.FAILED, 0, reason=f"it did not end within {timeout:g} s")
            halted = State.SKIPPED
            continue
        async for report in _applied(run, index, operation):
            yield report
            if report.state in {State.REFUSED, State.FAILED, State.REBOOTING}:
                halted = State.SKIPPED
    if script.mode is Mode.APPLY:
        host.stops.discard(script.run)


def _checked(run: Run, index: int, operation: Operation) -> Report:
    try:
        found = _check(run, operation)
    except Refused as refusal:
        return Report(index, State.REFUSED, 0, reason=str(refusal))
    if not found:
        return Report(index, State.OK, 0)
    first = next(iter(operation.arguments(run.resolve)), "")
    run.touched.add(str(first))
    return Report(index, State.WOULD_CHANGE, 0, tuple(found))


async def _applied(run: Run, index: int, operation: Operation) -> AsyncIterator[Report]:
    from raijin.twin.effects import effect_of  # noqa: PLC0415  (the models need Run)

    run.needed = 0.0
    try:
        found = _check(run, operation)
    except Refused as refusal:
        yield Report(index, State.REFUSED, 0, reason=str(refusal))
        return
    if not found:
        yield Report(index, State.OK, 0)
        return
    yield Report(index, State.STARTED, 0)
    effect = effect_of(operation)
    run.spend(effect.seconds, disk=effect.disk)
    state, reason, output = State.CHANGED, "", ""
    try:
        effect.change(run, operation)
        if left := effect.check(run, operation):
            state, reason = State.FAILED, f"still differs after the change ({left[0].field})"
    except Rebooting:
        state = State.REBOOTING
    except (Failed, Refused) as failure:
        state, reason, output = State.FAILED, str(failure), getattr(failure, "output", "")
    yield Report(index, state, round(run.needed * 1000), tuple(found), reason, output)


def _check(run: Run, operation: Operation) -> Found:
    from raijin.twin.effects import effect_of  # noqa: PLC0415

    effect = effect_of(operation)
    found: Found = effect.check(run, operation)
    return found


def unknown(what: str) -> Unsupported:
    """What the twin does not model is an error that names it: it never pretends."""
    return Unsupported(
        f"the rehearsal does not model {what}",
        remedy="try it on real machines (`raijin lab up`), or teach the twin (docs/how-to/rehearse.md)",
    )
