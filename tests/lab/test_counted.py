"""Machines that a cluster only counts: made by the lab, joined, given back when the count falls or the cluster ends.

The tests of this module are one story and run in their order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.lab.conftest import LabSite

from raijin.app.lab import LAB_KUBEADM

pytestmark = [pytest.mark.lab]
SERVER, FIRST, SECOND = "edge-server-1", "edge-workers-1", "edge-workers-2"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, bundle: Path, kubernetes: str) -> Iterator[LabSite]:
    """A home without a machine, and a definition without a host."""
    site = LabSite(tmp_path_factory.mktemp("counted"), [])
    site.raijin("bundle", "import", str(bundle))
    template = {"cloudInit": {"packages": ["jq"], "runCmd": ["touch /srv/first-boot"]}}
    groups = [
        {"name": "server", "role": "CONTROL_PLANE", "count": 1, "template": template},
        {"name": "workers", "role": "WORKER", "count": 1},
    ]
    cluster = {
        "kind": "Cluster", "name": "edge", "type": "VANILLA", "version": kubernetes, "bootMethod": "TEMPLATE",
        "nodeGroups": groups, "kubernetes": {"kubeadm": LAB_KUBEADM},
    }  # fmt: skip
    site.file.write_text(yaml.safe_dump_all([{"kind": "Site", "machines": {"provider": "LAB"}}, cluster]))
    try:
        yield site
    finally:
        site.raijin("lab", "down", code=None)


def machines(site: LabSite) -> list[str]:
    site.machines = site.raijin("lab", "status", "-o", "json").json()
    return site.names


def nodes(site: LabSite) -> list[str]:
    found = json.loads(site.kubectl("get nodes -o json"))["items"]
    return sorted(item["metadata"]["name"] for item in found)


def resize(site: LabSite, count: int) -> None:
    text = site.file.read_text()
    documents = list(yaml.safe_load_all(text))
    documents[1]["nodeGroups"][1]["count"] = count
    site.file.write_text(yaml.safe_dump_all(documents))


def test_a_cluster_comes_to_be_where_there_was_no_machine(site) -> None:
    assert [step["stage"] for step in site.plan()["steps"]] == ["make", "make"]
    assert machines(site) == []
    site.apply()
    assert sorted(machines(site)) == [SERVER, FIRST]
    site.machines.sort(key=lambda machine: machine["name"])
    assert nodes(site) == [SERVER, FIRST]
    assert site.ssh(SERVER, "ls /srv/first-boot && command -v jq").splitlines() == ["/srv/first-boot", "/usr/bin/jq"]
    assert site.plan()["steps"] == []


def test_it_grows_and_shrinks_by_its_count(site) -> None:
    resize(site, 2)
    site.apply()
    assert sorted(machines(site)) == [SERVER, FIRST, SECOND]
    site.machines.sort(key=lambda machine: machine["name"])
    assert nodes(site) == [SERVER, FIRST, SECOND]
    assert site.plan()["steps"] == []
    resize(site, 1)
    site.apply()
    assert sorted(machines(site)) == [SERVER, FIRST]
    site.machines.sort(key=lambda machine: machine["name"])
    assert nodes(site) == [SERVER, FIRST]
    assert site.plan()["steps"] == []


def test_with_the_cluster_its_machines_go(site) -> None:
    site.raijin("destroy", "--yes", "-f", str(site.file))
    assert machines(site) == []
    assert site.plan("--destroy")["steps"] == []
