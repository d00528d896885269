"""A cluster that grows up: one host, then a worker, then three control planes behind one address, each by the file.

The tests of this module are one story and run in their order, where RAIJIN_LAB_PARTS names `ha`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.lab.conftest import PARTS, LabSite, make_site
from tests.lab.test_cluster import assert_destroyed, nodes
from tests.lab.test_ha import GAPS, address, assert_taken_over, define

from raijin.model.virtual_ip import VipProvider

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif("ha" not in PARTS, reason="RAIJIN_LAB_PARTS does not name ha"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[LabSite]:
    yield from make_site(tmp_path_factory.mktemp("growth"), bundle, 4)


def test_one_host_is_a_cluster(site, kubernetes, before) -> None:
    site.define(workers=0, version=kubernetes)
    site.apply()
    site.kubectl("create configmap kept --from-literal=a=b")
    assert nodes(site) == {site.names[0]: True}


def test_a_worker_joins_it(site, kubernetes) -> None:
    def joined(documents: list[Any]) -> None:
        documents[1]["nodeGroups"].append({"name": "workers", "role": "WORKER", "hosts": site.names[3:]})

    site.define(workers=0, version=kubernetes, change=joined)
    assert all(step["disruption"] == "NONE" for step in site.plan()["steps"])
    site.apply()
    assert nodes(site) == {site.names[0]: True, site.names[3]: True}
    assert site.plan()["steps"] == []


def test_three_control_planes_behind_an_address_that_was_not_there(site, kubernetes) -> None:
    """The API server of the first one takes the address into its certificate, and every node goes by it."""
    define(site, kubernetes, site.names[:3], [site.names[3]])
    site.apply()
    assert nodes(site) == dict.fromkeys(site.names, True)
    assert len(site.etcd_members(site.names[0])) == 3
    assert site.kubectl("get configmap kept -o jsonpath={.data.a}") == "b"
    there = f"https://{address(site)}:"
    assert there in site.raijin("kubeconfig", "-f", str(site.file)).out
    assert there in site.ssh(site.names[3], "cat /etc/kubernetes/kubelet.conf")
    assert site.plan()["steps"] == []


def test_the_first_one_is_no_longer_needed(site) -> None:
    assert_taken_over(site, GAPS[VipProvider.KUBE_VIP])


def test_destroy_leaves_nothing_behind(site, before) -> None:
    assert_destroyed(site, before)
