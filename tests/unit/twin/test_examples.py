"""Every example, rehearsed for its whole life: applied, nothing left to do, destroyed, nothing left."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.twin.conftest import lived

from raijin.definition.load import load
from raijin.platforms import PLATFORMS
from raijin.twin import TWINS

EXAMPLES = Path(__file__).parents[3] / "examples"


def clusters() -> list[tuple[str, str]]:
    found = []
    for path in sorted(EXAMPLES.glob("*.yaml")):
        found += [(path.stem, cluster.name) for cluster in load((path,), {}).clusters]
    return found


def test_every_file_with_a_cluster_is_here() -> None:
    assert {file for file, _ in clusters()} == {path.stem for path in EXAMPLES.glob("*.yaml")}
    assert set(TWINS) == set(PLATFORMS)


@pytest.mark.parametrize(("file", "cluster"), clusters(), ids=str)
def test_an_example_lives_and_goes(staged, file: str, cluster: str) -> None:
    (made, gone), stage = staged(lived, file, cluster=cluster)
    where = f"examples/{file}.yaml, {cluster}"
    assert (made.error, made.exit_code) == (None, 0), where
    assert made.steps > 0, where
    assert made.later == [], f"{where}: the next plan is not empty"
    assert made.nodes, where
    assert all(node.ready and node.schedulable for node in made.nodes), where
    assert made.seconds > 60, where
    assert made.to_json()["rehearsal"] is True
    assert any("made up" in note for note in made.notes), where
    assert (gone.error, gone.later, gone.left) == (None, [], {}), where
    assert gone.steps > 0, where
    swept = [host for host in stage.site.hosts.values() if not stage.site.platform.keeps(host)]
    assert [host.leftovers() for host in swept if host.up and host.leftovers()] == [], where
    assert [host.name for host in stage.site.hosts.values() if not host.up and not host.off] == [], where
