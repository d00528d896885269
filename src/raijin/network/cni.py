"""What a container network is to Raijin: images to have, documents to apply, and what must run before it counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from raijin.artifacts.needs import Choice
from raijin.model.cidr import IpNetwork
from raijin.model.cluster import Cluster
from raijin.model.cni import CniName
from raijin.model.version import Version
from raijin.network.certificates import Certificate

Document = dict[str, Any]
Part = tuple[str, str]
"""(field path of the definition, why it cannot be served)"""
Live = Mapping[str, Document | None]
"""Live objects by `Kind namespace/name`; None: not there."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The container network of one cluster, with what its definition leaves open.

    tags: of its images, by image name. api: host and port under which nodes reach the API servers without a kube-proxy.
    """

    cluster: Cluster
    tags: Mapping[str, str] = field(default_factory=dict)
    api: tuple[str, int] = ("", 0)

    @property
    def pods(self) -> tuple[IpNetwork, ...]:
        return self.cluster.network.pod_networks

    def pods_of(self, family: int) -> IpNetwork | None:
        """The pod network of an IP version (4 or 6), if the cluster has one."""
        return next((network for network in self.pods if network.version == family), None)

    def image(self, name: str) -> str:
        return f"{name}:{self.tags[name]}"

    def version(self, name: str) -> Version:
        """That of an image, by its tag; very new when the tag does not tell, because then it is somebody's own."""
        return Version.parse(self.tags[name]) or Version(999, 0, 0)


class ContainerNetwork(Protocol):
    """One container network. Its documents are data, written after its project's own manifests or chart."""

    name: CniName
    main_image: str
    """The image (registry/repository) whose version `network.cni.version` is."""

    def images(self, cluster: Cluster, choice: Choice) -> tuple[str, ...]:
        """The images it runs, with the versions that the definition, the lock or the catalogue chooses."""
        ...

    def documents(self, wanted: Wanted) -> list[Document]:
        """What to apply, in order."""
        ...

    def workloads(self, cluster: Cluster) -> tuple[Document, ...]:
        """What must be rolled out before pods can talk to each other; the first is what one knows the network by."""
        ...

    def refused(self, cluster: Cluster) -> Iterable[Part]:
        """What of a right definition it cannot serve."""
        del cluster
        return ()

    def certificates(self, cluster: Cluster) -> tuple[Certificate, ...]:
        """What its parts prove themselves to each other with."""
        del cluster
        return ()

    def least_kernel(self, cluster: Cluster) -> tuple[int, int]:
        """The oldest Linux that a host may have, beside what Kubernetes asks for."""
        del cluster
        return (0, 0)

    def ports(self, wanted: Wanted) -> Mapping[int, str]:
        """The TCP ports that it takes on every host, and for what."""
        del wanted
        return {}

    def conflicts(self, wanted: Wanted, live: Live) -> Iterable[str]:
        """Why what runs cannot become what is wanted, in place."""
        del wanted, live
        return ()

    def lingers(self, cluster: Cluster) -> str:
        """What stays in the kernel of a host that leaves, until it is restarted; empty when nothing does."""
        del cluster
        return ""
