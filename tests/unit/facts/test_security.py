"""Modes, flags and a kubelet's settings, as the script of the facts tells them. Law: nothing secret is printed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from raijin.facts.security import SNIPPET, Guarded, Kubelet, parse

MANIFEST = """\
spec:
  containers:
  - command:
    - kube-apiserver
    - --advertise-address=192.0.2.11
    - --authorization-mode=Node,RBAC
    - "--anonymous-auth=false"
    - --audit-log-path
    - --etcd-servers=https://user:hunter2@192.0.2.9:2379
    image: registry.k8s.io/kube-apiserver:v1.34.2
"""
KUBELET = """\
apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: true
  webhook: {enabled: true}
authorization:
  mode: AlwaysAllow
staticPodURLHeader:
  Authorization:
  - Bearer hunter2
readOnlyPort: 10255
"""


def asked(root: Path) -> str:
    """The very script, on files below a folder in the place of the root."""
    script = SNIPPET
    for top in ("/etc/", "/var/"):
        script = script.replace(top, f"{root}{top}")
    done = subprocess.run(["/bin/sh", "-u"], input=script, capture_output=True, text=True, check=True)
    return done.stdout.replace(str(root), "")


def test_a_control_plane_host(tmp_path: Path) -> None:
    files = {
        "etc/kubernetes/admin.conf": ("client-key-data: hunter2\n", 0o600),
        "etc/kubernetes/pki/ca.key": ("hunter2\n", 0o644),
        "etc/kubernetes/pki/ca.crt": ("anybody's\n", 0o644),
        "etc/kubernetes/manifests/kube-apiserver.yaml": (MANIFEST, 0o600),
        "var/lib/kubelet/config.yaml": (KUBELET, 0o644),
    }
    for path, (text, mode) in files.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
    told = asked(tmp_path)
    assert "hunter2" not in told
    found = parse(told)
    modes = {file.path: file.mode for file in found.files}
    assert modes == {
        "/etc/kubernetes/admin.conf": 0o600,
        "/etc/kubernetes/pki/ca.key": 0o644,
        "/etc/kubernetes/manifests/kube-apiserver.yaml": 0o600,
    }
    assert found.pods == {
        "kube-apiserver": {"authorization-mode": "Node,RBAC", "anonymous-auth": "false", "audit-log-path": "true"}
    }
    assert found.kubelet == Kubelet(10255, anonymous=True, authorization="AlwaysAllow")


def test_a_host_without_any_of_it(tmp_path: Path) -> None:
    found = parse(asked(tmp_path))
    assert (found.files, found.pods, found.kubelet) == ((), {}, None)


def test_what_a_kubelet_is_not_told_is_its_default() -> None:
    assert parse("kubelet kind: KubeletConfiguration\n").kubelet == Kubelet()
    with pytest.raises(ValueError, match="is no mapping"):
        parse("kubelet - a list\n")
    with pytest.raises(ValueError, match="cannot be read"):
        parse("kubelet a: [\n")


@pytest.mark.parametrize(
    ("mode", "by_group", "by_all"),
    [(0o600, False, False), (0o640, True, False), (0o644, True, True), (0o701, False, True)],
)
def test_who_gets_at_a_file(mode: int, by_group: bool, by_all: bool) -> None:
    file = Guarded("/x", mode, "root")
    assert (file.by_group, file.by_all) == (by_group, by_all)
