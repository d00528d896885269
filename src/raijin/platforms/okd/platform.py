"""OKD behind the contract of all platforms: the installer makes it, its operators keep it, and all is done by calls."""

from __future__ import annotations

import platform as machine_here
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn, cast

from raijin.artifacts.catalogue import normal_arch
from raijin.artifacts.lock import Lock
from raijin.artifacts.needs import ArtifactNeed, Need
from raijin.errors import Unsupported
from raijin.facts.cluster import ClusterState
from raijin.facts.etcd import EtcdAccess, EtcdByCalls, EtcdState
from raijin.model.cluster import Cluster, ClusterType
from raijin.model.cni import CniName
from raijin.model.host import Host
from raijin.model.node_group import NO_NODES
from raijin.model.version import Version
from raijin.observe.revealing import revealed
from raijin.operations.forget import Forget
from raijin.operations.program import Program
from raijin.operations.restore import Restore
from raijin.plan.handlers import CallContext
from raijin.plan.model import Call, Change, Json
from raijin.platforms.addresses import known_address
from raijin.platforms.base import Action, Balanced, Context, Hop, Node, Outside, Parts, Work, secrets_made
from raijin.platforms.etcd import if_told
from raijin.platforms.okd import assets, backup, balanced, calls, etcd, installconfig, served, upgrade
from raijin.platforms.okd.look import INIT, KUBERNETES_PORTS, Machine, look, machine_of, seen_of
from raijin.platforms.okd.operators import releases
from raijin.platforms.okd.preflight import reasons
from raijin.platforms.okd.settings import names_of, settings_of
from raijin.platforms.outside import ByCalls
from raijin.platforms.platform import Document, Part
from raijin.platforms.view import HostView
from raijin.transport.okd import KUBECONFIG, OkdAccess, OkdTarget
from raijin.transport.pool import Pool

# "Minimum resource requirements for cluster installation" of OKD 4.19: control plane 4 CPU, 16 GiB; compute 2, 8.
CONTROL_PLANE = (4, 16 * 2**30)
WORKER = (2, 8 * 2**30)
FOUND_SECONDS = 1500.0
"""The installer may have to be unpacked first."""
START_SECONDS = 3 * 3600.0
"""People boot machines, each installs itself and pulls its images: an hour is common, and nobody should hurry."""
JOIN_SECONDS = 2 * 3600.0
COMPLETE_SECONDS = 2 * 3600.0
SETTLE_SECONDS = 1800.0


class Okd(ByCalls):
    """OKD on bare metal or any machines (cluster type OKD), installed with `platform: none`."""

    type = ClusterType.OKD
    kubeconfig = KUBECONFIG
    networks = frozenset({CniName.OVN_KUBERNETES})
    kube_proxy = False
    release = "openshift-install"
    known: Mapping[int, Version] = served.NEWEST
    inits = (INIT,)
    own_address = False
    renews_itself = "there is nothing to do: OKD renews them itself (`oc get clusteroperators` shows when it could not)"
    handlers = calls.HANDLERS
    by_hand = calls.BY_HAND

    def refused(self, cluster: Cluster) -> Iterable[Part]:
        return served.refused(cluster)

    def given(self, cluster: Cluster) -> dict[str, str]:
        """The pull secret, where the definition refers to one."""
        text = revealed(settings_of(cluster).pull_secret)
        return {assets.pull_secret_name(cluster.name): text} if text else {}

    def needs(self, cluster: Cluster, version: str, archs: Sequence[str], lock: Lock | None) -> list[Need]:
        """Programs for this machine; what the cluster runs, its machines pull themselves (see imageDigestSources)."""
        del cluster, archs, lock
        here = normal_arch(machine_here.machine())
        return [ArtifactNeed("openshift-install", version, here), ArtifactNeed("oc", version, here)]

    def target(self, host: Host, outside: Outside) -> OkdTarget:
        return OkdTarget(host.name, str(host.address), _access(outside), outside.ssh(host))

    async def look(self, pool: Pool, host: str) -> HostView:
        return await look(pool, host)

    def parts(self, facts: HostView) -> Parts:
        own = facts.own
        if not isinstance(own, Machine):
            return Parts(facts.owner)  # a host beside the cluster, which is an ordinary Linux
        seen, node = own.seen, own.node
        # Where the API is silent, whoever answers counts as what he was: nothing is ever started beside a cluster.
        # Before the bootstrap has ended, nodes are no members: what was begun is gone on with.
        there = seen.complete and (node is not None or (seen.silent and bool(own.ports)))
        started = there and (node is None or node.control_plane)
        found = sorted(own.ports & KUBERNETES_PORTS.keys())
        foreign = KUBERNETES_PORTS[found[0]] if found and not there and not (seen.begun and not seen.complete) else ""
        return Parts(seen.cluster if there else "", joined=there, started=started, begun=there, foreign=foreign)

    def etcd(self, cluster: Cluster) -> EtcdByCalls:
        del cluster
        return EtcdByCalls("okd", SETTLE_SECONDS)

    async def etcd_state(
        self, pool: Pool, hosts: Sequence[str], access: EtcdAccess | EtcdByCalls | None
    ) -> EtcdState | None:
        del access
        return await if_told(etcd.ask(pool, hosts))

    def least(self, node: Node) -> tuple[int, int]:
        return CONTROL_PLANE if node.control_plane else WORKER

    def balanced(self, context: Context, *, starting: bool) -> tuple[Balanced, ...]:
        return balanced.services(context, starting=starting)

    def preflight(self, context: Context) -> Iterable[str]:
        return reasons(context)

    def documents(self, context: Context) -> list[Document]:
        """Settings of the running cluster that the definition keeps: where pods go, channel, acknowledgements."""
        settings, found = settings_of(context.cluster), list[Document]()
        config = {"apiVersion": "config.openshift.io/v1"}
        found.append(
            {
                **config,
                "kind": "Scheduler",
                "metadata": {"name": "cluster"},
                "spec": {"mastersSchedulable": installconfig.masters_schedulable(context.cluster)},
            }
        )
        if settings.channel:
            version = {"kind": "ClusterVersion", "metadata": {"name": "version"}, "spec": {"channel": settings.channel}}
            found.append({**config, **version})
        if settings.admin_acks:
            name = {"name": "admin-acks", "namespace": "openshift-config"}
            data = dict.fromkeys(settings.admin_acks, "true")
            found.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": name, "data": data})
        return found

    def found(self, context: Context) -> Work:
        """The Ignition configurations, by the installer."""
        settings, cluster = settings_of(context.cluster), context.cluster
        arguments: dict[str, Json] = {
            "config": cast("Json", installconfig.install_config(cluster)),
            "manifests": cast("Json", installconfig.manifests(cluster)),
            "schedulable": installconfig.masters_schedulable(cluster),
            "release_image": settings.release_image or "",
            "planes": _planes(context),
        }
        return Work(Call("okd.assets", arguments), secrets_made(context), FOUND_SECONDS)

    def start(self, context: Context) -> Work:
        """The bootstrap machine and all control plane machines at once: they make etcd together."""
        machines = [*context.bootstrap, *context.nodes]
        change = Change(f"control plane of {context.cluster.name}", "state", "absent", "bootstrapped")
        arguments: dict[str, Json] = {**self._offer(context, machines), "planes": _planes(context)}
        return Work(Call("okd.start", arguments), (change,), START_SECONDS)

    def join(self, context: Context, node: Node) -> Work:
        role = "control plane" if node.control_plane else "worker"
        change = Change(f"machine {node.name}", "state", "no node", f"a node that is Ready ({role})")
        return Work(Call("okd.join", self._offer(context, [node])), (change,), JOIN_SECONDS)

    def complete(self, context: Context) -> Work | None:
        """Until the operators have made everything else; nothing where they once had."""
        if releases(seen_of(context).version).running:
            return None
        change = Change(f"operators of {context.cluster.name}", "state", "installing", "available")
        return Work(Call("okd.complete", {"expected": _expected(context)}), (change,), COMPLETE_SECONDS)

    def release_bootstrap(self, context: Context, node: Node) -> Call | None:
        if seen_of(context).released:
            return None
        group = next(g for g in context.cluster.node_groups if node.name in g.hosts)
        off = group.lifecycle is not None and group.lifecycle.cleanup_after_boot
        return Call("okd.release", {"power_off": off, "balanced": bool(context.beside)})

    def configure(self, context: Context, node: Node, *, outdated: bool) -> None:
        del context, node, outdated

    def advance(self, context: Context) -> Work | None:
        return upgrade.upgrade_of(context)

    def register(self, context: Context, node: Node) -> Work:
        """It cannot happen: a machine of which the API knows no node counts as one that has yet to join."""
        return self.join(context, node)

    def version_of(self, node: Node, state: ClusterState | None) -> None:
        """Machines follow the cluster by themselves, so none is ever outdated on its own (see `advance`)."""
        del node, state

    def control_plane_version(self, node: Node, state: ClusterState | None) -> Version | None:
        del state
        return releases(machine_of(node).seen.version).version

    def upgrade(self, context: Context, node: Node, hop: Hop, *, leads: bool) -> NoReturn:
        del node, hop, leads
        raise Unsupported(f"machines of {context.cluster.name} are not upgraded one by one", remedy="apply the version")

    def arrival(self, context: Context, node: Node, hop: Hop) -> NoReturn:
        self.upgrade(context, node, hop, leads=False)

    async def join_command(self, pool: Pool, context: Context, ttl_minutes: int) -> str:
        del pool, ttl_minutes
        raise Unsupported(
            f"{context.cluster.name} is an OKD cluster: machines join it by their Ignition configuration",
            remedy="put the machine into the definition, and apply it: Raijin offers the configuration then",
        )

    def leave(self, context: Context, node: Node) -> Action | None:
        if node.role in NO_NODES:
            if not node.parts.owner:
                return None
            return Program("leave the cluster", context.cluster.name, (Restore(), Forget()))
        if not node.joined and not machine_of(node).ports:
            return None
        change = Change(f"machine {node.name}", "state", f"a node of {context.cluster.name}", "switched off")
        return Work(Call("okd.shut-down"), (change,))

    async def fetch_pack(self, context: CallContext, host: str, target: Path) -> None:
        await backup.fetch(context, host, target)

    def halt(self, context: Context, node: Node) -> NoReturn:
        del node
        raise served.no_restoration(context.cluster.name)

    def seed(self, context: Context) -> NoReturn:
        raise served.no_restoration(context.cluster.name)

    def cluster_secrets(self, cluster: Cluster) -> list[str]:
        return [assets.secret_name(cluster.name), assets.pull_secret_name(cluster.name)]

    def _offer(self, context: Context, nodes: Iterable[Node]) -> dict[str, Json]:
        settings = settings_of(context.cluster)
        host, port = settings.ignition_server.place
        names = {node.name for node in context.bootstrap}
        machines = [
            {"name": node.name, "address": known_address(node), "role": _role(node, bootstrap=node.name in names)}
            for node in nodes
        ]
        clients = list(map(str, settings.ignition_server.clients))
        return {
            "machines": cast("Json", machines),
            "server": {"host": host, "port": port, "clients": cast("Json", clients)},
            "disk": settings.install_disk,
            "expected": _expected(context),
        }


def _planes(context: Context) -> list[Json]:
    return [node.name for node in context.control_planes]


def _role(node: Node, *, bootstrap: bool) -> str:
    return "bootstrap" if bootstrap else "master" if node.control_plane else "worker"


def _expected(context: Context) -> dict[str, Json]:
    """Whose certificate requests are signed: nodes of the definition, with the addresses that it gives them."""
    return {node.name: [known_address(node)] for node in context.nodes if known_address(node)}


def _access(outside: Outside) -> OkdAccess:
    """One for all machines of a cluster, so that its API is asked once."""
    made = outside.made.get("okd")
    if not isinstance(made, OkdAccess):

        def kubeconfig() -> str:
            kept = assets.parsed(outside.secret(assets.secret_name(outside.definition.name)))
            return kept.kubeconfig if kept is not None else ""

        def names() -> Mapping[str, str]:  # later: hosts are known before the definition's settings are judged
            return names_of(outside.definition)

        made = OkdAccess(outside.definition.name, outside.tool, kubeconfig, outside.secret, names)
        outside.made["okd"] = made
    return made


PLATFORM = Okd()
