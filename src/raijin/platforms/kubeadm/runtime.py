"""containerd and the kubelet as services of a host: their configuration files and units."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import tomli_w

from raijin.operations.base import Operation
from raijin.operations.directory import Directory
from raijin.operations.file import File

CONTAINERD_CONFIG = "/etc/containerd/config.toml"
CONTAINERD_UNIT = "/etc/systemd/system/containerd.service"
KUBELET_UNIT = "/etc/systemd/system/kubelet.service"
CERTS_FOLDER = "/etc/containerd/certs.d"

# After containerd's own unit (containerd/containerd, containerd.service, release 2.x) and the kubelet unit of
# kubernetes/release (cmd/krel/templates/latest/kubeadm/10-kubeadm.conf), as one file each.
_CONTAINERD_UNIT_TEXT = """\
[Unit]
Description=containerd container runtime
Documentation=https://containerd.io
After=network.target dbus.service

[Service]
ExecStartPre=-/sbin/modprobe overlay
ExecStart=/usr/local/bin/containerd
Type=notify
Delegate=yes
KillMode=process
Restart=always
RestartSec=5
LimitNPROC=infinity
LimitCORE=infinity
LimitNOFILE=1048576
TasksMax=infinity
OOMScoreAdjust=-999

[Install]
WantedBy=multi-user.target
"""

_KUBELET_UNIT_TEXT = """\
[Unit]
Description=kubelet: the Kubernetes node agent
Documentation=https://kubernetes.io/docs/
Wants=network-online.target
After=network-online.target containerd.service
StartLimitIntervalSec=0

[Service]
# kubeadm writes both files: flags that depend on the node, and the kubeconfig to join with.
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=/usr/local/bin/kubelet \\
  --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \\
  --kubeconfig=/etc/kubernetes/kubelet.conf \\
  --config=/var/lib/kubelet/config.yaml \\
  $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
Restart=always
RestartSec=2

[Install]
WantedBy=multi-user.target
"""


def containerd_files(version: str, pause: str, mirrors: Mapping[str, tuple[str, ...]]) -> list[Operation]:
    """containerd's configuration for Kubernetes: systemd cgroups, the pause image, registry mirrors."""
    operations: list[Operation] = [
        Directory("/etc/containerd"),
        File(CONTAINERD_CONFIG, _containerd_toml(version, pause)),
        File(CONTAINERD_UNIT, _CONTAINERD_UNIT_TEXT),
        Directory(CERTS_FOLDER),
    ]
    for registry, hosts in sorted(mirrors.items()):
        operations.append(Directory(f"{CERTS_FOLDER}/{registry}"))
        operations.append(File(f"{CERTS_FOLDER}/{registry}/hosts.toml", tomli_w.dumps(mirror_config(registry, hosts))))
    return operations


@cache
def _containerd_toml(version: str, pause: str) -> str:
    """Written once for all hosts."""
    return tomli_w.dumps(containerd_config(version, pause))


def containerd_config(version: str, pause: str) -> dict[str, object]:
    """config.toml. containerd 2 moved the CRI settings (its docs/cri/config.md: version 3), 1.x reads version 2."""
    runc: dict[str, object] = {"runtime_type": "io.containerd.runc.v2", "options": {"SystemdCgroup": True}}
    if version.removeprefix("v").startswith("1."):
        cri: dict[str, object] = {
            "containerd": {"default_runtime_name": "runc", "runtimes": {"runc": runc}},
            "registry": {"config_path": CERTS_FOLDER},
        }
        if pause:
            cri["sandbox_image"] = pause
        return {"version": 2, "plugins": {"io.containerd.grpc.v1.cri": cri}}
    images: dict[str, object] = {"registry": {"config_path": CERTS_FOLDER}}
    if pause:
        images["pinned_images"] = {"sandbox": pause}
    runtime = {"containerd": {"default_runtime_name": "runc", "runtimes": {"runc": runc}}}
    plugins = {"io.containerd.cri.v1.images": images, "io.containerd.cri.v1.runtime": runtime}
    return {"version": 3, "plugins": plugins}


def mirror_config(registry: str, hosts: tuple[str, ...]) -> dict[str, object]:
    """hosts.toml of one registry (containerd docs/hosts.md): the mirrors in order, then the registry itself."""
    server = "https://registry-1.docker.io" if registry == "docker.io" else f"https://{registry}"
    return {"server": server, "host": {host: {"capabilities": ["pull", "resolve"]} for host in hosts}}


def kubelet_files() -> list[Operation]:
    return [File(KUBELET_UNIT, _KUBELET_UNIT_TEXT)]
