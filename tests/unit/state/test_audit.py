"""The audit trail: whatever is done to it afterwards is found."""

from __future__ import annotations

import itertools
import json
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from raijin.app.auditing import written
from raijin.observe.masking import MASKER
from raijin.state.audit import START, Audit, Entry
from raijin.state.tables import AUDIT


@pytest.fixture
def trail(database: sa.Engine, home: Path) -> Audit:
    made = Audit(database, home)
    for number in range(5):
        made.append(Entry("ada", "cli", "apply", f"c{number}", plan="f" * 64, detail={"steps": number}))
    return made


def test_a_trail_that_nobody_has_touched_is_intact(trail: Audit) -> None:
    found = trail.verify()
    assert (found.count, found.faults) == (5, ())
    entries = list(trail.all())
    assert entries[0].previous == START
    assert [e.number for e in entries] == [1, 2, 3, 4, 5]
    assert all(after.previous == before.hash for before, after in itertools.pairwise(entries))
    assert found.head == entries[-1].hash


def test_a_secret_is_hidden_however_json_would_spell_it(database: sa.Engine, home: Path) -> None:
    for secret in ('pass"word\\1', "46281937"):
        MASKER.add(secret)
    Audit(database, home).append(Entry("ada", "cli", "apply", "lab", detail={"said": 'x pass"word\\1', "n": 46281937}))
    (entry,) = Audit(database, home).all()
    assert entry.detail == {"said": "x ***", "n": 46281937}


TAMPERING = {
    "a field changed": (AUDIT.update().where(AUDIT.c.number == 3).values(who="eve"), "entry 3 was changed"),
    "a detail changed": (AUDIT.update().where(AUDIT.c.number == 2).values(detail="{}"), "entry 2 was changed"),
    "the time changed": (AUDIT.update().where(AUDIT.c.number == 5).values(at=1.0), "entry 5 was changed"),
    "one removed": (AUDIT.delete().where(AUDIT.c.number == 3), "entry 3 is missing"),
    "the first removed": (AUDIT.delete().where(AUDIT.c.number == 1), "entry 1 is missing"),
    "the end cut off": (AUDIT.delete().where(AUDIT.c.number > 3), "the end is missing: entry 5 was written"),
    "all removed": (AUDIT.delete(), "the end is missing: entry 5 was written"),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_what_is_done_to_it_is_found(trail: Audit, database: sa.Engine, name: str) -> None:
    change, fault = TAMPERING[name]
    with database.begin() as db:
        db.execute(change)
    assert any(found.startswith(fault) for found in trail.verify().faults), trail.verify().faults


def test_a_changed_entry_with_a_hash_that_fits_breaks_the_chain(trail: Audit, database: sa.Engine) -> None:
    values = trail.entries(after=2, limit=1)[0].to_json() | {"who": "eve"}
    forged = Entry(**values)
    with database.begin() as db:
        db.execute(AUDIT.update().where(AUDIT.c.number == 3).values(who="eve", hash=forged.digest()))
    assert trail.verify().faults == ("entry 4 does not follow from the one before it",)


def test_a_new_end_of_the_same_length_is_found(trail: Audit, database: sa.Engine) -> None:
    values = trail.entries(after=4, limit=1)[0].to_json() | {"who": "eve"}
    with database.begin() as db:
        db.execute(AUDIT.update().where(AUDIT.c.number == 5).values(who="eve", hash=Entry(**values).digest()))
    assert trail.verify().faults == ("entry 5 is another one than was written",)


def test_many_writers_make_one_chain(database: sa.Engine, home: Path) -> None:
    def write(who: str) -> None:
        for _ in range(5):
            Audit(database, home).append(Entry(who, "api", "login"))

    threads = [threading.Thread(target=write, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = Audit(database, home).verify()
    assert (found.count, found.faults) == (20, ())


def test_secrets_are_masked(database: sa.Engine, home: Path) -> None:
    MASKER.add("very-secret-value")
    Audit(database, home).append(Entry("ada", "api", "login", detail={"message": "it said very-secret-value"}))
    assert "very-secret-value" not in json.dumps([e.to_json() for e in Audit(database, home).all()])
    assert not Audit(database, home).verify().faults


def test_exports_say_all_and_run_no_formula(trail: Audit) -> None:
    trail.append(Entry("=cmd()", "api", "login", result="refused", address="192.0.2.7", detail={"reason": "wrong"}))
    lines = [json.loads(line) for line in written(trail.all(), "jsonl")]
    assert [line["number"] for line in lines] == [1, 2, 3, 4, 5, 6]
    table = list(written(trail.all(), "csv"))
    assert len(table) == 7
    assert ",'=cmd()," in table[6]
    report = "\n".join(written(trail.all(), "report"))
    assert "6 entries" in report
    assert "login of =cmd() from 192.0.2.7: wrong" in report
    assert [e.incident for e in trail.all()] == [False] * 5 + [True]
