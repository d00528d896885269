"""The binaries and images of a kubeadm cluster."""

from __future__ import annotations

from collections.abc import Sequence

from raijin.artifacts.catalogue import normal_arch, normal_version
from raijin.artifacts.images import KUBERNETES_REGISTRY, kubeadm_images
from raijin.artifacts.lock import Lock
from raijin.artifacts.needs import ArtifactNeed, Choice, ImageNeed, Need
from raijin.artifacts.versions import ImageTags, image_tags
from raijin.model.cluster import Cluster
from raijin.platforms.kubeadm import external
from raijin.platforms.tools import ETCD

OWN = ("kubelet", "kubeadm", "kubectl")
"""Released with Kubernetes, under its version."""
RUNTIME = ("crictl", "containerd", "runc", "cni-plugins")
PAUSE = f"{KUBERNETES_REGISTRY}/pause"


def needs(cluster: Cluster, version: str, archs: Sequence[str], lock: Lock | None) -> list[Need]:
    """What hosts of these architectures need. Raises Unsupported for a version that is not served."""
    choice = choice_of(cluster, version, lock)
    own = dict.fromkeys(OWN, normal_version(version))
    images = kubeadm_images(version, tags=tags(choice), kube_proxy=not cluster.network.cni.replaces_kube_proxy)
    wanted: list[Need] = []
    for arch in dict.fromkeys(map(normal_arch, archs)):
        wanted += [ArtifactNeed(name, own.get(name) or choice.version(name), arch) for name in (*OWN, *RUNTIME)]
        wanted.append(ArtifactNeed(ETCD, choice.version(ETCD), arch, optional=external.outside(cluster) is None))
        wanted += [ImageNeed(ref, arch) for ref in images]
    return wanted


def choice_of(cluster: Cluster, version: str, lock: Lock | None) -> Choice:
    runtime = cluster.kubernetes.container_runtime.version
    return Choice(version, lock or Lock(), {"containerd": runtime} if runtime else {})


def tags(choice: Choice) -> ImageTags:
    """kubeadm's own tags, or what a bundle holds in their place."""
    own = image_tags(choice.kubernetes)
    return ImageTags(
        pause=choice.tag(PAUSE, own.pause),
        etcd=choice.tag(f"{KUBERNETES_REGISTRY}/etcd", own.etcd),
        coredns=choice.tag(f"{KUBERNETES_REGISTRY}/coredns/coredns", own.coredns),
    )
