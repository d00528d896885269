"""What a cluster needs, before anything is fetched: platform, Kubernetes version, architectures, CNI -> a list.

A version that the definition leaves open is the one that the lock (or bundle) holds, if it holds exactly one, because
offline only that one exists; otherwise the catalogue's for this Kubernetes version. `resolve` then finds each need in
the lock and reports all that are missing at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from raijin.artifacts.catalogue import normal_arch, normal_version
from raijin.artifacts.images import KUBERNETES_REGISTRY, flannel_images, kubeadm_images
from raijin.artifacts.lock import ImageEntry, Lock, LockEntry, missing
from raijin.artifacts.versions import FLANNEL, FLANNEL_CNI_PLUGIN, ImageTags, default_version, image_tags
from raijin.errors import Unsupported

_FLANNEL_NAME = "ghcr.io/flannel-io/flannel"


@dataclass(frozen=True, slots=True, order=True)
class ArtifactNeed:
    name: str
    version: str
    arch: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.arch})"


@dataclass(frozen=True, slots=True, order=True)
class ImageNeed:
    ref: str
    arch: str

    def __str__(self) -> str:
        return f"image {self.ref} ({self.arch})"


Need = ArtifactNeed | ImageNeed


class Resolved(NamedTuple):
    """The lock's entries for a list of needs, each list in the order of the needs."""

    artifacts: list[LockEntry]
    images: list[ImageEntry]


def needs_for(
    platform: str,
    kubernetes: str,
    archs: Iterable[str],
    *,
    cni: str = "flannel",
    lock: Lock | None = None,
    pinned: dict[str, str] | None = None,
    runtime: bool = True,
    tools: Sequence[str] = (),
    image_repository: str = KUBERNETES_REGISTRY,
) -> list[Need]:
    """The needs of one cluster, per architecture, without doubles.

    platform: kubeadm, k3s or rke2 (for the latter two, `kubernetes` is their own version, such as v1.36.4+k3s1).
    pinned: versions that the definition fixes, by artifact name ("flannel" and "flannel-cni-plugin" too).
    runtime: False when containerd, runc and the CNI plugins come as packages of the distribution.
    lock: leave it out when the lock file itself is being made anew, or it would hold on to its old versions.
    tools: further catalogue names, such as helm or etcd.
    Raises Unsupported for a platform, CNI or version that Raijin cannot serve.
    """
    held, fixed = lock or Lock(), pinned or {}

    def version(name: str) -> str:
        return normal_version(fixed.get(name) or held.only_version(name) or default_version(name, kubernetes))

    if platform == "kubeadm":
        names = ["kubelet", "kubeadm", "kubectl", "crictl"]
        names += ["containerd", "runc", "cni-plugins"] if runtime else []
        own = {name: normal_version(kubernetes) for name in ("kubelet", "kubeadm", "kubectl")}
        images = [*_kubeadm_images(kubernetes, held, image_repository), *_cni_images(cni, held, fixed)]
    elif platform in {"k3s", "rke2"}:
        default_version(platform, kubernetes)  # refuses a version outside what is served
        names, images = [platform, f"{platform}-images"], []
        own = dict.fromkeys(names, normal_version(kubernetes))
    else:
        raise Unsupported(
            f"there is no list of artifacts for platform {platform!r} yet", remedy="use kubeadm, k3s or rke2"
        )
    wanted = [*names, *(tool for tool in tools if tool not in names)]
    machine = list(dict.fromkeys(normal_arch(arch) for arch in archs))
    return [
        *(ArtifactNeed(name, own.get(name) or version(name), arch) for arch in machine for name in wanted),
        *(ImageNeed(ref, arch) for arch in machine for ref in images),
    ]


def resolve(needs: Iterable[Need], lock: Lock) -> Resolved:
    """The lock's entry for each need. Raises ArtifactError naming all that the lock does not hold."""
    found, absent = Resolved([], []), []
    for need in needs:
        if isinstance(need, ArtifactNeed):
            entry = lock.get(need.name, need.version, need.arch)
            found.artifacts.extend([entry] if entry else [])
            absent.extend([] if entry else [str(need)])
        else:
            image = lock.get_image(need.ref, need.arch)
            found.images.extend([image] if image else [])
            absent.extend([] if image else [str(need)])
    if absent:
        raise missing(absent, lock.origin)
    return found


def _kubeadm_images(kubernetes: str, held: Lock, repository: str) -> tuple[str, ...]:
    own = image_tags(kubernetes)
    dns = "coredns/coredns" if repository == KUBERNETES_REGISTRY else "coredns"
    tags = ImageTags(
        pause=held.only_tag(f"{repository}/pause") or own.pause,
        etcd=held.only_tag(f"{repository}/etcd") or own.etcd,
        coredns=held.only_tag(f"{repository}/{dns}") or own.coredns,
    )
    return kubeadm_images(kubernetes, tags=tags, repository=repository)


def _cni_images(cni: str, held: Lock, fixed: dict[str, str]) -> tuple[str, ...]:
    if cni in {"none", ""}:
        return ()
    if cni != "flannel":
        raise Unsupported(f"the images of CNI {cni!r} are not listed yet", remedy="use flannel, or cni: none")
    flannel = fixed.get("flannel") or held.only_tag(_FLANNEL_NAME) or FLANNEL
    plugin = fixed.get("flannel-cni-plugin") or held.only_tag(f"{_FLANNEL_NAME}-cni-plugin") or FLANNEL_CNI_PLUGIN
    return flannel_images(normal_version(flannel), normal_version(plugin))
