"""What was seen of clusters last: one look of each kind, the newest. Nobody is asked again to answer from it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Engine

from raijin.state.dialect import upsert
from raijin.state.tables import LOOKS

HEALTH, CERTIFICATES, DRIFT, FOLLOWED, CHANGED = "health", "certificates", "drift", "followed", "changed"
"""Findings by category; what ends first; steps to go; the definition that was carried out; files of others."""


@dataclass(frozen=True, slots=True)
class Look:
    """at: seconds since the epoch."""

    cluster: str
    kind: str
    at: float
    data: Mapping[str, Any]


class Looks:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, cluster: str, kind: str, data: Mapping[str, Any]) -> None:
        row = {"cluster": cluster, "kind": kind, "at": time.time(), "data": json.dumps(data, sort_keys=True)}
        with self._engine.begin() as db:
            upsert(db, LOOKS, [row], keys=("cluster", "kind"))

    def get(self, cluster: str, kind: str) -> Look | None:
        query = LOOKS.select().where((LOOKS.c.cluster == cluster) & (LOOKS.c.kind == kind))
        with self._engine.connect() as db:
            row = db.execute(query).first()
        return Look(row.cluster, row.kind, row.at, json.loads(row.data)) if row else None

    def all(self, kind: str) -> dict[str, Look]:
        """By cluster."""
        with self._engine.connect() as db:
            rows = db.execute(LOOKS.select().where(LOOKS.c.kind == kind)).all()
        return {row.cluster: Look(row.cluster, row.kind, row.at, json.loads(row.data)) for row in rows}

    def forget(self, cluster: str) -> None:
        with self._engine.begin() as db:
            db.execute(LOOKS.delete().where(LOOKS.c.cluster == cluster))
