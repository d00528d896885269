"""Answers to requests that carry an Idempotency-Key, so that the same request again gets the same answer."""

from __future__ import annotations

import json
import time

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from raijin.errors import KeyReused, Locked
from raijin.state.dialect import writing
from raijin.state.tables import REPLIES

KEEP_SECONDS = 24 * 3600.0
UNANSWERED_SECONDS = 120.0
"""After this a request without an answer counts as lost with its server."""


class Replies:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(self, who: str, key: str, request: str) -> tuple[int, dict[str, str], str] | None:
        """The answer there was, or None for the first of its kind, which then has to `end` or `forget`.

        request: a digest of it. Raises KeyReused for another request, Locked while the first is not answered.
        """
        mine, now = (REPLIES.c.who == who) & (REPLIES.c.key == key), time.time()
        with self._engine.connect() as db:
            writing(db, f"replies/{who}/{key}")
            db.execute(REPLIES.delete().where(REPLIES.c.created < now - KEEP_SECONDS))
            lost = REPLIES.c.status.is_(None) & (REPLIES.c.created < now - UNANSWERED_SECONDS)
            db.execute(REPLIES.delete().where(mine, lost))
            row = db.execute(sa.select(REPLIES).where(mine)).first()
            if row is None:
                db.execute(REPLIES.insert().values(who=who, key=key, request=request, created=now))
                db.commit()
                return None
            db.commit()
        if row.request != request:
            raise KeyReused("this Idempotency-Key was used for another request", remedy="use a new key")
        if row.status is None:
            raise Locked("the same request is being answered", remedy="wait a moment")
        return row.status, json.loads(row.headers), row.body

    def end(self, who: str, key: str, status: int, headers: dict[str, str], body: str) -> None:
        with self._engine.begin() as db:
            mine = REPLIES.update().where(REPLIES.c.who == who, REPLIES.c.key == key)
            db.execute(mine.values(status=status, headers=json.dumps(headers), body=body))

    def forget(self, who: str, key: str) -> None:
        with self._engine.begin() as db:
            db.execute(REPLIES.delete().where(REPLIES.c.who == who, REPLIES.c.key == key))
