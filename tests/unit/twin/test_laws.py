"""The law of the lab, on simulated hosts, by the real planner and engine: nothing is left to do, or to clean up."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from raijin.app.utilisation import look
from raijin.errors import Unsupported
from raijin.model.cluster import ClusterType
from raijin.platforms.kubeadm import external
from raijin.twin import TWINS
from raijin.twin.run import Failed

EXAMPLES = Path(__file__).parents[3] / "examples"
MINIMAL = (EXAMPLES / "minimal.yaml").read_text()
HA = """
kind: Site
hosts:
  - {name: n1, address: 192.0.2.11}
  - {name: n2, address: 192.0.2.12}
  - {name: n3, address: 192.0.2.13}
  - {name: w1, address: 192.0.2.21}
---
kind: Cluster
name: trio
type: VANILLA
version: v1.34.2
network: {virtualIp: {address: 192.0.2.10}}
nodeGroups:
  - {name: control-plane, role: CONTROL_PLANE, hosts: [n1, n2, n3]}
  - {name: workers, role: WORKER, hosts: [w1]}
"""


def test_what_a_rehearsed_cluster_uses_can_be_looked_at(rehearse) -> None:
    result, stage = rehearse("minimal", then_empty=False)
    seen = asyncio.run(look(stage.session))
    assert (seen.source, seen.faults) == ("metrics.k8s.io", ())
    assert sorted(node.node for node in seen.nodes) == sorted(node.name for node in result.nodes)
    busiest = max(seen.nodes, key=lambda node: node.pods)
    assert busiest.cpu_used == pytest.approx(0.15 + 0.04 * busiest.pods)
    assert (busiest.cpu_size, busiest.pods_size) == (pytest.approx(3.8), 110)
    assert {pod.node for pod in seen.pods} <= {node.node for node in seen.nodes}


def test_a_host_in_use_is_not_as_it_was(rehearse) -> None:
    """What is asked after a destroy can fail."""
    _, stage = rehearse("minimal", then_empty=False)
    first = next(iter(stage.site.hosts.values()))
    assert "path /etc/kubernetes/admin.conf" in first.leftovers()


def test_nothing_is_left_after_a_destroy(rehearse) -> None:
    result, stage = rehearse(MINIMAL, verb="destroy")
    assert (result.error, result.later, result.left) == (None, [], {})
    assert stage.site.cluster is None
    assert all(host.leftovers() == [] for host in stage.site.hosts.values())


def test_three_control_planes_are_upgraded_with_their_quorum(rehearse) -> None:
    result, _ = rehearse(HA, verb="upgrade", start="v1.33.6")
    assert (result.error, result.later) == (None, [])
    assert {node.version for node in result.nodes} == {"v1.34.2"}


TALOS = (EXAMPLES / "talos-ha.yaml").read_text().replace("version: v1.12.0", "version: v1.13.9")
OLDER = {
    "k3s-ha": ((EXAMPLES / "k3s-ha.yaml").read_text(), "v1.33.13+k3s2", "v1.34.10+k3s1"),
    "rke2": ((EXAMPLES / "rke2.yaml").read_text(), "v1.33.13+rke2r1", "v1.34.10+rke2r1"),
    "talos-ha": (TALOS, "v1.12.0", "v1.34.1"),
    "okd": ((EXAMPLES / "okd.yaml").read_text(), "4.21.0-okd-scos.9", "v1.35.0"),
}
"""Definition, the version that it comes from, and that of the nodes in the end."""


@pytest.mark.parametrize("name", OLDER)
def test_the_others_are_upgraded_too(rehearse, name: str) -> None:
    text, start, version = OLDER[name]
    result, stage = rehearse(text, verb="upgrade", start=start)
    assert (result.error, result.later) == (None, [])
    assert {node.version for node in result.nodes} == {version}
    assert {host.release for host in stage.site.hosts.values()} == {"v1.13.9" if name == "talos-ha" else ""}


def test_a_platform_without_a_twin_is_refused(rehearse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(TWINS, ClusterType.VANILLA)
    with pytest.raises(Unsupported, match="cannot be rehearsed"):
        rehearse(MINIMAL)


def test_an_etcd_outside_outlives_the_cluster_and_is_not_taken_for_another_one(rehearse) -> None:
    _, stage = rehearse("external-etcd", verb="destroy")
    assert stage.site.cluster is not None
    assert all(host.leftovers() == [] for host in stage.site.hosts.values())
    with pytest.raises(Failed) as caught:
        stage.site.platform.perform(stage.site, next(iter(stage.site.hosts.values())), ("sh", "-c", external.EMPTY))
    assert "the data of a cluster already" in caught.value.output
