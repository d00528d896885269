"""Following events: each once, written once for all listeners, and without asking for more than there is."""

from __future__ import annotations

import asyncio
import json

import pytest

from raijin.api import tail as module
from raijin.api.tail import Seen, Tail, as_sse
from raijin.observe.events import Event, Kind


class Journal:
    """Events in memory, as the journal gives them: after a number, a thousand at most."""

    def __init__(self) -> None:
        self.events: list[tuple[int, Event]] = []
        self.pages = 0

    def write(self, count: int = 1) -> None:
        for _ in range(count):
            number = len(self.events) + 1
            self.events.append((number, Event(Kind.MESSAGE, "r", data={"text": str(number)}, at=float(number))))

    def after(self, number: int) -> list[tuple[int, Event]]:
        self.pages += 1
        return [item for item in self.events if item[0] > number][:1000]

    def last(self) -> int:
        return len(self.events)


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_SECONDS", 0.01)


async def heard(tail: Tail, count: int, ready: asyncio.Event) -> list[tuple[int, str]]:
    found = []
    async with tail.listen() as coming:
        ready.set()
        async for batch in coming:
            assert batch
            found += [(number, text) for number, _, text in batch]
            if len(found) >= count:
                break
    return found


async def test_many_listeners_hear_a_burst_whole_and_it_is_written_once(fast, monkeypatch) -> None:
    del fast
    journal, written = Journal(), []

    def noted(number: int, event: Event) -> str:
        written.append(number)
        return as_sse(number, event)

    monkeypatch.setattr(module, "as_sse", noted)
    journal.write(300)
    tail = Tail(journal.after, journal.last)
    ready = [asyncio.Event() for _ in range(50)]
    listening = [asyncio.create_task(heard(tail, 2500, event)) for event in ready]
    await asyncio.gather(*(event.wait() for event in ready))
    journal.write(2500)
    async with asyncio.timeout(20):
        found = await asyncio.gather(*listening)
    assert [number for number, _ in found[0]] == list(range(301, 2801))
    assert all(item == found[0] for item in found)
    assert written == list(range(301, 2801))
    assert json.loads(found[0][0][1].split("data: ")[1])["id"] == 301
    assert tail.listeners == 0


async def test_while_nothing_happens_only_the_newest_number_is_asked_for(fast, monkeypatch) -> None:
    del fast
    monkeypatch.setattr(module, "SETTLED_SECONDS", 0.02)
    journal = Journal()
    journal.write(10)
    ready = asyncio.Event()
    tail = Tail(journal.after, journal.last)
    listening = asyncio.create_task(heard(tail, 1, ready))
    await ready.wait()
    await asyncio.sleep(0.2)
    before = journal.pages
    await asyncio.sleep(0.2)
    assert journal.pages == before
    journal.write()
    async with asyncio.timeout(5):
        assert [number for number, _ in await listening] == [11]


async def test_what_waits_together_comes_together(fast) -> None:
    """Five hundred listeners cost as many writes as there are looks at the journal, not as there are events."""
    del fast
    journal = Journal()
    tail = Tail(journal.after, journal.last)
    async with asyncio.timeout(5), tail.listen() as coming:
        journal.write(100)
        batches = 0
        found: list[int] = []
        async for batch in coming:
            batches += 1
            found += [number for number, _, _ in batch]
            if len(found) == 100:
                break
    assert found == list(range(1, 101))
    assert batches < 5


async def test_nothing_for_a_while_is_said_so(fast, monkeypatch) -> None:
    del fast
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.02)
    journal = Journal()
    async with asyncio.timeout(5), Tail(journal.after, journal.last).listen() as coming:
        assert await anext(coming) == []


def test_numbers_that_come_late_are_new_once() -> None:
    seen = Seen(3)
    assert [seen.add(n) for n in (5, 4, 5, 4, 6)] == [True, True, False, False, True]
    assert [seen.add(n) for n in (7, 6, 7)] == [True, False, False]
    assert len(seen._known) == len(seen._order) == 3
