"""The authorities of a cluster replaced while it runs, under a client that reads and writes: one control plane host and
a worker, then three control planes behind one address; killed in the middle, gone on with, joined to, restored.

The tests of this module are one story and run in their order. They run where RAIJIN_LAB_PARTS names `authorities`: half
an hour on two idle cores.
"""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from tests.lab.conftest import PARTS, LabSite, make_site
from tests.lab.test_cluster import assert_destroyed, nodes
from tests.lab.test_ha import define
from tests.lab.traffic import Report, Traffic

from raijin.facts import x509
from raijin.platforms.kubeconfig import kubeconfig_secret
from raijin.state.secrets import SecretStore

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.timeout(2400),
    pytest.mark.skipif("authorities" not in PARTS, reason="RAIJIN_LAB_PARTS does not name authorities"),
]

ROTATE = ("cluster", "certificates", "rotate-ca", "--yes")
# A pod that asks the API with what every pod is given, by a new process each time: it trusts what it reads then.
READER = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: reader, namespace: default}]
---
apiVersion: v1
kind: Pod
metadata: {name: reader}
spec:
  serviceAccountName: reader
  nodeName: %s
  containers:
  - name: main
    image: %s
    imagePullPolicy: Never
    command: [sh, -c, "while :; do sleep 1; done"]
    volumeMounts: [{name: tools, mountPath: /tools}]
  volumes: [{name: tools, hostPath: {path: /run/tools}}]
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[LabSite]:
    """Five machines: three control planes at the end, a worker, and one that joins afterwards."""
    yield from make_site(tmp_path_factory.mktemp("authorities"), bundle, 5)


def kept(site: LabSite) -> str:
    """The kubeconfig that Raijin keeps."""
    cluster = list(yaml.safe_load_all(site.file.read_text()))[1]["name"]
    return SecretStore(site.home).get(kubeconfig_secret(cluster))


@contextmanager
def traffic(site: LabSite) -> Iterator[Report]:
    """A client that reads and writes meanwhile, and reads the kept kubeconfig again and again, as kubectl would."""
    client, ended = Traffic(kept(site)), threading.Event()

    def follow() -> None:
        last = ""
        while not ended.wait(0.2):
            now = kept(site)
            if now != last:
                client.use(now)
            last = now

    follower = threading.Thread(target=follow, daemon=True)
    client.start()
    follower.start()
    try:
        yield client.report
    finally:
        ended.set()
        follower.join(10)
        client.end()
        print(client.report, *client.report.failures[:20], sep="\n")  # noqa: T201  (pytest shows it)


def authorities(site: LabSite, name: str) -> dict[str, list[str]]:
    """By path, the keys of the authorities in each file of a host, and in its kubeconfigs."""
    found = {}
    script = (
        "cd /etc/kubernetes/pki; for f in $PWD/ca.crt $PWD/etcd/ca.crt $PWD/front-proxy-ca.crt; do "
        '[ ! -e "$f" ] || { echo "== $f"; cat "$f"; }; done; for f in /etc/kubernetes/*.conf; do echo "== $f"; '
        "sed -n 's/^ *certificate-authority-data: *//p' \"$f\" | base64 -d; done"
    )
    for part in site.ssh(name, script).split("== ")[1:]:
        path, _, text = part.partition("\n")
        found[path] = [x509.read(der).key for der in x509.blocks(text)]
    return found


def signers(site: LabSite) -> dict[tuple[str, str], str]:
    """Who signed each certificate that is listed and no authority."""
    told = site.raijin("cluster", "certificates", "list", "-f", str(site.file), "-o", "json").json()
    return {(c["node"], c["path"]): c["signer"] for c in told["certificates"] if not c["authority"]}


def shown(address: str, port: int = 6443) -> str:
    """The key that signed what a server shows."""
    return x509.read(ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((address, port)))).signer


def carry_kubectl(site: LabSite, source: str, target: str) -> None:
    """Workers have none; what lies in /run is gone at the end."""
    ssh = ["ssh", "-F", str(site.home / "lab" / "ssh_config"), "-o", "BatchMode=yes"]
    program = subprocess.run([*ssh, source, "cat /usr/local/bin/kubectl"], capture_output=True, check=True).stdout
    place = "mkdir -p /run/tools; cat >/run/tools/kubectl; chmod 755 /run/tools/kubectl"
    subprocess.run([*ssh, target, place], input=program, check=True)


def asks(site: LabSite) -> str:
    """A pod reads the API with its service account."""
    return site.kubectl("exec reader -- /tools/kubectl get namespace default -o name")


def resolves(site: LabSite, service: str) -> None:
    """CoreDNS, which read the authority at its start, learns of a new service from the API."""
    site.kubectl(f"create service clusterip {service} --tcp=80:80")
    deadline = time.monotonic() + 60
    while service not in (said := site.kubectl(f"exec reader -- nslookup {service}.default.svc.cluster.local || true")):
        assert time.monotonic() < deadline, said
        time.sleep(1)
    assert re.search(r"Address:? *(1: *)?10\.", said), said


def assert_rotated(site: LabSite, members: list[str], old: dict[str, dict[str, list[str]]]) -> None:
    """No host holds an old authority or anything that it signed; nothing of the rotation is left."""
    gone = {key for files in old.values() for keys in files.values() for key in keys}
    for name in members:
        now = authorities(site, name)
        assert now.keys() == old[name].keys()
        assert {len(keys) for keys in now.values()} == {1}, now
        assert not gone & {key for keys in now.values() for key in keys}
        left = "ls -d /etc/kubernetes/pki/rotation /var/lib/raijin/stamps/command:authorities* 2>/dev/null || true"
        assert site.ssh(name, left) == ""
    assert not gone & {*signers(site).values()}
    told = site.kubectl("-n kube-system get configmap extension-apiserver-authentication -o json")
    published = [*json.loads(told)["data"].values()]
    published += [
        one["data"]["ca.crt"]
        for one in json.loads(site.kubectl("get configmap -A -o json"))["items"]
        if one["metadata"]["name"] == "kube-root-ca.crt"
    ]
    held = {x509.read(der).key for text in published if "BEGIN CERT" in text for der in x509.blocks(text)}
    assert held
    assert not gone & held
    assert not [name for name in SecretStore(site.home).names() if "/authorities/" in name]


def refused(site: LabSite, kubeconfig: str, host: str) -> str:
    """What kubectl with an old kubeconfig is told."""
    site.ssh(host, "cat >/root/old.conf", stdin=kubeconfig)
    return site.ssh(host, "KUBECONFIG=/root/old.conf kubectl get nodes 2>&1; rm -f /root/old.conf", check=False)


def well(site: LabSite) -> None:
    assert site.plan()["steps"] == []
    report = site.raijin("cluster", "health", "-f", str(site.file), "-o", "json", code=None)
    found = report.json()
    assert "FAILED" not in json.dumps(found).upper(), report.out[:3000]


def test_one_control_plane_host_and_a_worker(site, kubernetes, before) -> None:
    first, worker = site.names[0], site.names[3]
    define(site, kubernetes, [first], [worker])
    site.apply()
    image = next(i for i in site.ssh(worker, "ctr -n k8s.io images ls -q").splitlines() if "busybox" in i)
    carry_kubectl(site, first, worker)
    site.kubectl("apply -f -", stdin=READER % (worker, image))
    site.kubectl("wait --for=condition=Ready pod/reader --timeout=120s")
    assert asks(site) == "namespace/default"


def test_all_authorities_are_replaced_under_a_client(site) -> None:
    first, worker = site.names[0], site.names[3]
    old, earlier = {name: authorities(site, name) for name in (first, worker)}, kept(site)
    assert len(old[first]) >= 7
    uid = site.kubectl("get pod reader -o jsonpath={.metadata.uid}")
    with traffic(site) as report:
        site.raijin(*ROTATE, "-f", str(site.file), timeout=1800)
    assert_rotated(site, [first, worker], old)
    assert shown(site.machines[0]["address"]) == authorities(site, first)["/etc/kubernetes/pki/ca.crt"][0]
    assert "certificate" in refused(site, earlier, first)
    assert report.lost == 0
    assert not [f for f in report.failures if "CERTIFICATE_VERIFY" in f], report.failures
    # The client may hold its old certificate for a moment longer than the API server takes it.
    assert len([f for f in report.failures if "401" in f]) < 10, report.failures
    assert site.kubectl("get pod reader -o jsonpath={.metadata.uid}") == uid, "pods of users are left alone"
    assert asks(site) == "namespace/default"
    resolves(site, "after-the-first")
    assert nodes(site) == {first: True, worker: True}
    well(site)


def test_hosts_join_afterwards(site, kubernetes) -> None:
    """Two control planes and a worker."""
    *planes, worker, spare = site.names
    define(site, kubernetes, planes, [worker, spare])
    site.apply()
    assert nodes(site) == dict.fromkeys(site.names, True)
    assert len(site.etcd_members(planes[0])) == 3
    assert site.plan()["steps"] == []


def test_three_control_planes_with_a_kill_in_the_middle(site, kill) -> None:
    """kill -9 of the run, and the same command goes on; a client meets next to no failure."""
    planes = site.names[:3]
    old = {name: authorities(site, name) for name in site.names}
    site.raijin("cluster", "backup", "--yes", "-f", str(site.file))
    with traffic(site) as report:
        child = site.start(*ROTATE, "-f", str(site.file))
        deadline = time.monotonic() + 900
        # In the second turn: the first control plane host has what the new authority signed, the third one has not.
        while (
            old[planes[0]]["/etc/kubernetes/pki/ca.crt"][0]
            == authorities(site, planes[1])["/etc/kubernetes/pki/ca.crt"][0]
        ):
            assert time.monotonic() < deadline
            assert child.poll() is None, "it ended before it could be killed"
            time.sleep(1)
        kill(child)
        listed = site.raijin("cluster", "certificates", "list", "-f", str(site.file))
        assert "signed anew by the new ones" in listed.err
        assert "are being replaced" in site.apply(code=None).err
        site.raijin(*ROTATE, "-f", str(site.file), timeout=1800)
    assert_rotated(site, site.names, old)
    new = authorities(site, planes[0])["/etc/kubernetes/pki/ca.crt"][0]
    assert {shown(machine["address"]) for machine in site.machines[:3]} == {new}
    assert report.lost == 0
    assert report.requests > 200
    assert len(report.failures) < report.requests / 20, report
    assert asks(site) == "namespace/default"
    resolves(site, "after-the-second")
    assert all(nodes(site).values())
    well(site)


def test_a_backup_from_before_brings_its_own_authorities(site) -> None:
    """Restored after the rotation: the workers trust the new ones, and are told of those of the backup."""
    site.raijin("cluster", "restore", "latest", "--yes", "--offline", "-f", str(site.file), timeout=1800)
    assert nodes(site) == dict.fromkeys(site.names, True)
    held = {authorities(site, name)["/etc/kubernetes/pki/ca.crt"][0] for name in site.names}
    assert len(held) == 1
    assert asks(site) == "namespace/default"
    assert site.plan()["steps"] == []


def test_destroy_leaves_nothing_behind(site, before) -> None:
    assert_destroyed(site, before)
