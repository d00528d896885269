"""What a kubeadm cluster needs: binaries and images, per architecture, by version."""

from __future__ import annotations

import pytest

from raijin.artifacts.lock import ImageEntry, Lock, LockEntry
from raijin.artifacts.needs import ArtifactNeed, ImageNeed
from raijin.errors import Unsupported
from raijin.model.cluster import Cluster
from raijin.platforms import platform_of

SHA = "a" * 64


def cluster(**more: object) -> Cluster:
    groups = [{"name": "cp", "role": "CONTROL_PLANE", "hosts": ["n1"]}]
    document = {"name": "c", "type": "VANILLA", "version": "v1.34.10", "nodeGroups": groups, **more}
    return Cluster.model_validate(document)


def needs(one: Cluster, version: str = "v1.34.10", archs: tuple[str, ...] = ("amd64",), lock: Lock | None = None):
    return platform_of(one).needs(one, version, archs, lock)


def test_defaults() -> None:
    found = needs(cluster(), archs=("amd64", "x86_64", "arm64"))
    assert ArtifactNeed("kubelet", "v1.34.10", "arm64") in found
    assert ArtifactNeed("containerd", "v2.3.4", "amd64") in found
    assert ArtifactNeed("etcd", "v3.6.5", "amd64", optional=True) in found
    assert ImageNeed("registry.k8s.io/etcd:3.6.5-0", "amd64") in found
    assert len(found) == len(set(found)) == 2 * (8 + 7)


def test_what_the_definition_pins_wins_over_the_bundle() -> None:
    held = Lock((LockEntry("containerd", "v2.2.9", "amd64", "archive", "c.tar.gz", SHA),))
    assert ArtifactNeed("containerd", "v2.2.9", "amd64") in needs(cluster(), lock=held)
    pinned = cluster(kubernetes={"containerRuntime": {"version": "2.1.0"}})
    assert ArtifactNeed("containerd", "v2.1.0", "amd64") in needs(pinned, lock=held)


def test_two_minors_side_by_side_keep_their_own_images() -> None:
    """A bundle for an upgrade holds both: each version takes its own etcd and pause."""
    images = [f"registry.k8s.io/{image}" for image in ("etcd:3.6.5-0", "etcd:3.6.6-0", "coredns/coredns:v1.12.1")]
    held = Lock((), tuple(ImageEntry(ref, "amd64", f"{n}.tar", SHA) for n, ref in enumerate(images)))
    assert ImageNeed(images[0], "amd64") in needs(cluster(), lock=held)
    assert ImageNeed(images[1], "amd64") in needs(cluster(), "v1.35.4", lock=held)


def test_a_version_out_of_range_is_refused() -> None:
    with pytest.raises(Unsupported, match="outside what Raijin serves"):
        needs(cluster(), "v1.20.1")
