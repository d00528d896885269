"""Calico on real machines: pods reach each other, policies hold, a setting comes and goes, nothing is left behind.

One story, in its order. It runs where RAIJIN_LAB_PARTS names `calico`: the bundle's part of that name is built for it,
about five minutes on two cores the first time.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.lab.conftest import PARTS, ROOT, LabSite, make_site
from tests.lab.test_cluster import PODS, assert_destroyed, nodes

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif("calico" not in PARTS, reason="RAIJIN_LAB_PARTS does not name calico"),
]

# The network card of a lab machine has a name that Calico does not take for one.
LAB = {"mtuIfacePattern": "^host0$"}
DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: default}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, bundle) -> Iterator[LabSite]:
    command = [ROOT / "scripts" / "lab-bundle", "--part", "calico"]
    part = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    for site in make_site(tmp_path_factory.mktemp("calico"), bundle, 2):
        site.raijin("bundle", "import", part)
        yield site


def configure(site: LabSite, **settings: str) -> None:
    """Write Felix's further settings into the definition."""
    documents: list[Any] = list(yaml.safe_load_all(site.file.read_text()))
    documents[1]["network"] = {"cni": {"name": "CALICO", "configuration": {**LAB, **settings}}}
    site.file.write_text(yaml.safe_dump_all(documents, sort_keys=False))


def test_apply_makes_a_cluster_with_calico(site, kubernetes, before) -> None:
    site.define(workers=1, version=kubernetes)
    configure(site)
    result = site.apply("-o", "json").json()
    assert result["status"] == "done"
    assert nodes(site) == dict.fromkeys(site.names, True)
    live = json.loads(site.kubectl("-n kube-system get daemonset calico-node -o json"))["status"]
    assert (live["numberAvailable"], live["desiredNumberScheduled"]) == (2, 2), "the run waited for it"
    assert site.plan()["steps"] == []


def test_pods_reach_each_other_until_a_policy_says_no(site, before) -> None:
    listed = site.ssh(site.names[1], "ctr -n k8s.io images ls -q").splitlines()
    image = next(line for line in listed if "busybox" in line)
    site.kubectl("apply -f -", stdin=PODS % (image, image))
    site.kubectl("rollout status daemonset/web --timeout=180s")
    pods = json.loads(site.kubectl("get pods -l app=web -o json"))["items"]
    assert len(pods) == 2
    source, target = pods
    # `wget -T` of Debian's static busybox dies of its own alarm.
    fetch = f"exec {source['metadata']['name']} -- timeout 3 wget -qO- http://{target['status']['podIP']}:8080/"
    assert site.kubectl(fetch) == target["spec"]["nodeName"]
    site.kubectl("apply -f -", stdin=DENY)
    answer = f"{fetch} 2>&1 || echo refused"
    # Felix writes its rules a moment later.
    waiting = f"for i in $(seq 30); do kubectl {answer} | grep -q refused && exit 0; sleep 1; done; exit 1"
    site.ssh(site.names[0], f"export KUBECONFIG=/etc/kubernetes/admin.conf; {waiting}")
    site.kubectl("delete networkpolicy closed")
    opened = f"for i in $(seq 30); do kubectl {fetch} && exit 0; sleep 1; done; exit 1"
    said = site.ssh(site.names[0], f"export KUBECONFIG=/etc/kubernetes/admin.conf; {opened}")
    assert said == target["spec"]["nodeName"]


def test_a_setting_comes_and_goes_field_by_field(site, before) -> None:
    configure(site, logSeverityScreen="Warning")
    changes = [change for step in site.plan()["steps"] for change in step["changes"]]
    found = [(change["thing"], change["field"], change["after"]) for change in changes]
    assert found == [("FelixConfiguration default", "spec.logSeverityScreen", "Warning")]
    site.apply()
    assert site.plan()["steps"] == []
    configure(site)
    changes = [change for step in site.plan()["steps"] for change in step["changes"]]
    found = [(change["field"], change["before"], change["after"]) for change in changes]
    assert found == [("spec.logSeverityScreen", "Warning", "absent")]
    site.apply()
    assert site.plan()["steps"] == []


def test_destroy_leaves_the_hosts_as_they_were(site, before) -> None:
    assert_destroyed(site, before)
