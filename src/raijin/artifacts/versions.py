"""Which version goes with which Kubernetes version, when neither the definition nor the lock file says otherwise.

kubeadm compiles the tags of its own images in, so they are facts of a patch release, not a choice: read from
`cmd/kubeadm/app/constants/constants.go` (DefaultEtcdVersion, CoreDNSVersion, PauseVersion) of the modules
k8s.io/kubernetes at v1.29.{0,2,3,8,9,10,15}, v1.30.{0,4,5,14}, v1.31.{0,1,13,14}, v1.32.{0,9,10,13}, v1.33.{0,5,6,13},
v1.34.{0,1,2,10}, v1.35.{0,4}, v1.36.{0,3,4}. A line holds from its patch on. Between 1.29.10 and 1.29.15 the exact
patch at which etcd became 3.5.16 was not looked up; the line says 15. A lock file or a bundle that holds exactly one
tag of an image wins over this table, because a bundle carries what exists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from raijin.artifacts.catalogue import normal_version
from raijin.errors import Unsupported

OLDEST_MINOR = 29
NEWEST_MINOR = 36


@dataclass(frozen=True, slots=True)
class ImageTags:
    """The image tags that kubeadm asks for."""

    pause: str
    etcd: str
    coredns: str


@dataclass(frozen=True, slots=True)
class _Since:
    minor: int
    patch: int
    tags: ImageTags


KUBEADM_IMAGE_TAGS: tuple[_Since, ...] = (
    _Since(29, 0, ImageTags("3.9", "3.5.10-0", "v1.11.1")),
    _Since(29, 3, ImageTags("3.9", "3.5.12-0", "v1.11.1")),
    _Since(29, 9, ImageTags("3.9", "3.5.15-0", "v1.11.1")),
    _Since(29, 15, ImageTags("3.9", "3.5.16-0", "v1.11.1")),
    _Since(30, 0, ImageTags("3.9", "3.5.12-0", "v1.11.1")),
    _Since(30, 5, ImageTags("3.9", "3.5.15-0", "v1.11.3")),
    _Since(31, 0, ImageTags("3.10", "3.5.15-0", "v1.11.1")),
    _Since(31, 1, ImageTags("3.10", "3.5.15-0", "v1.11.3")),
    _Since(31, 14, ImageTags("3.10", "3.5.24-0", "v1.11.3")),
    _Since(32, 0, ImageTags("3.10", "3.5.16-0", "v1.11.3")),
    _Since(32, 10, ImageTags("3.10", "3.5.24-0", "v1.11.3")),
    _Since(33, 0, ImageTags("3.10", "3.5.21-0", "v1.12.0")),
    _Since(33, 6, ImageTags("3.10", "3.5.24-0", "v1.12.0")),
    _Since(34, 0, ImageTags("3.10.1", "3.6.4-0", "v1.12.1")),
    _Since(34, 2, ImageTags("3.10.1", "3.6.5-0", "v1.12.1")),
    _Since(35, 0, ImageTags("3.10.1", "3.6.6-0", "v1.13.1")),
    _Since(36, 0, ImageTags("3.10.2", "3.6.8-0", "v1.14.2")),
)

# The newest patch of each minor: for the minors that an upgrade leads through, when no lock or bundle holds one. The
# versions of the module k8s.io/kubernetes, and (1.36) Kubespray's checksums, at 2026-11.
NEWEST_PATCHES: dict[int, int] = {29: 15, 30: 14, 31: 14, 32: 13, 33: 13, 34: 10, 35: 8, 36: 4}

# Newest seen at 2026-08: containerd, runc and cni-plugins in kubespray's checksums.yml; helm's tag in its repository;
# k3s, rke2 and talos in their release channels. containerd 2.x serves CRI v1, which every Kubernetes from 1.26 on
# speaks.
DEFAULT_VERSIONS: dict[str, str] = {
    "containerd": "v2.3.4",
    "runc": "v1.4.3",
    "cni-plugins": "v1.9.1",
    "helm": "v4.2.4",
    "k3s": "v1.36.4+k3s1",
    "k3s-images": "v1.36.4+k3s1",
    "rke2": "v1.36.3+rke2r1",
    "rke2-images": "v1.36.3+rke2r1",
    "talosctl": "v1.13.9",
    "openshift-install": "v4.22.0-okd-scos.7",
    "oc": "v4.22.0-okd-scos.7",
}

_KUBERNETES = re.compile(r"v?1\.(\d+)\.(\d+)([-+][0-9A-Za-z.+-]+)?")


def minor_and_patch(kubernetes: str) -> tuple[int, int]:
    """(34, 10) for v1.34.10 or v1.34.10+k3s1.

    Raises Unsupported when it is not a full version or lies outside what Raijin serves (1.29 to 1.36).
    """
    found = _KUBERNETES.fullmatch(kubernetes.strip())
    if not found:
        raise Unsupported(
            f"{kubernetes!r} is not a full Kubernetes version", remedy="write major, minor and patch, such as v1.36.4"
        )
    minor, patch = int(found[1]), int(found[2])
    if not OLDEST_MINOR <= minor <= NEWEST_MINOR:
        raise Unsupported(
            f"Kubernetes {kubernetes} is outside what Raijin serves (1.{OLDEST_MINOR} to 1.{NEWEST_MINOR})",
            remedy=f"choose a version from 1.{OLDEST_MINOR} to 1.{NEWEST_MINOR}",
        )
    return minor, patch


def image_tags(kubernetes: str) -> ImageTags:
    """The tags that kubeadm of this version asks for; see the module's text for the source."""
    minor, patch = minor_and_patch(kubernetes)
    fitting = [line.tags for line in KUBEADM_IMAGE_TAGS if line.minor == minor and line.patch <= patch]
    return fitting[-1]


def default_version(name: str, kubernetes: str) -> str:
    """The catalogue's version of an artifact for a cluster of this Kubernetes version.

    etcd's tools go with older ones too, which distributions other than kubeadm's may run: etcdctl 3.5 serves them all.
    """
    older = _KUBERNETES.fullmatch(kubernetes.strip())
    if name == "etcd" and older and int(older[1]) < OLDEST_MINOR:
        kubernetes = f"v1.{OLDEST_MINOR}.0"
    minor, _ = minor_and_patch(kubernetes)
    if name in {"kubeadm", "kubelet", "kubectl"}:
        return normal_version(kubernetes)
    if name == "crictl":
        return f"v1.{minor}.0"  # cri-tools tags one .0 per Kubernetes minor and seldom a patch
    if name == "etcd":
        return f"v{image_tags(kubernetes).etcd.rpartition('-')[0]}"
    return DEFAULT_VERSIONS[name]
