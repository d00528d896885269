"""Plans that were shown to somebody, kept until they are agreed to or too old."""

from __future__ import annotations

import json
import time
from typing import Any

from sqlalchemy.engine import Engine

from raijin.errors import NotFound
from raijin.state.dialect import upsert
from raijin.state.tables import PLANS

KEEP_SECONDS = 7 * 24 * 3600.0


class Plans:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, cluster: str, digest: str, plan: dict[str, Any]) -> None:
        row = {"digest": digest, "cluster": cluster, "plan": json.dumps(plan), "created": time.time()}
        with self._engine.begin() as db:
            db.execute(PLANS.delete().where(PLANS.c.created < time.time() - KEEP_SECONDS))
            upsert(db, PLANS, [row], keys=("digest", "cluster"))

    def get(self, cluster: str, digest: str) -> dict[str, Any]:
        """Raises NotFound."""
        with self._engine.connect() as db:
            query = PLANS.select().where(PLANS.c.cluster == cluster, PLANS.c.digest == digest)
            row = db.execute(query).first()
        if row is None:
            raise NotFound(f"no plan {digest[:16]} of {cluster} was shown", remedy="plan again, and agree to that one")
        found: dict[str, Any] = json.loads(row.plan)
        return found
