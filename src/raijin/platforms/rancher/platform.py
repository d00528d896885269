"""What K3s and RKE2 are alike in, behind the contract of all platforms. Each adds what it is and where it differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from raijin.artifacts.lock import Lock
from raijin.artifacts.needs import Need
from raijin.facts.cluster import ClusterState
from raijin.facts.etcd import EtcdAccess
from raijin.model.cluster import Cluster, ClusterType
from raijin.model.cni import CniName
from raijin.model.rancher import Rancher
from raijin.model.version import Version
from raijin.observe.revealing import revealed
from raijin.operations.base import Operation, SecretRef
from raijin.operations.program import Program
from raijin.operations.restart import Restart
from raijin.operations.unit import Unit
from raijin.plan.model import Call
from raijin.platforms import boards
from raijin.platforms.base import Context, Hop, Node, Parts, Supply, Work, secrets_made
from raijin.platforms.platform import ApiServers, Document, Part
from raijin.platforms.programs import ByPrograms
from raijin.platforms.rancher import backup, calls, members, node, redhat, removal
from raijin.platforms.rancher.certificates import RancherCertificates
from raijin.platforms.rancher.config import faults, merged, node_options, registration, registries, to_yaml
from raijin.platforms.rancher.layout import Distribution
from raijin.platforms.rancher.rotation import RancherRotation
from raijin.platforms.tools import etcd_tools
from raijin.platforms.versions import newest_by_minor
from raijin.platforms.view import HostView
from raijin.transport.pool import Pool

SERVER_PORTS = {10250: "the kubelet", 10257: "kube-controller-manager", 10259: "kube-scheduler"}
ETCD_PORTS = {2379: "etcd", 2380: "etcd"}


class RancherPlatform(ByPrograms):
    """The common part of K3s and RKE2."""

    type: ClusterType
    networks: frozenset[CniName]
    release: str
    known: Mapping[int, Version]
    inits = ("systemd",)
    api_servers: ApiServers | None = None
    bootstrap_kubeconfig = ""
    kube_proxy = False  # it is a part of the program
    distribution: Distribution
    certificates: RancherCertificates
    rotating: RancherRotation
    images_artifact: str
    firewalld: str
    """What its documentation advises about a firewalld that runs."""
    flags: tuple[frozenset[str], frozenset[str]]
    """The options of server and agent that are documented."""
    least_machine: Mapping[bool, tuple[int, int]]
    """Of a server (True) and of an agent: CPU threads and bytes."""
    handlers = calls.HANDLERS
    by_hand = calls.BY_HAND

    kubeconfig: str
    static_pods: str

    # What each of the two says of itself.

    def settings(self, cluster: Cluster) -> Rancher:
        raise NotImplementedError

    def options(self, context: Context, host: Node) -> Document:
        """Options of config.yaml that are its own."""
        raise NotImplementedError

    def program(self, supply: Supply, host: Node) -> tuple[Operation, ...]:
        """Its binaries on a host."""
        raise NotImplementedError

    def manifests(self, context: Context, host: Node) -> tuple[Operation, ...]:
        """What a server puts into the cluster by itself when it starts."""
        del context, host
        return ()

    def unit_text(self, host: Node) -> str:
        """Of its unit file; empty where the binaries bring one along."""
        raise NotImplementedError

    def wants_etcd(self, cluster: Cluster) -> bool:
        """Whether the servers keep the cluster in an etcd of their own."""
        return self.settings(cluster).datastore is None

    # The contract.

    def refused(self, cluster: Cluster) -> Iterable[Part]:
        settings, where = self.settings(cluster), f"kubernetes.{self.distribution.product}"
        if cluster.platform_config:
            yield "platformConfig", f"the settings of {self.distribution.name} are typed: write them into `{where}`"
        if cluster.kubernetes.kubeadm.model_fields_set:
            yield "kubernetes.kubeadm", f"there is no kubeadm in {self.distribution.name}: use `{where}`"
        if settings.selinux_repository is not None and not settings.selinux:
            yield f"{where}.selinuxRepository", "nothing needs it: write `selinux: true` beside it, or take it out"
        if cluster.kubernetes.container_runtime.version is not None:
            yield "kubernetes.containerRuntime.version", "containerd comes with the program; choose by `version`"
        for name, added, known in (
            ("serverConfiguration", settings.server_configuration, self.flags[0]),
            ("agentConfiguration", settings.agent_configuration, self.flags[1]),
        ):
            yield from ((f"{where}.{name}.{key}", reason) for key, reason in faults(added, known))

    def given(self, cluster: Cluster) -> dict[str, str]:
        settings, found = self.settings(cluster), dict[str, str]()
        if settings.datastore is not None:
            store = settings.datastore
            files = {"cafile": store.ca_file, "certfile": store.cert_file, "keyfile": store.key_file}
            options = {"datastore-endpoint": revealed(store.endpoint) or ""}
            options |= {f"datastore-{name}": str(path) for name, path in files.items() if path is not None}
            found[_datastore_secret(cluster)] = to_yaml(options)
        if _registries_are_secret(settings):
            document = registries(cluster, settings)
            for name, access in settings.registries.items():
                if access.password is not None:
                    auth = {"username": access.username or "", "password": revealed(access.password) or ""}
                    document["configs"][name]["auth"] = auth
            found[_registries_secret(cluster)] = to_yaml(document)
        return found

    def needs(self, cluster: Cluster, version: str, archs: Sequence[str], lock: Lock | None) -> list[Need]:
        raise NotImplementedError

    def parts(self, facts: HostView) -> Parts:
        files, own = facts.files, self.distribution
        member = bool({*own.markers} & facts.markers)
        return Parts(
            owner=facts.owner,
            joined=member and own.kubelet_kubeconfig in files,
            started=member and own.kubeconfig in files,
            begun=bool(files & {own.kubeconfig, own.kubelet_kubeconfig, own.etcd_member, own.sqlite}),
            data=own.etcd_member in files,
            sqlite=own.sqlite in files and own.etcd_member not in files,
            foreign=facts.foreign,
        )

    def etcd(self, cluster: Cluster) -> EtcdAccess | None:
        return None if self.settings(cluster).datastore is not None else self.distribution.etcd

    def kept_outside(self, cluster: Cluster) -> bool:
        return self.settings(cluster).datastore is not None

    def least(self, host: Node) -> tuple[int, int]:
        return self.least_machine[host.control_plane]

    def ports(self, context: Context, host: Node) -> dict[int, str]:
        if not host.control_plane:
            return {10250: "the kubelet"}
        port = self.distribution.port(context.cluster.kubernetes.api_server_port)
        found = {**SERVER_PORTS, context.cluster.kubernetes.api_server_port: "the API server", port: "the supervisor"}
        return found | (ETCD_PORTS if self.wants_etcd(context.cluster) else {})

    def preflight(self, context: Context) -> Iterable[str]:
        yield from boards.reasons(context)
        yield from redhat.reasons(context, self.distribution, self.settings(context.cluster))

    def documents(self, context: Context) -> list[Document]:
        del context
        return []

    def prepare(self, context: Context, host: Node) -> Program:
        return node.prepare(context, host, *self.system(context, host))

    def system(self, context: Context, host: Node) -> tuple[Operation, ...]:
        """What its distribution of Linux needs beside others."""
        return redhat.redhat(self.distribution, self.settings(context.cluster), host)

    def equip(self, context: Context, host: Node) -> Program:
        return Program("install the binaries", context.cluster.name, self.binaries(context.supply(host), host))

    def binaries(self, supply: Supply, host: Node) -> tuple[Operation, ...]:
        return (*self.program(supply, host), *etcd_tools(supply, host))

    def services(self, context: Context, host: Node) -> Program:
        """Nothing of it runs before the host starts or joins; of a member `configure` takes care."""
        operations = node.folders(self.distribution, host)
        if not host.joined:
            operations += node.configuration(self.distribution, host, self.files(context, host))
            operations += self.manifests(context, host)
        return Program("lay down the configuration", context.cluster.name, operations)

    def files(self, context: Context, host: Node) -> node.Files:
        cluster, settings = context.cluster, self.settings(context.cluster)
        options = {**node_options(self.distribution, settings, host), **self.options(context, host)}
        if host.control_plane:
            shared = {k: v for k, v in settings.agent_configuration.items() if k in self.flags[0]}
            options = merged(merged(options, shared), settings.server_configuration)
        else:
            options = merged(
                {**options, "server": registration(context, self.distribution)}, settings.agent_configuration
            )
        plain = registries(cluster, settings)
        return node.Files(
            config=to_yaml(options),
            unit=self.unit_text(host),
            registries=SecretRef(_registries_secret(cluster))
            if _registries_are_secret(settings)
            else to_yaml(plain)
            if plain
            else "",
            datastore=SecretRef(_datastore_secret(cluster)) if settings.datastore and host.control_plane else "",
        )

    def unit(self, supply: Supply, host: Node) -> Unit:
        stamps = [stamp for operation in self.program(supply, host) for stamp in operation.stamps()]
        return node.running(self.distribution, host, stamps, unit=bool(self.unit_text(host)))

    def images(self, context: Context, host: Node) -> Program | None:
        return node.images(context, self.distribution, host, context.supply(host), self.images_artifact)

    def found(self, context: Context) -> Work:
        return Work(calls.found(self.distribution), secrets_made(context))

    def start(self, context: Context) -> Program:
        first, etcd = context.first, self.wants_etcd(context.cluster)
        return members.start(context, self.distribution, self.unit(context.supply(first), first), etcd=etcd)

    def convert(self, context: Context) -> Program | None:
        """From SQLite to etcd, where the only server has to let others in, or the definition says so."""
        started = context.started
        if len(started) != 1 or started[0].facts is None or not self.wants_etcd(context.cluster):
            return None
        if backup.kind(self.distribution, started[0]) != backup.SQLITE:
            return None
        return members.convert(context, self.distribution)

    def admit(self, context: Context, host: Node) -> Call | None:
        return calls.admission(context, self.distribution, host)

    def join(self, context: Context, host: Node) -> Program:
        unit, etcd = self.unit(context.supply(host), host), self.wants_etcd(context.cluster)
        return members.join(context, self.distribution, host, unit, etcd=etcd)

    def configure(self, context: Context, host: Node, *, outdated: bool) -> Program | None:
        """outdated: the upgrade before it lays the same files down."""
        if outdated:
            return None
        operations = (
            *node.configuration(self.distribution, host, self.files(context, host)),
            *self.manifests(context, host),
            self.unit(context.supply(host), host),
            *self.guarded(context, host),
            *members.address(context, self.distribution, host),
        )
        return Program("follow the settings", context.cluster.name, operations)

    def guarded(self, context: Context, host: Node) -> tuple[Operation, ...]:
        member = host.control_plane and host.parts.data
        return members.settled(context, self.distribution, etcd=True) if member else ()

    def register(self, context: Context, host: Node) -> Program:
        own = self.distribution
        operations = (Restart(own.unit(host)), *members.address(context, own, host))
        return Program("register the node again", context.cluster.name, operations)

    def version_of(self, host: Node, state: ClusterState | None) -> Version | None:
        live = state.nodes.get(host.name) if state else None
        if live is not None and live.version:
            return Version.parse(live.version)
        return Version.parse(host.facts.version_of(self.distribution.product)) if host.facts else None

    def control_plane_version(self, host: Node, state: ClusterState | None) -> Version | None:
        return self.version_of(host, state) if host.control_plane else None

    def hop_images(self, context: Context, host: Node, hop: Hop) -> Program | None:
        return node.images(context, self.distribution, host, hop.supply(host), self.images_artifact)

    def upgrade(self, context: Context, host: Node, hop: Hop, *, leads: bool) -> Program:
        """The program is replaced and started anew; it brings the rest of itself along."""
        del leads
        supply = hop.supply(host)
        operations = (
            *self.binaries(supply, host),
            *node.configuration(self.distribution, host, self.files(context, host)),
            self.unit(supply, host),
            *members.answers(self.distribution, server=host.control_plane),
            *self.guarded(context, host),
            *members.address(context, self.distribution, host),
        )
        return Program(f"upgrade to {hop.version}", context.cluster.name, operations)

    def revoke(self, context: Context, host: Node) -> Call | None:
        del context, host
        return Call("rancher.revoke", {})

    async def join_command(self, pool: Pool, context: Context, ttl_minutes: int) -> str:
        return await calls.join_command(pool, context, self.distribution, ttl_minutes)

    def leave(self, context: Context, host: Node) -> Program:
        del host
        return removal.leave(context, self.distribution)

    def pack(self, context: Context, host: Node) -> Program:
        return backup.pack(context, self.distribution, host)

    def snapshot_kind(self, host: Node) -> str:
        return backup.kind(self.distribution, host)

    def back_up(self, context: Context, host: Node) -> Program | None:
        if self.kept_outside(context.cluster):
            return None
        return backup.by_itself(context, self.distribution, host)

    def halt(self, context: Context, host: Node) -> Program:
        del host
        return backup.halt(context, self.distribution, containers=bool(self.distribution.supervisor_port))

    def seed(self, context: Context) -> Program:
        return backup.seed(context, self.distribution)

    def secrets(self, cluster: str, host: Node) -> list[str]:
        return [members.join_secret(cluster, host.name)]

    def cluster_secrets(self, cluster: Cluster) -> list[str]:
        tokens = [members.token_secret(cluster.name), members.agent_token_secret(cluster.name)]
        return [*tokens, _datastore_secret(cluster), _registries_secret(cluster)]


def releases(text: str) -> dict[int, Version]:
    """By minor."""
    return newest_by_minor(text.split())


def _datastore_secret(cluster: Cluster) -> str:
    return f"cluster/{cluster.name}/datastore"


def _registries_secret(cluster: Cluster) -> str:
    return f"cluster/{cluster.name}/registries"


def _registries_are_secret(settings: Rancher) -> bool:
    return any(access.password is not None for access in settings.registries.values())
