"""The ways to make a Kubernetes cluster of hosts: one folder each, all behind the contract in platform.py."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from raijin.model.cluster import Cluster, ClusterType
from raijin.platforms.platform import Platform

PLATFORMS: dict[ClusterType, str] = {
    ClusterType.VANILLA: "raijin.platforms.kubeadm.platform",
    ClusterType.K3S: "raijin.platforms.k3s.platform",
    ClusterType.RKE2: "raijin.platforms.rke2.platform",
    ClusterType.TALOS: "raijin.platforms.talos.platform",
    ClusterType.OKD: "raijin.platforms.okd.platform",
}
"""Where each platform is; its module has it as PLATFORM. Imported when a cluster of its type is looked at."""


def platform_of(cluster: Cluster) -> Platform:
    """The platform of a cluster. Raises KeyError for a type that is not served: ask `served` before."""
    return platform_by(cluster.type)


def served(kind: ClusterType) -> bool:
    return kind in PLATFORMS


@cache
def platform_by(kind: ClusterType) -> Platform:
    return cast("Platform", import_module(PLATFORMS[kind]).PLATFORM)
