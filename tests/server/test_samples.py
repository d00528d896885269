"""Utilisation in PostgreSQL: the same statements as in SQLite."""

from __future__ import annotations

from pathlib import Path

from raijin.state.database import open_database
from raijin.state.samples import EXACT_SECONDS, HOUR, Collected, NodeSample, PodSample, Samples

NOW = 500_000 * HOUR


def test_samples_are_kept_summed_and_thinned(database_url: str, home: Path) -> None:
    del database_url
    engine = open_database(home)
    samples = Samples(engine)
    old = NOW - EXACT_SECONDS - HOUR
    for at in (old, old + 300, NOW):
        nodes = [NodeSample(n, at, 1.0, 4.0, 2.0, 1e9, 8e9, 3e9, 10, 110, True) for n in ("n1", "n2")]
        samples.record("lab", Collected(at, "kubelet", ()), nodes, [PodSample("a", "b", "n1", at, 0.1, 0.1, 1.0, 1.0)])
    for _ in range(2):
        samples.thin("lab", now=NOW)
        found = samples.moments("lab", since=0, taking_pods=True)
        assert [(m.at, m.seconds, m.nodes, m.cpu_used) for m in found] == [(old, HOUR, 2, 2.0), (NOW, 0.0, 2, 2.0)]
    assert [n.node for n in samples.newest("lab")] == ["n1", "n2"]
    assert samples.totals(since=NOW)["lab"].memory_size == 16e9
    assert [p.at for p in samples.of_pod("lab", "a", "b")] == [NOW]
    engine.dispose()
