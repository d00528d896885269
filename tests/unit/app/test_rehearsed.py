"""A server on simulated hosts: what it is asked for ends at the twin, in a home that goes with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from raijin.app.background import Background
from raijin.app.changes import Change, plan_change
from raijin.app.rehearsed import RehearsedService, rehearsed
from raijin.errors import Unsupported, UsageError
from raijin.model.cluster import ClusterType
from raijin.twin import TWINS

EXAMPLES = Path(__file__).parents[3] / "examples"


def idle(service: RehearsedService) -> RehearsedService:
    """Without runners: it looks and plans only."""
    service.__dict__["background"] = Background(None)
    return service


def test_every_session_has_the_hosts_of_the_same_simulated_site(tmp_path: Path) -> None:
    with rehearsed(tmp_path / "home", EXAMPLES / "minimal.yaml", pace=0) as service:
        idle(service)
        first, second = service.session("minimal"), service.session("minimal")
        assert first.twin is second.twin is not None
        assert sorted(first.twin.hosts) == ["n1", "w1", "w2"]
        service.database.dispose()


async def test_it_plans_and_says_that_it_is_a_rehearsal(tmp_path: Path) -> None:
    with rehearsed(tmp_path / "home", EXAMPLES / "minimal.yaml", pace=0) as service:
        idle(service).background.start()
        plan = await plan_change(service, "minimal", Change())
        assert len(plan["steps"]) > 20
        assert service.about()["rehearsal"] is True
        service.stop()


async def test_a_change_of_the_definition_is_planned_without_being_written(tmp_path: Path) -> None:
    """Also a host that the twin has not seen yet is looked at."""
    text = (EXAMPLES / "minimal.yaml").read_text().replace("---", "  - {name: w3, address: 192.0.2.23}\n---", 1)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "minimal.yaml").write_text(text)
    with rehearsed(tmp_path / "home", mine, pace=0) as service:
        idle(service).background.start()
        grown = await plan_change(service, "minimal", Change("scale", group="workers", hosts=("w1", "w2", "w3")))
        newer = await plan_change(service, "minimal", Change("upgrade", version="v1.35.4"))
        assert grown["verb"] == newer["verb"] == "apply"
        assert "w3" in grown["hosts"]
        assert any("v1.35.4" in str(step["changes"]) for step in newer["steps"])
        assert newer["change"]["version"] == "v1.35.4"
        assert service.store.text("minimal")[1] == text
        with pytest.raises(Unsupported, match="nothing in it to try"):
            await service.verify("minimal", "latest")
        service.stop()


def test_what_is_written_reaches_no_file_of_its_author(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    text = (EXAMPLES / "minimal.yaml").read_text()
    (mine / "lab.yaml").write_text(text)
    with rehearsed(tmp_path / "home", mine) as service:
        service.store.write("lab", text.replace("v1.34.2", "v1.34.1"), match=None)
        assert service.store.cluster("minimal")[1].version == "v1.34.1"
    assert (mine / "lab.yaml").read_text() == text


def test_a_platform_without_a_twin_reaches_no_host_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(TWINS, ClusterType.K3S)
    with rehearsed(tmp_path / "home", EXAMPLES / "k3s.yaml") as service:
        (name,) = [cluster.name for cluster in service.store.clusters()]
        with pytest.raises(Unsupported, match="cannot be rehearsed"):
            idle(service).session(name)


def test_there_must_be_something_to_rehearse(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="to rehearse"), rehearsed(tmp_path / "home", tmp_path / "nothing"):
        pass
