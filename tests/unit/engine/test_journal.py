"""Events reach the journal in their order; only what nobody relies on waits a moment."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from raijin.engine import journal as module
from raijin.engine.journal import Journal
from raijin.observe.events import Event, Kind
from raijin.observe.waiting import until
from raijin.state.database import open_database
from raijin.state.runs import Runs


@pytest.fixture
def runs(tmp_path: Path):
    database = open_database(tmp_path)
    yield Runs(database)
    database.dispose()


def event(kind: Kind, text: str) -> Event:
    return Event(kind, "r", "step", "alpha", {"text": text})


def texts(runs: Runs) -> list[object]:
    return [found.data["text"] for _, found in runs.events("r")]


def test_what_hosts_report_waits_and_everything_else_takes_it_along(runs: Runs) -> None:
    async def work() -> None:
        journal = Journal(runs)
        journal(event(Kind.MESSAGE, "a"))
        assert texts(runs) == ["a"]
        journal(event(Kind.STEP_STARTED, "a2"))
        journal(event(Kind.OPERATION, "b"))
        journal(event(Kind.TRANSFER, "c"))
        assert texts(runs) == ["a"]
        journal(event(Kind.STEP_FINISHED, "d"))
        assert texts(runs) == ["a", "a2", "b", "c", "d"]

    asyncio.run(work())


def test_it_does_not_wait_for_long_nor_for_ever(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)

    async def written(text: str) -> str:
        return "" if text in texts(runs) else "it is not there"

    async def work() -> None:
        journal = Journal(runs)
        for text in "ab":
            journal(event(Kind.OPERATION, text))
            await until("the line", lambda text=text: written(text), timeout=5, interval=0.005)  # type: ignore[misc]
        journal(event(Kind.OPERATION, "c"))
        journal.flush()
        journal.flush()
        assert texts(runs) == ["a", "b", "c"]

    asyncio.run(work())
