"""What a server knows of its clusters from the last looks that were made anyway, as numbers for Prometheus."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from raijin.app.health import BACKUPS, RUNS, Health, health_of
from raijin.facts.certificates import DAY
from raijin.state.backups import Backups
from raijin.state.looks import CERTIFICATES, DRIFT, HEALTH, Looks
from raijin.state.snapshot import read_members
from raijin.validation.certificates import soonest
from raijin.validation.checks import CHECKS
from raijin.validation.finding import Grade

if TYPE_CHECKING:
    from raijin.app.certificates import CertificateListing
    from raijin.app.service import Service
    from raijin.app.session import Session

OPERATIONS = "OPERATIONS"
"""The category of what is judged beside the checks: backups and runs."""
CATEGORY = {check.name: check.category for check in CHECKS} | dict.fromkeys((BACKUPS, RUNS), OPERATIONS)
SEVERITIES = tuple(str(grade) for grade in Grade if grade is not Grade.OK)

Labels = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    service: Service

    async def look(self, name: str) -> None:
        """Every check, by a schedule. A cluster that was never made is not asked. Raises RaijinError."""
        session = await asyncio.to_thread(self._made, name)
        if session is not None:
            self.health(name, await health_of(session))

    def _made(self, name: str) -> Session | None:
        session = self.service.session(name)
        if not read_members(session.home, name):
            Looks(self.service.database).forget(name)
            return None
        _ = session.cluster  # its files are read here, on this thread
        return session

    def health(self, name: str, found: Health) -> None:
        """A look at everything: what was found, and which certificate ends first."""
        counts = Counter((CATEGORY[finding.check], str(finding.grade)) for finding in found.findings)
        findings = [[category, grade, count] for (category, grade), count in sorted(counts.items())]
        looks = Looks(self.service.database)
        checks = {check: _worst(found, check) for check in sorted({finding.check for finding in found.findings})}
        looks.keep(name, HEALTH, {"healthy": found.healthy, "findings": findings, "checks": checks})
        first = soonest(found.seen)
        if first is not None:
            host, certificate = first
            looks.keep(name, CERTIFICATES, {"ends": certificate.ends, "host": host, "path": certificate.path})

    def certificates(self, name: str, found: CertificateListing) -> None:
        first = min((row for row in found.rows if not row.fault), key=lambda row: row.ends, default=None)
        if first is not None:
            data = {"ends": first.ends, "host": first.node, "path": first.path}
            Looks(self.service.database).keep(name, CERTIFICATES, data)

    def numbers(self) -> dict[str, dict[Labels, float]]:
        """By metric and labels. Only of clusters that the store has, and of what was looked at."""
        looks, names, now = Looks(self.service.database), {c.name for c in self.service.store.clusters()}, time.time()

        def of(kind: str) -> dict[str, Any]:
            return {name: look for name, look in looks.all(kind).items() if name in names}

        health, certificates, drift = of(HEALTH), of(CERTIFICATES), of(DRIFT)
        backups = {name: _backups(Backups(self.service.database).of(name).values(), now) for name in sorted(names)}
        return {
            "raijin_cluster_healthy": {name: float(look.data["healthy"]) for name, look in health.items()},
            "raijin_cluster_findings": {
                labels: number for name, look in health.items() for labels, number in _findings(name, look.data).items()
            },
            "raijin_cluster_health_timestamp_seconds": {name: look.at for name, look in health.items()},
            "raijin_cluster_certificate_days_left": {
                name: (look.data["ends"] - now) / DAY for name, look in certificates.items()
            },
            "raijin_cluster_backup_age_seconds": {n: ages[0] for n, ages in backups.items() if ages[0] is not None},
            "raijin_cluster_backup_verified_age_seconds": {
                n: ages[1] for n, ages in backups.items() if ages[1] is not None
            },
            "raijin_cluster_drift_steps": {name: float(look.data["steps"]) for name, look in drift.items()},
        }


def _worst(found: Health, check: str) -> list[str]:
    """The grade of a check, and what it said: the worst of its findings."""
    own = [finding for finding in found.findings if finding.check == check]
    bad = [f for grade in (Grade.FAILED, Grade.UNKNOWN, Grade.WARNING) for f in own if f.grade is grade]
    first = (bad or own)[0]
    return [str(first.grade), f"{first}{f' and {len(bad) - 1} more' if len(bad) > 1 else ''}"]


def _findings(name: str, data: Mapping[str, Any]) -> dict[Labels, float]:
    """Also none, of a category that was looked at: an alert must see it end."""
    found: dict[Labels, float] = {
        (name, category, severity): 0.0 for category, _, _ in data["findings"] for severity in SEVERITIES
    }
    return found | {(name, c, grade): float(count) for c, grade, count in data["findings"] if grade in SEVERITIES}


def _backups(records: Any, now: float) -> tuple[float | None, float | None]:
    """Seconds since the newest was made, and since the newest was made that was restored to try it, and well."""
    made = list(records)
    good = [record.created for record in made if record.verified and not record.fault]
    ages = [now - max(times) if times else None for times in ([record.created for record in made], good)]
    return ages[0], ages[1]
