"""RKE2 behind the contract of all platforms: what it is beside what it has in common with K3s."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from raijin.artifacts.catalogue import kind_of, normal_arch, normal_version
from raijin.artifacts.lock import Lock
from raijin.artifacts.needs import ArtifactNeed, Choice, Need
from raijin.model.cluster import Cluster, ClusterType
from raijin.model.cni import CniName
from raijin.model.rancher import Rke2
from raijin.model.version import Version
from raijin.operations.archive import Archive
from raijin.operations.base import Operation
from raijin.operations.directory import Directory
from raijin.operations.file import File
from raijin.operations.group import Group
from raijin.operations.program import Program
from raijin.operations.user import User
from raijin.platforms.base import Context, Node, Supply
from raijin.platforms.platform import Document, Part
from raijin.platforms.rancher import node
from raijin.platforms.rancher.certificates import RancherCertificates
from raijin.platforms.rancher.config import server_options, to_yaml
from raijin.platforms.rancher.layout import API_PORT, Distribution
from raijin.platforms.rancher.platform import RancherPlatform, releases
from raijin.platforms.rancher.rotation import RancherRotation
from raijin.platforms.rke2 import options
from raijin.platforms.tools import ETCD

PROGRAM = "/usr/local/bin/rke2"
DATA = "/var/lib/rancher/rke2"
SUPERVISOR_PORT = 9345
DISTRIBUTION = Distribution(
    product="rke2",
    name="RKE2",
    server_unit="rke2-server",
    agent_unit="rke2-agent",
    program=PROGRAM,
    kubectl=(f"{DATA}/bin/kubectl",),
    crictl=f"{DATA}/bin/crictl",
    supervisor_port=SUPERVISOR_PORT,
    # Its control plane is containers: their images are unpacked first.
    start_seconds=840,
)
IMAGES = "rke2-images"
NETWORKS = {CniName.CANAL: "canal", CniName.CILIUM: "cilium", CniName.CALICO: "calico", CniName.FLANNEL: "flannel"}
"""Those that it brings along, by its own words (pkg/cli/types.go, CNIItems)."""
GIBIBYTE = 1024**3
# The newest of each minor that is known here, at 2026-08 (channels.yaml, and its releases on GitHub).
_RELEASES = releases(
    "v1.29.15+rke2r1 v1.30.14+rke2r1 v1.31.14+rke2r1 v1.32.13+rke2r1 v1.33.13+rke2r1 v1.34.10+rke2r1 v1.35.7+rke2r1 "
    "v1.36.3+rke2r1"
)


class Rke2Platform(RancherPlatform):
    """RKE2: etcd on one, three or five servers, or a database outside; agents."""

    type = ClusterType.RKE2
    networks = frozenset(NETWORKS)
    release = "rke2"
    known: Mapping[int, Version] = _RELEASES
    distribution = DISTRIBUTION
    certificates = RancherCertificates(DISTRIBUTION)
    rotating = RancherRotation(DISTRIBUTION)
    kubeconfig = DISTRIBUTION.kubeconfig
    static_pods = DISTRIBUTION.static_pods
    images_artifact = IMAGES
    # docs.rke2.io, "Known Issues and Limitations".
    firewalld = "switch it off: it conflicts with RKE2's default network"
    flags = (options.SERVER, options.AGENT)
    # docs.rke2.io, "Requirements": 2 cores and 4 GB at least; some of it is the kernel's.
    least_machine = {True: (2, 3 * GIBIBYTE), False: (1, 3 * GIBIBYTE // 2)}  # noqa: RUF012

    def settings(self, cluster: Cluster) -> Rke2:
        return cluster.kubernetes.rke2

    def names_by(self, cluster: Cluster) -> str:
        chart = "rke2-coredns"  # its chart's name, and that of its release in the name of what it makes
        return "" if chart in self.settings(cluster).disable else f"{chart}-{chart}"

    def refused(self, cluster: Cluster) -> Iterable[Part]:
        yield from super().refused(cluster)
        settings, cni = self.settings(cluster), cluster.network.cni
        if cluster.kubernetes.api_server_port != API_PORT:
            yield "kubernetes.apiServerPort", f"RKE2 listens on {API_PORT} and nowhere else"
        if cni.name not in {*NETWORKS, CniName.NONE}:
            yield "network.cni.name", f"{cni.name} does not come with RKE2: choose another, or NONE to bring your own"
        for name in sorted(cni.model_fields_set - {"name"}):
            yield f"network.cni.{name}", "RKE2's own networks are set up by a HelmChartConfig of yours: leave it out"
        for component in settings.disable:
            if not component.startswith("rke2-"):
                yield "kubernetes.rke2.disable", f"{component} is no chart of RKE2: their names begin with rke2-"

    def needs(self, cluster: Cluster, version: str, archs: Sequence[str], lock: Lock | None) -> list[Need]:
        choice, own = Choice(version, lock or Lock()), normal_version(version)
        wanted: list[Need] = []
        for arch in dict.fromkeys(map(normal_arch, archs)):
            wanted.append(ArtifactNeed("rke2", own, arch))
            wanted.append(ArtifactNeed(IMAGES, own, arch, optional=True))
            if self.wants_etcd(cluster):
                # Its etcd runs in a container, which has an etcdctl too.
                wanted.append(ArtifactNeed(ETCD, choice.version(ETCD), arch, optional=True))
        return wanted

    def options(self, context: Context, host: Node) -> Document:
        cluster, settings = context.cluster, self.settings(context.cluster)
        found: Document = {"profile": "cis"} if settings.cis else {}
        if host.control_plane:
            found |= server_options(context, self.distribution, settings)
            found["cni"] = [NETWORKS.get(cluster.network.cni.name, "none")]
        return found

    def prepare(self, context: Context, host: Node) -> Program:
        more: tuple[Operation, ...] = ()
        if self.settings(context.cluster).cis and host.control_plane:
            # rke2 pkg/cli/cmds/profile_linux.go, validateETCDReqs; docs.rke2.io "CIS hardening guide".
            more = (Group("etcd", system=True), User("etcd", group="etcd"))
        return node.prepare(context, host, *self.system(context, host), *more, vxlan=True)

    def program(self, supply: Supply, host: Node) -> tuple[Operation, ...]:
        binary = supply.binaries["rke2"]
        # Its name on the host tells the version, which the file's does not.
        name = f"rke2-{binary.version}-linux-{host.architecture}.tar.gz"
        members = kind_of("rke2").archive_members(binary.version, host.architecture)
        return (Archive("/usr/local", binary.sha256, name, members=members),)

    def manifests(self, context: Context, host: Node) -> tuple[Operation, ...]:
        """Cilium's chart is told that there is no kube-proxy (docs.rke2.io, "Basic network options")."""
        if not host.control_plane or not context.cluster.network.cni.replaces_kube_proxy:
            return ()
        folder = f"{self.distribution.server_data}/manifests"
        values = {"kubeProxyReplacement": True, "k8sServiceHost": "localhost", "k8sServicePort": str(API_PORT)}
        document = {
            "apiVersion": "helm.cattle.io/v1",
            "kind": "HelmChartConfig",
            "metadata": {"name": "rke2-cilium", "namespace": "kube-system"},
            "spec": {"valuesContent": to_yaml(values)},
        }
        made = (Directory(self.distribution.server_data, mode="700"), Directory(folder, mode="700"))
        return (*(() if host.joined else made), File(f"{folder}/raijin-cilium.yaml", to_yaml(document), mode="600"))

    def unit_text(self, host: Node) -> str:
        del host
        return ""


PLATFORM = Rke2Platform()
