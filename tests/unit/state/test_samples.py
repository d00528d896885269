"""Utilisation in the state: kept once, thinned to hours, bounded, and each cluster by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.engine import Engine

from raijin.state.samples import (
    EXACT_SECONDS,
    HOUR,
    KEPT_SECONDS,
    MOST_PODS,
    PODS_SECONDS,
    Collected,
    NodeSample,
    PodSample,
    Samples,
)

NOW = 500_000 * HOUR


def sample(node: str = "n1", at: float = NOW, cpu: float = 1.0, *, takes_pods: bool = True) -> NodeSample:
    return NodeSample(node, at, cpu, 4.0, 2.0, cpu * 1e9, 8e9, 3e9, 10, 110, takes_pods, cpu, cpu * 1e9)


def pod(name: str, memory: float = 1.0, cpu: float = 0.1, at: float = NOW) -> PodSample:
    return PodSample("shop", name, "n1", at, cpu, 0.1, memory, 1.0)


def collected(at: float = NOW, *faults: str) -> Collected:
    return Collected(at, "kubelet", faults)


@pytest.fixture
def samples(database: Engine) -> Samples:
    return Samples(database)


def test_the_newest_of_each_node_and_the_sums_of_each_moment(samples: Samples) -> None:
    for at in (NOW - 300, NOW):
        nodes = [sample("n1", at, 1.0, takes_pods=False), sample("n2", at, 2.5)]
        samples.record("lab", collected(at, "n3: silent"), nodes, [pod("web", at=at)])
    samples.record("other", collected(NOW + 300), [sample("x", NOW + 300, 9.0)])
    assert [(n.node, n.at, n.takes_pods) for n in samples.newest("lab")] == [("n1", NOW, False), ("n2", NOW, True)]
    every = samples.moments("lab", since=0)
    assert [(m.at, m.nodes, m.cpu_used, m.pods_size) for m in every] == [(NOW - 300, 2, 3.5, 220), (NOW, 2, 3.5, 220)]
    assert [m.cpu_used for m in samples.moments("lab", since=NOW, taking_pods=True)] == [2.5]
    assert samples.collected("lab") == collected(NOW, "n3: silent")
    assert samples.collected("nobody") is None
    assert {name: m.cpu_used for name, m in samples.totals(since=NOW).items()} == {"lab": 3.5, "other": 9.0}


def test_the_same_moment_again_is_the_same_sample(samples: Samples) -> None:
    for cpu in (1.0, 2.0):
        samples.record("lab", collected(), [sample(cpu=cpu)], [pod("web")])
    assert [m.cpu_used for m in samples.moments("lab", since=0)] == [2.0]
    assert len(samples.pods("lab", limit=10)) == 1


def test_old_samples_become_hours_with_their_peaks_and_thinning_again_changes_nothing(samples: Samples) -> None:
    old = NOW - EXACT_SECONDS - 2 * HOUR
    for n, cpu in enumerate((1.0, 3.0, 2.0)):
        at = old + n * 300
        samples.record("lab", collected(at), [sample(at=at, cpu=cpu)])
    samples.record("lab", collected(), [sample(at=NOW - 60, cpu=4.0)])
    for _ in range(2):
        samples.thin("lab", now=NOW)
        hour, fresh = samples.of_node("lab", "n1", since=0)
        assert (hour.at, hour.seconds, hour.cpu_used, hour.cpu_peak, hour.memory_peak) == (old, HOUR, 2.0, 3.0, 3e9)
        assert (fresh.seconds, fresh.cpu_used) == (0.0, 4.0)


def test_an_hour_that_is_not_over_is_left_alone(samples: Samples) -> None:
    at = NOW - EXACT_SECONDS + 60
    samples.record("lab", collected(at), [sample(at=at)])
    samples.thin("lab", now=NOW + 120)  # the border lies in the middle of that hour
    assert samples.of_node("lab", "n1", since=0)[0].seconds == 0


def test_what_is_kept_is_bounded(samples: Samples) -> None:
    ancient, yesterday = NOW - KEPT_SECONDS - HOUR, NOW - PODS_SECONDS - 60
    samples.record("lab", collected(ancient), [sample(at=ancient)])
    samples.record("lab", collected(yesterday), [sample(at=yesterday)], [pod("gone", at=yesterday)])
    many = [pod(f"p{n}", memory=float(n)) for n in range(3 * MOST_PODS)]
    samples.record("lab", collected(), [sample()], [*many, pod("busy", memory=0.0, cpu=9.0)])
    samples.thin("lab", now=NOW)
    assert [n.at for n in samples.of_node("lab", "n1", since=0)] == [yesterday, NOW]
    kept = samples.pods("lab", limit=10_000)
    assert len(kept) <= MOST_PODS
    assert kept[0].pod == f"p{3 * MOST_PODS - 1}"
    assert "busy" in {p.pod for p in kept}
    assert samples.of_pod("lab", "shop", "gone") == []


def test_a_cluster_that_is_no_more_is_forgotten_alone(samples: Samples) -> None:
    for name in ("lab", "other"):
        samples.record(name, collected(), [sample()], [pod("web")])
    samples.forget("lab")
    assert (samples.newest("lab"), samples.pods("lab", limit=5), samples.collected("lab")) == ([], [], None)
    assert samples.newest("other") == [replace(sample())]
