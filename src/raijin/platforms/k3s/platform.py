"""K3s behind the contract of all platforms: what it is beside what it has in common with RKE2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from raijin.artifacts.catalogue import normal_arch, normal_version
from raijin.artifacts.lock import Lock
from raijin.artifacts.needs import ArtifactNeed, Choice, Need
from raijin.model.cluster import Cluster, ClusterType
from raijin.model.cni import CniName
from raijin.model.rancher import Embedded, K3s
from raijin.model.version import Version
from raijin.operations.base import Operation
from raijin.operations.program import Program
from raijin.platforms.base import Context, Node, Supply
from raijin.platforms.k3s import options
from raijin.platforms.k3s.unit import unit_text
from raijin.platforms.platform import Document, Part
from raijin.platforms.rancher import node
from raijin.platforms.rancher.certificates import RancherCertificates
from raijin.platforms.rancher.config import api_port_option, server_options
from raijin.platforms.rancher.layout import Distribution
from raijin.platforms.rancher.platform import RancherPlatform, releases
from raijin.platforms.rancher.rotation import RancherRotation
from raijin.platforms.tools import ETCD

PROGRAM = "/usr/local/bin/k3s"
DISTRIBUTION = Distribution(
    product="k3s",
    name="K3s",
    server_unit="k3s",
    agent_unit="k3s-agent",
    program=PROGRAM,
    kubectl=(PROGRAM, "kubectl"),
    crictl="/var/lib/rancher/k3s/data/current/bin/crictl",
)
IMAGES = "k3s-images"
COMPONENTS = ("coredns", "local-storage", "metrics-server", "runtimes", "servicelb", "traefik")
"""What `disable` may name (k3s pkg/cli/cmds/stage.go)."""
BACKENDS = ("vxlan", "host-gw", "wireguard-native", "none")
MEBIBYTE = 1024 * 1024
# The newest of each minor that is known here, at 2026-08 (its releases on GitHub).
_RELEASES = releases(
    "v1.29.15+k3s1 v1.30.14+k3s2 v1.31.14+k3s1 v1.32.13+k3s1 v1.33.13+k3s2 v1.34.10+k3s1 v1.35.7+k3s1 v1.36.4+k3s1"
)


class K3sPlatform(RancherPlatform):
    """K3s: SQLite on one server, etcd on three or five, or a database outside; agents."""

    type = ClusterType.K3S
    networks = frozenset({CniName.FLANNEL})
    release = "k3s"
    known: Mapping[int, Version] = _RELEASES
    distribution = DISTRIBUTION
    certificates = RancherCertificates(DISTRIBUTION)
    rotating = RancherRotation(DISTRIBUTION)
    kubeconfig = DISTRIBUTION.kubeconfig
    static_pods = DISTRIBUTION.static_pods
    images_artifact = IMAGES
    # docs.k3s.io, "Requirements".
    firewalld = "switch it off, or let it pass 6443/tcp and the networks of pods and services"
    flags = (options.SERVER, options.AGENT)
    # docs.k3s.io, "Requirements": 2 cores and 2 GB for a server, 1 core and 512 MB for an agent; some of it is the
    # kernel's.
    least_machine = {True: (1, 900 * MEBIBYTE), False: (1, 450 * MEBIBYTE)}  # noqa: RUF012

    def settings(self, cluster: Cluster) -> K3s:
        return cluster.kubernetes.k3s

    def names_by(self, cluster: Cluster) -> str:
        return "" if "coredns" in self.settings(cluster).disable else "coredns"

    def wants_etcd(self, cluster: Cluster) -> bool:
        settings = self.settings(cluster)
        if settings.datastore is not None:
            return False
        return settings.embedded is Embedded.ETCD or (settings.embedded is None and cluster.control_plane_size > 1)

    def refused(self, cluster: Cluster) -> Iterable[Part]:
        yield from super().refused(cluster)
        settings, cni = self.settings(cluster), cluster.network.cni
        if settings.embedded is Embedded.SQLITE and cluster.control_plane_size > 1:
            yield "kubernetes.k3s.embedded", "several servers cannot share SQLite: leave it out, or write ETCD"
        if settings.embedded is not None and settings.datastore is not None:
            yield "kubernetes.k3s.embedded", "there is a datastore outside: name one of the two"
        for component in settings.disable:
            if component not in COMPONENTS:
                yield "kubernetes.k3s.disable", f"{component} is none of {', '.join(COMPONENTS)}"
        others = cni.model_fields_set - {"name", "backend"}
        if cni.name is CniName.FLANNEL and others:
            yield f"network.cni.{min(others)}", "K3s's own flannel has no such setting here: leave it out"
        if cni.name is CniName.FLANNEL and cni.backend not in {None, *BACKENDS}:
            yield "network.cni.backend", f"{cni.backend} is none of {', '.join(BACKENDS)}"

    def preflight(self, context: Context) -> Iterable[str]:
        yield from super().preflight(context)
        if self.convert(context) is None:
            return
        first = context.first
        running = self.version_of(first, context.state)
        if running is not None and running < context.cluster.kubernetes_version:
            yield f"{first.name}: it runs {running} with SQLite: upgrade it first, then let other servers join it"

    def needs(self, cluster: Cluster, version: str, archs: Sequence[str], lock: Lock | None) -> list[Need]:
        choice, own = Choice(version, lock or Lock()), normal_version(version)
        wanted: list[Need] = []
        for arch in dict.fromkeys(map(normal_arch, archs)):
            wanted.append(ArtifactNeed("k3s", own, arch))
            wanted.append(ArtifactNeed(IMAGES, own, arch, optional=True))
            if arch != "arm" and self.settings(cluster).datastore is None:
                # Without it members of etcd can be neither asked nor taken out.
                alone = not self.wants_etcd(cluster)
                wanted.append(ArtifactNeed(ETCD, choice.version(ETCD), arch, optional=alone))
        return wanted

    def options(self, context: Context, host: Node) -> Document:
        if not host.control_plane:
            return {}
        cluster, settings = context.cluster, self.settings(context.cluster)
        found = server_options(context, self.distribution, settings)
        found |= api_port_option(cluster)
        cni = cluster.network.cni
        if cni.name is not CniName.FLANNEL:
            found |= {"flannel-backend": "none", "disable-network-policy": True}
        elif cni.backend is not None:
            found["flannel-backend"] = cni.backend
        if settings.disable_network_policy:
            found["disable-network-policy"] = True
        if settings.disable_helm_controller:
            found["disable-helm-controller"] = True
        if settings.secrets_encryption:
            found["secrets-encryption"] = True
        return found

    def prepare(self, context: Context, host: Node) -> Program:
        cni = context.cluster.network.cni
        vxlan = cni.name is CniName.FLANNEL and cni.backend in {None, "vxlan"}
        return node.prepare(context, host, *self.system(context, host), vxlan=vxlan)

    def program(self, supply: Supply, host: Node) -> tuple[Operation, ...]:
        del host
        return (node.install(supply.binaries["k3s"], PROGRAM),)

    def unit_text(self, host: Node) -> str:
        return unit_text(server=host.control_plane)


PLATFORM = K3sPlatform()
