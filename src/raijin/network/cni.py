"""What a container network is to Raijin: images to have, documents to apply, and what must run before it counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from raijin.artifacts.needs import Choice
from raijin.model.cluster import Cluster
from raijin.model.network import CniName

Document = dict[str, Any]
Part = tuple[str, str]
"""(field path of the definition, why it cannot be served)"""


class ContainerNetwork(Protocol):
    """One container network. Its documents are data, written after its project's own manifests or chart."""

    name: CniName
    main_image: str
    """The image (registry/repository) whose version `network.cni.version` is."""

    def refused(self, cluster: Cluster) -> Iterable[Part]:
        """What of a right definition it cannot serve."""
        ...

    def images(self, choice: Choice) -> tuple[str, ...]:
        """The images it runs, with the versions that the definition, the lock or the catalogue chooses."""
        ...

    def documents(self, cluster: Cluster, images: Mapping[str, str]) -> list[Document]:
        """What to apply, in order. images: tag by image name, those of `images`."""
        ...

    def workloads(self, cluster: Cluster) -> tuple[Document, ...]:
        """The workloads (kind, namespace, name) that must be available before pods can talk to each other."""
        ...
