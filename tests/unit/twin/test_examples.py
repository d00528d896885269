"""Every example, rehearsed for its whole life: applied, nothing left to do, destroyed, nothing left."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.twin.conftest import lived

from raijin.app.rehearsing import Result
from raijin.definition.load import load
from raijin.errors import Unsupported
from raijin.platforms import PLATFORMS
from raijin.twin import TWINS

EXAMPLES = Path(__file__).parents[3] / "examples"
REFUSED = {
    "k3s-edge": ("booting machines by TEMPLATE", "machines are not made yet"),
    "okd-production": ("booting machines by PXE", "services of type LOAD_BALANCER", "machines are not made yet"),
}
"""What Raijin cannot make yet, on simulated hosts as on real ones, and what is said about it."""


def clusters() -> list[tuple[str, str]]:
    found = []
    for path in sorted(EXAMPLES.glob("*.yaml")):
        found += [(path.stem, cluster.name) for cluster in load((path,), {}).clusters]
    return found


SERVED = [pair for pair in clusters() if pair[0] not in REFUSED]


def test_every_file_with_a_cluster_is_here() -> None:
    assert {file for file, _ in clusters()} == {path.stem for path in EXAMPLES.glob("*.yaml")}
    assert set(REFUSED) < {file for file, _ in clusters()}
    assert set(TWINS) == set(PLATFORMS)


@pytest.mark.parametrize(("file", "cluster"), SERVED, ids=[f"{file}.yaml:{cluster}" for file, cluster in SERVED])
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


@pytest.mark.parametrize("file", REFUSED)
def test_what_cannot_be_made_is_refused_by_name(staged, file: str) -> None:
    async def tried(stage) -> Result:
        return await stage.perform(lambda _: True)

    result, _ = staged(tried, file, then_empty=False)
    assert result.exit_code == Unsupported.exit_code
    assert [text for text in REFUSED[file] if text not in str(result.error["detail"])] == []
