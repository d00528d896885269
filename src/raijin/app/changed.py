"""Files that Raijin manages and somebody else has changed on a host: security incidents, each recorded once.

A plan that would put a file back, of a definition that was carried out before and has not changed since, says that the
file was changed there. The trail gets host, path and field, never what is in the file: that may be secret.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from raijin import __version__
from raijin.app.auditing import note
from raijin.state.audit import CHANGED_FILE
from raijin.state.looks import CHANGED, FOLLOWED, Looks

if TYPE_CHECKING:
    from raijin.app.session import Session
    from raijin.plan.model import Plan

FILES = ("file ", "line of ")
"""How operations on files call what they are about (operations/file.py, template.py, line.py)."""

CLAIM = "host of cluster "
"""How the operation calls it by which a cluster takes a host (operations/claim.py)."""
_ABSENT = re.compile(r"(\S+) is left out: ")
"""How a plan notes a host that it leaves alone (app/planning.py)."""

Changed = tuple[str, str, str]
"""Host, path, field."""


def followed(session: Session, plan: Plan) -> None:
    """The definition of this plan was carried out, or there was nothing to do: what differs later, others did."""
    data = {"definition": plan.definition, "version": __version__, "left_out": _left_out(plan)}
    looks = Looks(session.database)
    looks.keep(plan.cluster, FOLLOWED, data)
    looks.keep(plan.cluster, CHANGED, {"files": {}})


def record(session: Session, plan: Plan) -> list[Changed]:
    """Note in the trail what of this plan is new of what others have changed. Returns that."""
    looks = Looks(session.database)
    base = looks.get(plan.cluster, FOLLOWED)
    # Another definition, or another Raijin, wants other files itself.
    if base is None or (base.data["definition"], base.data["version"]) != (plan.definition, __version__):
        return []
    last = looks.get(plan.cluster, CHANGED)
    known = last.data["files"] if last else {}
    found = {item: seal for item, seal in _found(plan) if item[0] not in base.data["left_out"]}
    new = [item for item, seal in found.items() if known.get(_key(item)) != seal]
    for host, path, field in new:
        detail = {"host": host, "path": path, "field": field, "message": f"{path} on {host}: its {field} was changed"}
        note(session, CHANGED_FILE, "found", target=plan.cluster, plan=plan.digest, detail=detail)
    looks.keep(plan.cluster, CHANGED, {"files": {_key(item): seal for item, seal in found.items()}})
    return new


def _left_out(plan: Plan) -> list[str]:
    """Hosts that were not there: what differs on them later, nobody has changed."""
    return [found[1] for note in plan.notes if (found := _ABSENT.match(note))]


def _key(item: Changed) -> str:
    return "\n".join(item)


def _found(plan: Plan) -> Iterator[tuple[Changed, str]]:
    """With the hash of what is there now, so that another change of the same file is another incident.

    A host that is claimed anew is another one, or was installed anew: nothing on it is ours yet.
    """
    new = {step.target for step in plan.steps if any(change.thing.startswith(CLAIM) for change in step.changes)}
    for step in (step for step in plan.steps if step.target not in new):
        for change in step.changes:
            start = next((word for word in FILES if change.thing.startswith(word)), "")
            if start and not change.ripple:
                seal = hashlib.sha256(change.before.encode()).hexdigest()
                yield (step.target, change.thing.removeprefix(start), change.field), seal
