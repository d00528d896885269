"""The main job on real machines, as a user does it: apply, nothing to do, add, remove, destroy, nothing left behind.

The tests of this module are one story and run in their order.
"""

from __future__ import annotations

import json
import ssl
import time
from typing import Any

import pytest
import yaml

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(1800)]

PODS = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: web, namespace: default}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      tolerations: [{operator: Exists}]
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: %s
          imagePullPolicy: Never
          command: [sh, -c, "mkdir -p /www && echo $NODE > /www/index.html && exec httpd -f -p 8080 -h /www"]
          env: [{name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: movable, namespace: default}
spec:
  replicas: 4
  selector: {matchLabels: {app: movable}}
  template:
    metadata: {labels: {app: movable}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - {name: sleeper, image: %s, imagePullPolicy: Never, command: [sleep, "100000"]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: movable, namespace: default}
spec: {minAvailable: 3, selector: {matchLabels: {app: movable}}}
"""


def nodes(site) -> dict[str, bool]:
    """Ready, by node."""
    found = json.loads(site.kubectl("get nodes -o json"))["items"]
    return {
        item["metadata"]["name"]: any(
            c["type"] == "Ready" and c["status"] == "True" for c in item["status"]["conditions"]
        )
        for item in found
    }


def files_touched(site, name: str) -> str:
    """Configuration and state that Raijin manages, with change times: equal before and after means nothing was done."""
    return site.ssh(
        name,
        "find /etc /usr/local /opt/cni /var/lib/raijin -xdev -type f -printf '%p %C@ %s\\n' | sort;"
        " systemctl show kubelet containerd -p ExecMainStartTimestamp --value",
    )


def test_apply_makes_a_ready_cluster(site, kubernetes, before) -> None:
    """One definition, three empty hosts, no internet: every node is Ready and nothing is left of the way there."""
    site.define(workers=2, version=kubernetes)
    result = site.apply("-o", "json")
    assert result.json()["status"] == "done"
    names = site.names[:3]
    assert nodes(site) == dict.fromkeys(names, True)
    assert site.raijin("status", "-f", str(site.file), "-o", "json").json()["healthy"] is True
    for name in names:
        assert site.ssh(name, "ls /var/lib/raijin/stage 2>/dev/null", check=False) == ""
        assert site.ssh(name, "ls /etc/kubernetes/raijin/join.yaml 2>/dev/null", check=False) == ""
    tokens = [
        line for line in site.kubectl("get secrets -n kube-system -o name").splitlines() if "bootstrap-token" in line
    ]
    assert len(tokens) <= 1, "only the short-lived token that kubeadm init makes for itself may be left"


def test_a_pod_on_each_node_reaches_the_others(site, before) -> None:
    """Across nodes, by pod address, by service and by name: the container network and DNS do their work."""
    image = next(
        line for line in site.ssh(site.names[1], "ctr -n k8s.io images ls -q").splitlines() if "busybox" in line
    )
    site.kubectl("apply -f -", stdin=PODS % (image, image))
    site.kubectl("rollout status daemonset/web --timeout=120s")
    site.kubectl("rollout status deployment/movable --timeout=120s")
    pods = json.loads(site.kubectl("get pods -l app=web -o json"))["items"]
    assert len(pods) == 3
    for source in pods:
        for target in pods:
            url = f"http://{target['status']['podIP']}:8080/"
            said = site.kubectl(f"exec {source['metadata']['name']} -- wget -qO- {url}")
            assert said == target["spec"]["nodeName"]
        by_name = site.kubectl(f"exec {source['metadata']['name']} -- wget -qO- http://web.default.svc.cluster.local/")
        assert by_name in {pod["spec"]["nodeName"] for pod in pods}


def test_a_second_apply_does_nothing(site, before) -> None:
    """The plan is empty, and no file and no process of the hosts has changed."""
    names = site.names[:3]
    earlier = {name: files_touched(site, name) for name in names}
    assert site.plan()["steps"] == []
    assert site.apply("-o", "json").json()["changed"] is False
    assert {name: files_touched(site, name) for name in names} == earlier


def test_drift_is_found_field_by_field_and_mended(site, before) -> None:
    """What somebody changed by hand is in the plan with before and after, and only that is put right."""
    worker = site.names[1]
    site.ssh(worker, "sysctl -qw kernel.panic=5; echo '# by hand' >>/etc/containerd/config.toml")
    site.kubectl(f"label node {worker} node-role.kubernetes.io/worker-")
    plan = site.plan()
    assert {step["target"] for step in plan["steps"] if step["stage"] in {"prepare", "services"}} == {worker}
    changes = {(c["thing"], c["field"]): c for step in plan["steps"] for c in step["changes"]}
    assert any(field == "label node-role.kubernetes.io/worker" for _, field in changes)
    content = changes["file /etc/containerd/config.toml", "content"]
    assert "# by hand" in content["before"]
    assert "# by hand" not in content["after"]
    site.apply()
    assert site.plan()["steps"] == []
    assert site.ssh(worker, "cat /proc/sys/kernel/panic") == "10"


def test_a_setting_reaches_an_api_server_that_runs(site, kubernetes, before) -> None:
    """The audit log is switched on; the plan is empty after, and so it is when it is off again."""
    first, log = site.names[0], "/var/log/kubernetes/audit/audit.log"

    def audited(documents: list[Any]) -> None:
        documents[1]["kubernetes"] = {"audit": {"rules": [{"level": "Metadata"}]}}

    site.define(workers=2, version=kubernetes, change=audited)
    site.apply()
    assert "audit.k8s.io/v1" in site.ssh(first, f"tail -n 1 {log}")
    assert site.plan()["steps"] == []
    site.define(workers=2, version=kubernetes)
    site.apply()
    assert site.plan()["steps"] == []
    assert "audit-log-path" not in site.ssh(first, "cat /etc/kubernetes/manifests/kube-apiserver.yaml")


def test_certificates_are_renewed_and_used(site, before) -> None:
    """Every one that Raijin looks after is another one after; the API shows its new one, and nobody notices."""

    def ends() -> dict[tuple[str, str], float]:
        told = site.raijin("cluster", "certificates", "list", "-f", str(site.file), "-o", "json").json()
        return {(c["node"], c["path"]): c["ends"] for c in told["certificates"] if c["renewed_by"] == "apply"}

    earlier = ends()
    assert len(earlier) > 8
    site.raijin("cluster", "certificates", "renew", "--yes", "-f", str(site.file))
    later = ends()
    assert later.keys() == earlier.keys()
    assert [key for key in earlier if later[key] <= earlier[key]] == []
    first = site.names[0]
    lies = ssl.PEM_cert_to_DER_cert(site.ssh(first, "cat /etc/kubernetes/pki/apiserver.crt") + "\n")
    shown = ssl.get_server_certificate((site.machines[0]["address"], 6443))
    assert ssl.PEM_cert_to_DER_cert(shown) == lies
    assert all(nodes(site).values())
    assert site.plan()["steps"] == []


def test_a_saved_plan_is_refused_when_the_state_has_moved(site, before) -> None:
    """A plan promises what it saw; when that has moved it is refused with exit code 5 and nothing is changed."""
    worker = site.names[2]
    site.ssh(worker, "sysctl -qw kernel.panic=5")
    saved = site.home / "plan.json"
    site.plan("--out", str(saved))
    assert saved.stat().st_mode & 0o777 == 0o600
    site.ssh(worker, "sysctl -qw kernel.panic=10; systemctl stop kubelet")
    refused = site.apply(str(saved), code=5)
    assert "stale" in refused.err
    assert site.ssh(worker, "systemctl is-active kubelet", check=False) == "inactive"
    site.plan("--out", str(saved))
    site.apply(str(saved))
    assert site.ssh(worker, "systemctl is-active kubelet") == "active"


def test_worker_prepare_gets_a_host_ready_without_joining_it(site, before) -> None:
    """By address, as the one-line recipe has it: everything but the join is done, and the cluster is not touched."""
    machine = site.machines[3]
    site.raijin("worker", "prepare", machine["address"], "--yes", "--offline", "-f", str(site.file))
    assert site.ssh(machine["name"], "systemctl is-active containerd") == "active"
    assert site.ssh(machine["name"], "test -e /etc/kubernetes/kubelet.conf", check=False) == ""
    assert machine["name"] not in nodes(site)
    again = site.raijin("worker", "prepare", machine["name"], "--yes", "--offline", "-f", str(site.file), "-o", "json")
    assert again.json()["changed"] is False


def test_a_join_command_has_a_token_of_its_own(site, before) -> None:
    """For hosts that Raijin does not manage: endpoint, token with its time to live, and the hash of the CA."""
    command = site.raijin("worker", "join-command", "--ttl", "5m", "-f", str(site.file)).out.split()
    assert command[:2] == ["kubeadm", "join"]
    assert command[2] == f"{site.machines[0]['address']}:6443"
    token = command[command.index("--token") + 1]
    listed = site.ssh(site.names[0], "kubeadm token list")
    assert token in listed
    assert command[-1].startswith("sha256:")
    site.ssh(site.names[0], f"kubeadm token delete {token}")


def test_worker_add_touches_only_what_it_must(site, before) -> None:
    """A fourth host joins: the others are only read, and the definition keeps its comments."""
    name, others = site.names[3], site.names[:3]
    earlier = {other: files_touched(site, other) for other in others}
    site.raijin("worker", "add", name, "--yes", "--offline", "-f", str(site.file))
    assert nodes(site)[name] is True
    assert {other: files_touched(site, other) for other in others} == earlier
    text = site.file.read_text()
    assert text.startswith("# the lab's definition")
    assert name in yaml.safe_load_all(text).__next__()["hosts"][3]["name"]
    assert site.plan()["steps"] == []
    rows = site.raijin("worker", "list", "--status", "-f", str(site.file), "-o", "json").json()
    assert {row["name"]: row["state"] for row in rows}[name] == "Ready"


def test_worker_remove_drains_and_leaves_nothing_behind(site, before) -> None:
    """Pods move away without breaking their budget, the node goes, and the host is what it was before it joined."""
    name = site.names[3]
    site.kubectl("scale deployment/movable --replicas=8")
    site.kubectl("rollout status deployment/movable --timeout=120s")
    assert name in site.kubectl("get pods -l app=movable -o jsonpath={.items[*].spec.nodeName}")
    site.raijin("worker", "remove", name, "--drain", "--yes", "--offline", "-f", str(site.file))
    assert name not in nodes(site)
    site.kubectl("rollout status deployment/movable --timeout=120s")
    assert site.plan()["steps"] == []
    assert_as_before(site, name, before[name])


def test_the_kubeconfig_is_private_and_works(site, before) -> None:
    """Written with mode 0600; it names the cluster and reaches it."""
    path = site.home / "kube" / "config"
    site.raijin("kubeconfig", "--write", str(path), "-f", str(site.file))
    assert path.stat().st_mode & 0o777 == 0o600
    first = site.names[0]
    site.ssh(first, "cat >/root/kc", stdin=path.read_text())
    assert "Ready" in site.ssh(first, "KUBECONFIG=/root/kc kubectl get nodes; rm -f /root/kc")


def test_no_secret_is_in_state_plan_or_events(site, before) -> None:
    """Neither the admin's key nor a join token is in the state, engine or plan files."""
    kubeconfig = yaml.safe_load(site.raijin("kubeconfig", "-f", str(site.file)).out)
    key = kubeconfig["users"][0]["user"]["client-key-data"]
    for path in site.home.rglob("*"):
        if path.is_file() and path.suffix in {".sqlite", ".sqlite-wal", ".json", ".age"}:
            content = path.read_bytes()
            assert key.encode() not in content, path
            assert b"BEGIN RSA PRIVATE KEY" not in content, path


def test_destroy_leaves_the_hosts_as_they_were(site, before) -> None:
    """Packages, files, users, sysctls, links, mounts, packet filter, units, ports, processes: see snapshot.sh."""
    assert_destroyed(site, before)
    status = site.raijin("status", "-f", str(site.file), "-o", "json", code=20).json()
    assert {host["state"] for host in status["hosts"]} == {"not a node"}
    assert site.raijin("destroy", "--yes", "-f", str(site.file), "-o", "json").json()["changed"] is False


def assert_destroyed(site, before: dict[str, dict[str, str]]) -> None:
    site.raijin("destroy", "--yes", "-f", str(site.file))
    for name in site.names:
        assert_as_before(site, name, before[name])


def assert_as_before(site, name: str, before: dict[str, str]) -> None:
    deadline = time.monotonic() + 20  # ended processes and sockets go a moment later
    while True:
        after = site.snapshot(name)
        different = {
            title: sorted(set(before[title].splitlines()) ^ set(after.get(title, "").splitlines()))
            for title in before
            if before[title] != after.get(title)
        }
        if not different or time.monotonic() > deadline:
            assert not different, "\n".join(f"{name}: {title}: {lines}" for title, lines in different.items())
            return
        time.sleep(1)
