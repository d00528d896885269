"""The last thing that a run does: wait until the checks that the definition names pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from raijin.plan.draft import Draft
from raijin.plan.model import Call, Json
from raijin.platforms.base import Context
from raijin.validation.subject import subject_of


def check_health(context: Context, drafts: Sequence[Draft]) -> Iterable[Draft]:
    """After all of these. Where nothing is to be done, nothing is waited for: `raijin cluster health` looks then."""
    validation = context.cluster.validation
    if not validation.health_checks or not validation.wait_for_cluster:
        return
    quarantined = {name: member.quarantine for name, member in context.members.items() if member.quarantine}
    checks = cast("Json", list(validation.health_checks))
    yield Draft(
        "health",
        context.cluster.name,
        "wait until the cluster is healthy",
        Call("health.wait", {**subject_of(context, quarantined).to_json(), "checks": checks}),
        needs=tuple(_last(drafts)),
        follows=True,
        timeout=validation.timeout_minutes * 60,
        estimate=5,
    )


def _last(drafts: Sequence[Draft]) -> Iterable[str]:
    """Those that nobody waits for: with them, all have ended."""
    awaited = {need for draft in drafts for need in draft.needs}
    return (draft.key for draft in drafts if draft.key not in awaited and f"{draft.stage}/*" not in awaited)
