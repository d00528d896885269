"""A run that carries a change of the definition: planned with it, and written when nothing stands against it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from raijin.app import running
from raijin.app.background import Background
from raijin.app.jobs import Jobs
from raijin.app.rehearsed import RehearsedService, rehearsed
from raijin.errors import PreconditionFailed, Unsupported
from raijin.state.locks import Locks
from raijin.state.runs import RunRecord, RunStatus

EXAMPLES = Path(__file__).parents[3] / "examples"
ASKED = {"who": "test"}


class Works:
    """In the place of the queue: the test itself takes what is in it."""

    durable = None

    async def enqueue(self, run: str) -> None:
        del run


@dataclass
class Lab:
    """text: of the cluster's definition now. carried_out: what was begun of the plans, which is all that is done."""

    service: RehearsedService
    carried_out: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return self.service.store.text("minimal")[1]

    def upgrade(self, version: str, match: str | None = None) -> str:
        return self.service.upgrade("minimal", version, ASKED, match).id

    async def take(self, run: str) -> RunRecord:
        await Jobs(self.service).carry_out(run)
        return self.service.runs.get(run)


@pytest.fixture
def lab(tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    with rehearsed(tmp_path / "home", EXAMPLES / "minimal.yaml", pace=0) as service:
        (tmp_path / "home" / "state.sqlite").write_bytes(migrated.read_bytes())
        monkeypatch.setattr(Background, "wait", lambda _, work: work.close())
        service.__dict__["background"] = Background(Works())  # type: ignore[arg-type]
        made = Lab(service)

        async def begun(_: Any, session: Any, *__: Any, **___: Any) -> RunRecord:
            made.carried_out.append(made.text)
            service.runs.finish(session.run, RunStatus.DONE, None)
            return service.runs.get(session.run)

        monkeypatch.setattr(running, "_run", begun)
        yield made
        service.database.dispose()


async def test_what_planning_refuses_is_not_written(lab: Lab) -> None:
    """A host that does not answer is only met by the run: the store said the new release nevertheless."""
    before = lab.text
    run = lab.upgrade("v1.35.4")
    assert lab.text == before
    lab.service.session("minimal")
    lab.service.sites["minimal"].hosts["w1"].up = False
    record = await lab.take(run)
    assert record.status is RunStatus.FAILED
    assert "w1" in str(record.error)
    assert lab.text == before
    assert lab.carried_out == []


async def test_what_stands_is_written_before_it_is_begun(lab: Lab) -> None:
    before = lab.text
    record = await lab.take(lab.upgrade("v1.35.4"))
    assert record.status is RunStatus.DONE
    assert lab.carried_out == [before.replace("v1.34.2", "v1.35.4")]


async def test_another_runner_goes_on_with_a_change_that_is_written(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the file and the journal: by then the file has another ETag than the one that was asked for."""
    match = lab.service.store.cluster("minimal")[0].etag
    run = lab.upgrade("v1.35.4", match)

    async def killed(*_: Any, **__: Any) -> RunRecord:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(running, "_run", killed)
        with pytest.raises(asyncio.CancelledError):
            await lab.take(run)
    assert "v1.35.4" in lab.text
    assert lab.service.runs.get(run).status is RunStatus.PLANNING
    assert (await lab.take(run)).status is RunStatus.DONE
    assert len(lab.carried_out) == 1


async def test_a_definition_that_has_changed_meanwhile_is_left_alone(lab: Lab) -> None:
    match = lab.service.store.cluster("minimal")[0].etag
    with pytest.raises(PreconditionFailed):
        lab.upgrade("v1.35.4", "0" * 32)
    run = lab.upgrade("v1.35.4", match)
    changed = lab.text + "# a remark\n"
    lab.service.store.write("minimal", changed, match=match)
    record = await lab.take(run)
    assert (record.error or {})["type"] == "urn:raijin:error:precondition-failed"
    assert lab.text == changed
    assert lab.carried_out == []


async def test_a_definition_that_changes_while_it_is_planned_is_left_alone(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed, plan = lab.text + "# a remark\n", running._carry_out

    async def slow(session: Any, verb: str, confirm: Any, *more: Any, **options: Any) -> Any:
        def meanwhile(planned: Any) -> bool:
            lab.service.store.write("minimal", changed)
            return bool(confirm(planned))

        return await plan(session, verb, meanwhile, *more, **options)

    monkeypatch.setattr(running, "_carry_out", slow)
    record = await lab.take(lab.upgrade("v1.35.4"))
    assert (record.error or {})["type"] == "urn:raijin:error:precondition-failed"
    assert lab.text == changed
    assert lab.carried_out == []


async def test_a_cluster_that_somebody_else_has_taken_meanwhile(lab: Lab) -> None:
    """`raijin apply` in the same home does not ask the queue."""
    before, run = lab.text, lab.upgrade("v1.35.4")
    Locks(lab.service.database).acquire("cluster/minimal", "20260101-000000-aaaa")
    record = await lab.take(run)
    assert (record.error or {})["type"] == "urn:raijin:error:locked"
    assert lab.text == before


async def test_a_run_that_is_cancelled_while_it_plans_writes_nothing(lab: Lab) -> None:
    before, run = lab.text, lab.upgrade("v1.35.4")
    lab.service.runs.planning(run)
    lab.service.runs.request_cancel(run)
    assert (await lab.take(run)).status is RunStatus.CANCELLED
    assert lab.text == before


def test_a_release_that_is_too_far_away_is_a_refusal(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was a defect, because nobody knows the minors in between."""
    monkeypatch.setattr("raijin.app.rehearsed._running", lambda *_: "v1.34.2")
    before = lab.text
    with pytest.raises(Unsupported, match=r"v1\.39\.0 is outside what Raijin serves"):
        lab.upgrade("v1.39.0")
    assert lab.text == before
