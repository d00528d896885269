"""Three control planes behind one address, and what befalls such a cluster: the loss of the address's holder, the loss
of a control plane for good, an upgrade under load, and the loss of all of them.

The tests of this module are one story and run in their order. They run where RAIJIN_LAB_PARTS names `ha`: they need
half an hour on two idle cores, with the second Kubernetes that is built for the upgrade.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.lab.conftest import PARTS, ROOT, LabSite, make_site
from tests.lab.test_cluster import assert_as_before, nodes
from tests.lab.traffic import Report, Traffic

from raijin.model.virtual_ip import VipProvider

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.timeout(2400),
    pytest.mark.skipif("ha" not in PARTS, reason="RAIJIN_LAB_PARTS does not name ha"),
]

NEWER = "v1.35.4"
GAPS = {VipProvider.KEEPALIVED: 5.0, VipProvider.KUBE_VIP: 7.0}
"""Seconds for which no request may go well when the holder of the address is lost. kube-vip's are those of its lease
(3), its next try (1), the deadline of a client whose request has just gone to the holder (2), one for a busy box."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[LabSite]:
    """Five machines: three control planes, a worker, and one that stands by."""
    yield from make_site(tmp_path_factory.mktemp("ha"), bundle, 5)


def define(
    site: LabSite, version: str, planes: list[str], workers: list[str], provider: VipProvider = VipProvider.KUBE_VIP
) -> None:
    def change(documents: list[Any]) -> None:
        cluster = documents[1]
        cluster["nodeGroups"] = [
            {"name": "control-plane", "role": "CONTROL_PLANE", "hosts": planes},
            {"name": "workers", "role": "WORKER", "hosts": workers},
        ]
        vip = {"address": address(site), "provider": provider.value}
        cluster["network"] = {**cluster.get("network", {}), "virtualIp": vip}

    site.define(workers=0, version=version, change=change)


def address(site: LabSite) -> str:
    return site.machines[0]["address"].rpartition(".")[0] + ".100"


def holder(site: LabSite, *, among: list[str]) -> str:
    """Which of these hosts has the virtual address now."""
    found = [name for name in among if address(site) in site.ssh(name, "ip -4 -o address show", check=False)]
    assert found, "no host has the virtual address"
    return found[0]


def ready(site: LabSite) -> dict[str, bool]:
    hosts = site.raijin("status", "-f", str(site.file), "-o", "json", code=None).json()["hosts"]
    return {host["name"]: host["state"] == "Ready" for host in hosts}


@contextmanager
def traffic(site: LabSite) -> Iterator[Report]:
    """A client that reads and writes through the virtual address meanwhile; its report is whole at the end."""
    client = Traffic(site.raijin("kubeconfig", "-f", str(site.file)).out)
    client.start()
    try:
        yield client.report
    finally:
        client.end()
        print(client.report, *client.report.failures[:20], sep="\n")  # noqa: T201  (pytest shows it when a test fails)


def assert_taken_over(site: LabSite, gap: float) -> None:
    """The holder loses its power under a client, another takes the address over, and the first one comes back."""
    planes = site.names[:3]
    lost = holder(site, among=planes)
    with traffic(site) as report:
        time.sleep(2)  # some requests before it
        site.raijin("lab", "off", lost, "--pull-plug")
        time.sleep(20)  # not a wait for a condition: what is measured is how the client fares meanwhile
    assert report.requests > 50
    assert report.gap < gap, report
    assert report.lost == 0
    assert holder(site, among=[name for name in planes if name != lost])
    site.raijin("lab", "on", lost)
    deadline = time.monotonic() + 180
    while not all(ready(site).values()):
        assert time.monotonic() < deadline, ready(site)
        time.sleep(2)
    assert site.plan()["steps"] == []


def test_three_control_planes_behind_one_address(site, kubernetes, before) -> None:
    """All are members of one etcd, the API is reached through the address, and a second plan is empty."""
    planes = site.names[:3]
    define(site, kubernetes, planes, [site.names[3]])
    site.apply()
    assert nodes(site) == dict.fromkeys(site.names[:4], True)
    assert site.plan()["steps"] == []
    assert f"https://{address(site)}:" in site.raijin("kubeconfig", "-f", str(site.file)).out
    assert holder(site, among=planes)


def test_the_holder_of_the_address_loses_its_power(site) -> None:
    """Another takes the address over."""
    assert_taken_over(site, GAPS[VipProvider.KUBE_VIP])


def test_a_control_plane_that_is_lost_for_good_is_replaced(site, kubernetes) -> None:
    """Its name is replaced in the file: the dead member leaves etcd before another one joins."""
    _, dead, _, worker, spare = site.names
    site.raijin("lab", "down", dead)
    text = site.file.read_text().replace(f"  - {dead}\n", f"  - {spare}\n", 1)
    assert text != site.file.read_text()
    site.file.write_text(text.replace("agent: false", "agent: false\n  connectTimeout: 3s"))
    site.apply()
    first = site.names[0]
    found = json.loads(site.kubectl("get nodes -o json"))["items"]
    assert {item["metadata"]["name"] for item in found} == {*site.names[:1], site.names[2], spare, worker}
    assert all(ready(site).values())
    assert len(site.etcd_members(first)) == 3
    assert site.plan()["steps"] == []


def test_upgrade_by_one_minor_while_a_client_reads_and_writes(site, kubernetes) -> None:
    """Control planes one at a time, then the worker; nothing that was confirmed is lost, and the plan is empty."""
    newer = subprocess.run(
        [ROOT / "scripts" / "lab-bundle", "--kubernetes", NEWER], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    site.raijin("bundle", "import", newer)
    with traffic(site) as report:
        site.raijin("cluster", "upgrade", "--version", NEWER, "--yes", "--offline", "-f", str(site.file), timeout=1800)
    assert report.lost == 0
    assert report.gap < 2 * GAPS[VipProvider.KUBE_VIP], report
    assert len(report.failures) < report.requests / 50, report
    found = json.loads(site.kubectl("get nodes -o json"))["items"]
    assert {item["status"]["nodeInfo"]["kubeletVersion"] for item in found} == {NEWER}
    assert all(ready(site).values())
    assert site.plan()["steps"] == []


def test_all_control_planes_are_lost_and_come_back_from_a_backup(site, before) -> None:
    """On new machines: what was written before the snapshot is there, what came later is not."""
    first, _, third, worker, spare = site.names
    site.kubectl("create configmap earlier --from-literal=a=b")
    site.raijin("cluster", "backup", "--yes", "--verify", "-f", str(site.file))
    site.kubectl("create configmap later --from-literal=a=b")
    planes = [first, third, spare]
    for name in planes:
        site.raijin("lab", "down", name)
    define(site, NEWER, planes, [worker])  # starts them anew, with other host keys
    before |= {name: site.snapshot(name) for name in planes}
    site.raijin("cluster", "restore", "latest", "--yes", "--offline", "-f", str(site.file))
    assert all(ready(site).values())
    found = site.kubectl("get configmaps -o name")
    assert "configmap/earlier" in found
    assert "configmap/later" not in found
    assert len(site.etcd_members(first)) == 3
    site.kubectl("create configmap after --from-literal=a=b")
    assert site.plan()["steps"] == []


def test_destroy_leaves_nothing_behind(site, before) -> None:
    site.raijin("destroy", "--yes", "-f", str(site.file))
    placed = list(yaml.safe_load_all(site.file.read_text()))[1]["nodeGroups"]
    for name in (name for group in placed for name in group["hosts"]):
        assert_as_before(site, name, before[name])
