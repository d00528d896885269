"""The networks that Raijin puts into and around clusters: container networks first."""

from __future__ import annotations

from raijin.artifacts.catalogue import normal_version
from raijin.artifacts.lock import Lock
from raijin.artifacts.needs import Choice
from raijin.model.cluster import Cluster
from raijin.network.calico.network import CALICO
from raijin.network.canal import CANAL
from raijin.network.cilium.network import CILIUM
from raijin.network.cni import ContainerNetwork
from raijin.network.flannel import FLANNEL

CONTAINER_NETWORKS: tuple[ContainerNetwork, ...] = (FLANNEL, CALICO, CANAL, CILIUM)
"""Every container network that Raijin installs itself."""


def container_network(cluster: Cluster) -> ContainerNetwork | None:
    """The one that the definition names; None when it names none, or one that the platform brings along."""
    return next((network for network in CONTAINER_NETWORKS if network.name is cluster.network.cni.name), None)


def choice_of(cluster: Cluster, version: str, lock: Lock | None, main_image: str) -> Choice:
    """The versions of a container network's images; `network.cni.version` is that of its main image."""
    pinned = cluster.network.cni.version
    return Choice(version, lock or Lock(), {main_image: normal_version(pinned)} if pinned else {})
