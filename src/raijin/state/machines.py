"""The machines that were made because a definition counts them: what lets them be reached, and given back."""

from __future__ import annotations

import json
import time

from sqlalchemy.engine import Engine

from raijin.state.dialect import upsert
from raijin.state.made import MadeMachine
from raijin.state.tables import MACHINES


class Machines:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def remember(self, machine: MadeMachine) -> None:
        """A new machine, or a known one with what has changed of it."""
        row = {  # `pool`, because GROUP is a word of SQL
            "name": machine.name, "cluster": machine.cluster, "pool": machine.group, "provider": machine.provider,
            "target": json.dumps(dict(machine.target)), "since": time.time(),
        }  # fmt: skip
        with self._engine.begin() as db:
            upsert(db, MACHINES, [row], keys=("name",), renewed=("cluster", "pool", "provider", "target"))

    def forget(self, name: str) -> None:
        with self._engine.begin() as db:
            db.execute(MACHINES.delete().where(MACHINES.c.name == name))
