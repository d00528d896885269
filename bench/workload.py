"""The work that every tool does: 25 tasks that prepare a Kubernetes node. The contents of the files are in files/."""

from __future__ import annotations

import shlex
from pathlib import Path

HERE = Path(__file__).parent

FILES = {
    "/etc/containerd/config.toml": ("containerd.toml", "644"),
    "/etc/crictl.yaml": ("crictl.yaml", "644"),
    "/etc/default/kubelet": ("kubelet.env", "644"),
    "/etc/security/limits.d/90-kubernetes.conf": ("limits.conf", "644"),
    "/etc/kubernetes/audit-policy.yaml": ("audit-policy.yaml", "600"),
    "/etc/systemd/system/bench-agent.service": ("bench-agent.service", "644"),
}
"""Path on the host -> (file in files/, mode). The owner is root."""

DIRECTORIES = {"/etc/containerd": "755", "/etc/kubernetes/manifests": "755", "/var/lib/etcd-data": "700"}
MODULES = ("overlay", "br_netfilter")
MODULES_FILE = "/etc/modules-load.d/90-kubernetes.conf"
SETTINGS = (
    ("net.bridge.bridge-nf-call-iptables", "1"),
    ("net.bridge.bridge-nf-call-ip6tables", "1"),
    ("net.ipv4.ip_forward", "1"),
    ("net.ipv4.conf.all.rp_filter", "2"),
)
SETTINGS_FILE = "/etc/sysctl.d/90-kubernetes.conf"
PACKAGES = ("ethtool", "iproute2", "iptables", "ca-certificates", "curl")
HOSTS_LINE = "198.51.100.250 api.bench.example"
UNIT = "bench-agent.service"
UNIT_FILE = "/etc/systemd/system/bench-agent.service"
MARKER = "/etc/kubernetes/.prepared"
GUARDED = ("sh", "-c", f"umask 077; echo ready >{MARKER}")

_VARIABLES = {
    "MODULES": "modules.conf",
    "SYSCTL": "sysctl.conf",
    "CONTAINERD": "containerd.toml",
    "CRICTL": "crictl.yaml",
    "KUBELET": "kubelet.env",
    "AGENT": "bench-agent.service",
    "LIMITS": "limits.conf",
    "AUDIT": "audit-policy.yaml",
}


def content(name: str) -> str:
    return (HERE / "files" / name).read_text()


def wanted_name(node: str) -> str:
    return f"{node}-k8s"


def converge_script() -> str:
    """The floor's script: the contents as variables, then the part that was written by hand."""
    lines = [f"{name}={shlex.quote(content(file).rstrip(chr(10)))}" for name, file in _VARIABLES.items()]
    return "\n".join([*lines, (HERE / "on_hosts" / "converge.sh").read_text()])
