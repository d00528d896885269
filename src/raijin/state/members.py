"""Who belongs to which cluster: what lets a host be removed that is no longer in the definition."""

from __future__ import annotations

import json
import time

from sqlalchemy.engine import Engine

from raijin.state.dialect import upsert
from raijin.state.member import Member
from raijin.state.tables import MEMBERS

ONE_AFTER_THE_OTHER = 1e-6
"""Seconds between members that are remembered together, so that their order stays."""


class Members:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def remember(self, cluster: str, *members: Member) -> None:
        """New members in the order given, known ones with their new role and address; all or none."""
        now = time.time()
        rows = [
            {"cluster": cluster, "host": m.host, "role": m.role, "target": json.dumps(dict(m.target)), "since": since}
            for m, since in ((member, now + n * ONE_AFTER_THE_OTHER) for n, member in enumerate(members))
        ]
        with self._engine.begin() as db:
            upsert(db, MEMBERS, rows, keys=("cluster", "host"), renewed=("role", "target"))

    def forget(self, cluster: str, host: str) -> None:
        with self._engine.begin() as db:
            db.execute(MEMBERS.delete().where(MEMBERS.c.cluster == cluster, MEMBERS.c.host == host))

    def quarantine(self, cluster: str, host: str, reason: str | None) -> None:
        """Leave a host alone from now on, or (None) release it."""
        with self._engine.begin() as db:
            query = MEMBERS.update().where(MEMBERS.c.cluster == cluster, MEMBERS.c.host == host)
            db.execute(query.values(quarantine=reason))

    def of(self, cluster: str) -> dict[str, Member]:
        with self._engine.connect() as db:
            rows = db.execute(MEMBERS.select().where(MEMBERS.c.cluster == cluster).order_by(MEMBERS.c.since))
            return {r.host: Member(r.host, r.role, json.loads(r.target), r.quarantine) for r in rows}
