"""What the operations of the way back do to a simulated host, and waiting and commands."""

from __future__ import annotations

from raijin.facts.raijin import STATE_FOLDER
from raijin.operations.chains import ChainsAbsent
from raijin.operations.command import FIRST_BOOT, Command
from raijin.operations.containers import ContainersAbsent
from raijin.operations.forget import Forget
from raijin.operations.link import LinkAbsent
from raijin.operations.program import Mode
from raijin.operations.report import FieldChange
from raijin.operations.restore import Restore
from raijin.operations.routes import RoutesAbsent
from raijin.operations.wait import Wait
from raijin.twin.commands import perform, succeeds
from raijin.twin.host import OWNER, STAMPS, Entry
from raijin.twin.run import Failed, Found, Run

PEOPLE_SECONDS = 5.0


def check_command(run: Run, wanted: Command) -> Found:
    if wanted.creates and run.host.exists(wanted.creates):
        return []
    marker = run.host.entry(f"{STAMPS}/command:{wanted.marker}") if wanted.marker else None
    if marker is not None and marker.content == wanted.value:
        return []
    if wanted.unless and succeeds(run.site, run.host, wanted.unless):
        return []
    if wanted.only_if and not succeeds(run.site, run.host, wanted.only_if):
        return []
    return [FieldChange("done", "no", "yes")]


def change_command(run: Run, wanted: Command) -> None:
    argv = tuple(run.resolve(word) if not isinstance(word, str) else word for word in wanted.argv)
    # Of a command of people, a rehearsal takes it that it ends well.
    seconds = PEOPLE_SECONDS if wanted.marker.startswith(FIRST_BOOT) else perform(run.site, run.host, argv)
    run.spend(seconds, disk=True)
    if run.needed > wanted.timeout:
        raise Failed(f"it did not end within {wanted.timeout} s")
    if wanted.marker:
        run.host.write(f"{STAMPS}/command:{wanted.marker}", wanted.value)


def check_wait(run: Run, wanted: Wait) -> Found:
    if wanted.after and run.mode is Mode.CHECK:
        return []
    path = not wanted.path or run.host.exists(wanted.path)
    port = not wanted.port or run.site.listens(run.host, wanted.address, wanted.port)
    program = not wanted.argv or succeeds(run.site, run.host, wanted.argv)
    return [] if path and port and program else [FieldChange(wanted.title, "not yet", "yes")]


def change_wait(run: Run, wanted: Wait) -> None:
    """What a simulated host does is done at once: what is not so now will not be."""
    run.spend(wanted.timeout)
    raise Failed(f"waited {wanted.timeout} s for: {wanted.title}")


def check_containers(run: Run, wanted: ContainersAbsent) -> Found:
    del wanted
    return [FieldChange("containers", "shims run", "none")] if ("containers", "") in run.host.things else []


def change_containers(run: Run, wanted: ContainersAbsent) -> None:
    del wanted
    run.put(("containers", ""), None)


def check_link(run: Run, wanted: LinkAbsent) -> Found:
    return [FieldChange("state", "present", "absent")] if ("link", wanted.name) in run.host.things else []


def change_link(run: Run, wanted: LinkAbsent) -> None:
    run.put(("link", wanted.name), None)


def _chains(run: Run, wanted: ChainsAbsent) -> list[str]:
    return [name for kind, name in run.host.things if kind == "chain" and name.startswith(wanted.prefixes)]


def check_chains(run: Run, wanted: ChainsAbsent) -> Found:
    found = _chains(run, wanted)
    return [FieldChange("chains", str(len(found)), "0")] if found else []


def change_chains(run: Run, wanted: ChainsAbsent) -> None:
    for name in _chains(run, wanted):
        run.put(("chain", name), None)


def check_routes(run: Run, wanted: RoutesAbsent) -> Found:
    del wanted
    found = [name for kind, name in run.host.things if kind == "route"]
    return [FieldChange("routes", ", ".join(found), "none")] if found else []


def change_routes(run: Run, wanted: RoutesAbsent) -> None:
    del wanted
    for thing in [thing for thing in run.host.things if thing[0] == "route"]:
        run.put(thing, None)


def check_restore(run: Run, wanted: Restore) -> Found:
    del wanted
    kept = run.host.receipts.get(run.scope)
    if kept is None:
        return []
    return [FieldChange(f"{k} {n}", "as Raijin made it", "as it was") for k, n in reversed(kept)] or [
        FieldChange("receipts", "empty", "absent")
    ]


def change_restore(run: Run, wanted: Restore) -> None:
    """The receipts backwards. A folder that somebody else has filled since then stays."""
    del wanted
    kept = run.host.receipts.pop(run.scope)
    for (kind, key), before in reversed(kept.items()):
        now = run.host.things.get((kind, key))
        folder = kind == "path" and isinstance(now, Entry) and now.type == "directory"
        if before is None and folder and any(True for _ in run.host.below(key)):
            continue
        run.put((kind, key), before)


def check_forget(run: Run, wanted: Forget) -> Found:
    del wanted
    host = run.host
    there = host.exists(OWNER) or host.exists(STATE_FOLDER) or bool(host.staged) or bool(host.receipts)
    held = [scope for scope in host.receipts if scope != run.scope]
    return [FieldChange(STATE_FOLDER, "present", "absent")] if there and not held else []


def change_forget(run: Run, wanted: Forget) -> None:
    del wanted
    if run.host.receipts:
        raise Failed("not everything was put back: there are receipts still")
    run.host.remove(STATE_FOLDER)
    run.host.staged.clear()
    run.host.stops.clear()
