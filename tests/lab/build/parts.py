"""The parts that can be built: the default one, and what only some test suites need, each in a bundle of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import calico
import cilium
import cluster
from components import Companions, Component, all_components, cni_plugins, flannel_cni, talosctl
from oci import Image
from output import Artifact, Material


@dataclass(frozen=True)
class Part:
    """What is compiled for one output directory, and how it is laid out."""

    name: str
    version: str
    components: tuple[Component, ...]
    artifacts: Callable[[Material], Iterable[Artifact]]
    images: Callable[[Material], Iterable[Image]] = lambda _material: ()


def kubernetes(version: str, beside: Companions) -> Part:
    """The default part. Its name in the cache is its version alone."""
    components = tuple(all_components(version, beside))
    return Part("", version, components, cluster.artifacts, partial(cluster.images, beside=beside))


def _talos(material: Material) -> Iterable[Artifact]:
    yield material.binary("talosctl", "talosctl", f"talosctl-linux-{material.arch}")


OPTIONAL = {
    part.name: part
    for part in (
        Part("calico", calico.TAG, (calico.component(), cni_plugins(), flannel_cni()), calico.artifacts, calico.images),
        Part("cilium", cilium.VERSION, (cilium.component(), cni_plugins()), cilium.artifacts, cilium.images),
        Part("talos", talosctl().version, (talosctl(),), _talos),
    )
}
