"""Is the session's cluster well: looked at, judged, and put beside what its backups and runs tell."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from raijin.app.backups import Listing, list_targets, places_of
from raijin.app.planning import context_of
from raijin.app.reaching import departed_hosts, members_of, open_pool
from raijin.app.session import Session
from raijin.platforms.base import Node
from raijin.state.runs import RunRecord, Runs, RunStatus
from raijin.transport.pool import Pool
from raijin.validation.checks import chosen, judge, parts_of
from raijin.validation.finding import Finding, Grade, faults
from raijin.validation.hosts import NAME as HOSTS
from raijin.validation.look import look
from raijin.validation.seen import Seen
from raijin.validation.subject import subject_of

BACKUPS, RUNS = "backups", "runs"
"""What is judged beside the checks: from what this RAIJIN_HOME and the targets know."""
OLD_BACKUP_SECONDS = 7 * 86_400
RECENT_RUNS = 20


@dataclass(frozen=True, slots=True)
class Health:
    """What was seen of a cluster and what is to be said about it. failed: the latest runs that ended badly."""

    cluster: str
    seen: Seen
    findings: tuple[Finding, ...]
    backups: Listing | None = None
    last_run: RunRecord | None = None
    failed: tuple[RunRecord, ...] = ()

    @property
    def healthy(self) -> bool:
        return not faults(self.findings)

    def of(self, grade: Grade) -> list[Finding]:
        return [finding for finding in self.findings if finding.grade is grade]

    @property
    def problems(self) -> list[Finding]:
        """What people should look at, the worst first."""
        return [*self.of(Grade.FAILED), *self.of(Grade.UNKNOWN), *self.of(Grade.WARNING)]

    @property
    def verdict(self) -> str:
        bad, warnings = len(faults(self.findings)), len(self.of(Grade.WARNING))
        more = f", {warnings} warnings" if warnings > 1 else ", 1 warning" if warnings else ""
        return f"{'healthy' if not bad else f'{bad} faults' if bad > 1 else '1 fault'}{more}"

    def to_json(self) -> dict[str, Any]:
        findings = [finding.to_json() for finding in self.findings]
        return {"cluster": self.cluster, "healthy": self.healthy, "verdict": self.verdict, "findings": findings}


async def health_of(session: Session, names: Sequence[str] = (), categories: Sequence[str] = ()) -> Health:
    """The named checks, or all usual ones with backups and runs. Raises NotFound for a check that there is not."""
    checks = [check for check in chosen(names) if not categories or check.of(categories)]
    members = members_of(session)
    gone = [host for host, _ in departed_hosts(session, members)]
    async with open_pool(session, gone) as pool:
        placed = session.definition.hosts_of(session.cluster)
        context = context_of(session, [Node(p.host, p.role) for p in placed])
        held = {name: member.quarantine for name, member in members.items() if member.quarantine}
        subject = subject_of(context, held)
        everything = not names and not categories
        seen, kept = await asyncio.gather(
            look(pool, subject, parts_of(checks)), _backups(session, pool) if everything else _nothing()
        )
    runs = _runs(session) if everything else []
    failed = tuple(run for run in runs if run.status is RunStatus.FAILED)
    findings = [*judge(checks, seen), *_of_backups(session, kept, seen.at), *_of_runs(runs)]
    if not members and seen.api and all(seen.api.values()):
        findings = [_never_made(session), *(f for f in findings if f.check in {HOSTS, RUNS})]
    return Health(session.cluster.name, seen, tuple(findings), kept, runs[0] if runs else None, failed)


def _never_made(session: Session) -> Finding:
    """Said in the place of what follows from it, with its advice for clusters that broke."""
    text = f"nothing was applied from {session.home} yet, and no API server answers"
    return Finding(RUNS, session.cluster.name, Grade.FAILED, text, "`raijin apply` makes it")


async def _backups(session: Session, pool: Pool) -> Listing:
    return await list_targets(session, places_of(session, pool))


async def _nothing() -> None:
    return None


def _runs(session: Session) -> list[RunRecord]:
    if not session.has_state:
        return []
    return Runs(session.database).history(cluster=session.cluster.name, limit=RECENT_RUNS)


def _of_backups(session: Session, kept: Listing | None, now: float) -> list[Finding]:
    """Backups are no part of a cluster's health: what is wrong with them is a warning."""
    if kept is None:
        return []
    name = session.cluster.name
    found = [Finding(BACKUPS, name, Grade.WARNING, f"a target cannot be asked: {fault}") for fault in kept.faults]
    if not kept.rows:
        text = "there is no backup" if not kept.faults else "no backup is known"
        return [*found, Finding(BACKUPS, name, Grade.WARNING, text, "`raijin cluster backup`, and `backup.schedule`")]
    latest = kept.rows[0]
    if latest.fault:
        text = f"the latest could not be restored when it was tried: {latest.fault}"
        return [*found, Finding(BACKUPS, latest.id, Grade.WARNING, text, "make another, and verify it")]
    if now - latest.created > OLD_BACKUP_SECONDS:
        days = int((now - latest.created) / 86_400)
        return [*found, Finding(BACKUPS, latest.id, Grade.WARNING, f"the latest is {days} days old", "make another")]
    if not any(row.verified and not row.fault for row in kept.rows):
        text = "none was ever tried"
        return [*found, Finding(BACKUPS, latest.id, Grade.WARNING, text, "`raijin backup verify`")]
    return [*found, Finding(BACKUPS, latest.id, Grade.OK, f"made {ago(now - latest.created)} ago")]


def _of_runs(runs: Sequence[RunRecord]) -> list[Finding]:
    """A run that failed and that none of its kind has followed since."""
    if not runs or runs[0].status is not RunStatus.FAILED:
        return []
    latest = runs[0]
    reason = str((latest.error or {}).get("detail", ""))
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(latest.created))
    text = f"{latest.verb} of {when} failed: {reason}"
    return [Finding(RUNS, latest.id, Grade.WARNING, text, f"`raijin run show {latest.id}`")]


def ago(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{int(seconds / size)} {unit}"
    return f"{int(seconds)} seconds"
