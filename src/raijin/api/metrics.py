"""Metrics of the server for Prometheus: requests as they were, runs and runners as the state says when it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Seconds."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Numbers = Callable[[], dict[str, Mapping[Any, float]]]
"""Gauges by name: label, or labels in their order -> value."""

GAUGES: dict[str, tuple[str, str | tuple[str, ...]]] = {
    "raijin_runs": ("Runs in the journal, by state.", "state"),
    "raijin_runners": ("Runners that share the work, by whether they live.", "alive"),
    "raijin_clusters": ("Clusters in the store, by type.", "type"),
    "raijin_audit_entries": ("Entries of the audit trail; incidents are refused logins, tokens and host keys.", "kind"),
    "raijin_cluster_cpu_used_ratio": ("CPU that a cluster used when it was looked at last, of allocatable.", "cluster"),
    "raijin_cluster_memory_used_ratio": (
        "Memory that a cluster used when it was looked at last, of allocatable.",
        "cluster",
    ),
    "raijin_cluster_healthy": ("1 when no check found a fault when a cluster was looked at last, else 0.", "cluster"),
    "raijin_cluster_findings": (
        "What health checks found when a cluster was looked at last, beside what is well.",
        ("cluster", "category", "severity"),
    ),
    "raijin_cluster_health_timestamp_seconds": ("When the checks of a cluster were made last.", "cluster"),
    "raijin_cluster_certificate_days_left": ("Days until the first certificate of a cluster ends.", "cluster"),
    "raijin_cluster_backup_age_seconds": ("How old the newest backup of a cluster is.", "cluster"),
    "raijin_cluster_backup_verified_age_seconds": (
        "How old the newest backup is that was restored to try it, and well.",
        "cluster",
    ),
    "raijin_cluster_drift_steps": ("Steps of the last nightly plan: what has moved from the definition.", "cluster"),
    "raijin_event_listeners": ("Connections that follow events.", "kind"),
}


class Metrics:
    """One registry for a server; `numbers` is asked at every scrape."""

    def __init__(self, numbers: Numbers) -> None:
        self.registry = CollectorRegistry()
        self._requests = Histogram(
            "raijin_http_request_seconds", "Requests by route and status.", ["method", "route", "status"],
            registry=self.registry, buckets=BUCKETS,
        )  # fmt: skip
        self.registry.register(_Now(numbers))

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """route: its pattern, never the address itself, which anybody could make new ones of."""
        known = method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "other"
        self._requests.labels(known, route, str(status)).observe(seconds)

    def text(self) -> bytes:
        return generate_latest(self.registry)


class _Now(Collector):
    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked of the state when it is registered."""
        return []

    def collect(self) -> Iterable[Metric]:
        for name, values in self._numbers().items():
            summary, label = GAUGES[name]
            family = GaugeMetricFamily(name, summary, labels=[label] if isinstance(label, str) else list(label))
            for value, number in values.items():
                family.add_metric([value] if isinstance(value, str) else list(value), number)
            yield family
