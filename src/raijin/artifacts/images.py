"""Container images: what a reference means, and which images a kubeadm cluster pulls.

References follow distribution's grammar [registry/]repository[:tag][@digest]; a first part without dot, colon or
"localhost" belongs to the repository, and the registry is then Docker Hub, whose own images live under library/.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from raijin.artifacts.catalogue import normal_version
from raijin.artifacts.versions import ImageTags, image_tags
from raijin.errors import ArtifactError

KUBERNETES_REGISTRY = "registry.k8s.io"
DOCKER_HUB = "docker.io"

_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_REGISTRY = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::\d{1,5})?")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ImageRef:
    """A parsed reference. `str()` gives the full form that containerd stores the image under."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> ImageRef:
        """Raises ArtifactError when `text` is not an image reference."""
        rest, at, digest = text.strip().partition("@")
        first, slash, path = rest.partition("/")
        if slash and ("." in first or ":" in first or first == "localhost"):
            registry = first
        else:
            registry, path = DOCKER_HUB, rest
        repository, colon, tag = path.partition(":")
        if registry == DOCKER_HUB and "/" not in repository:
            repository = f"library/{repository}"
        if not at and not colon:
            tag = "latest"
        good = (
            _REGISTRY.fullmatch(registry)
            and _REPOSITORY.fullmatch(repository)
            and (_TAG.fullmatch(tag) or (at and not colon))
            and (_DIGEST.fullmatch(digest) or not at)
        )
        if not good:
            raise ArtifactError(
                f"{text!r} is not an image reference",
                remedy="write registry/repository:tag in lower case",
            )
        return cls(registry, repository, tag, digest)

    @property
    def name(self) -> str:
        """Registry and repository, without tag and digest: what stays the same between versions."""
        return f"{self.registry}/{self.repository}"

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"


def image_file_name(ref: str, arch: str) -> str:
    """The name of the tar that holds one image of one architecture: registry.k8s.io_pause_3.10.1_amd64.tar."""
    return re.sub(r"[^A-Za-z0-9.-]+", "_", f"{ref}_{arch}") + ".tar"


def kubeadm_images(
    kubernetes: str, *, tags: ImageTags | None = None, repository: str = KUBERNETES_REGISTRY, kube_proxy: bool = True
) -> tuple[str, ...]:
    """What `kubeadm config images list` prints for this version (kubeadm's images/images.go, GetControlPlaneImages).

    tags: of pause, etcd and CoreDNS, when a bundle carries others than the version's own.
    repository: the definition's imageRepository; only under the default one does CoreDNS have a folder of its own.
    """
    chosen = tags or image_tags(kubernetes)
    version = normal_version(kubernetes)
    parts = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", *(["kube-proxy"] if kube_proxy else [])]
    dns = "coredns/coredns" if repository == KUBERNETES_REGISTRY else "coredns"
    return (
        *(f"{repository}/{part}:{version}" for part in parts),
        f"{repository}/{dns}:{chosen.coredns}",
        f"{repository}/pause:{chosen.pause}",
        f"{repository}/etcd:{chosen.etcd}",
    )
