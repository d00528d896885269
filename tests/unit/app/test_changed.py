"""Managed files that somebody else has changed. Laws: once for each change, never what is in the file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from raijin.app.changed import followed, record
from raijin.app.session import Session
from raijin.operations.program import Program
from raijin.plan.model import Change, Plan, Step
from raijin.state.audit import Audit
from raijin.state.database import open_database

NOTHING = Plan("apply", "lab", (), definition="d1")


def spoiled(*changes: Change, definition: str = "d1") -> Plan:
    step = Step("s1", "configure", "n1", "configure", Program("configure", "lab", ()), changes=changes)
    return Plan("apply", "lab", (step,), definition=definition)


EDITED = Change("file /etc/hosts", "content", "hunter2 is here", "as wanted")


@pytest.fixture
def session(home: Path) -> Session:
    found = Session(home, (), "lab")
    found.__dict__["database"] = open_database(home)
    found.actor = ("schedule", "schedule", "")
    return found


def trail(session: Session) -> list[dict[str, object]]:
    entries = Audit(session.database, session.home).entries(incidents=True)
    return [dict(entry.detail) for entry in entries if entry.action == "changed-file"]


def test_each_change_is_an_incident_once(session: Session) -> None:
    followed(session, NOTHING)
    assert record(session, spoiled(EDITED)) == [("n1", "/etc/hosts", "content")]
    assert record(session, spoiled(EDITED)) == []
    again = replace(EDITED, before="another text")
    assert record(session, spoiled(again)) == [("n1", "/etc/hosts", "content")]
    (first, second) = trail(session)
    assert first == second
    assert (first["host"], first["path"], first["field"]) == ("n1", "/etc/hosts", "content")
    everything = [entry.to_json() for entry in Audit(session.database, session.home).all()]
    assert "hunter2" not in json.dumps(everything)


def test_one_that_was_put_back_and_comes_again_is_another(session: Session) -> None:
    followed(session, NOTHING)
    record(session, spoiled(EDITED))
    followed(session, NOTHING)
    assert len(record(session, spoiled(EDITED))) == 1
    assert len(trail(session)) == 2


def test_what_a_changed_definition_wants_is_nobodys_doing(session: Session) -> None:
    assert record(session, spoiled(EDITED)) == []  # it was never carried out
    followed(session, NOTHING)
    assert record(session, spoiled(EDITED, definition="d2")) == []
    assert trail(session) == []


def test_a_host_that_was_not_there_was_changed_by_nobody(session: Session) -> None:
    followed(session, replace(NOTHING, notes=("n1 is left out: it does not answer", "n2 is new")))
    assert record(session, spoiled(EDITED)) == []
    followed(session, NOTHING)
    assert len(record(session, spoiled(EDITED))) == 1


def test_a_host_that_was_installed_anew_was_changed_by_nobody(session: Session) -> None:
    followed(session, NOTHING)
    assert record(session, spoiled(Change("host of cluster lab", "owner", "", "lab"), EDITED)) == []


def test_what_follows_from_a_change_and_what_is_no_file_is_none(session: Session) -> None:
    followed(session, NOTHING)
    ripple = replace(EDITED, ripple="file /etc/other")
    unit = Change("unit kubelet.service", "state", "stopped", "running")
    assert record(session, spoiled(ripple, unit)) == []
    gone = Change("file /etc/raijin.conf", "state", "absent", "file")
    assert record(session, spoiled(gone)) == [("n1", "/etc/raijin.conf", "state")]
