"""Talos Linux behind the contract of all platforms: no program runs on its machines, so all is done by calls."""

from __future__ import annotations

import asyncio
import io
import platform as machine_here
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from raijin.artifacts.catalogue import normal_arch
from raijin.artifacts.lock import Lock
from raijin.artifacts.needs import ArtifactNeed, Need
from raijin.errors import Unsupported
from raijin.facts.cluster import ClusterState
from raijin.facts.etcd import EtcdAccess, EtcdByCalls, EtcdState
from raijin.model.cluster import Cluster, ClusterType
from raijin.model.cni import CniName
from raijin.model.host import Host
from raijin.model.version import Version
from raijin.model.virtual_ip import VipMode
from raijin.plan.handlers import CallContext
from raijin.plan.model import Call, Change, Json
from raijin.platforms.access import access_to
from raijin.platforms.addresses import api_endpoint, known_address
from raijin.platforms.base import Context, Hop, Node, Outside, Parts, Work
from raijin.platforms.etcd import if_told
from raijin.platforms.outside import ByCalls
from raijin.platforms.platform import Document, Part
from raijin.platforms.talos import bundle, calls, etcd, machine, merge
from raijin.platforms.talos.certificates import TalosCertificates
from raijin.platforms.talos.look import INIT, Machine, carrier, connection_to, look, machine_of
from raijin.platforms.talos.settings import faults, settings_of
from raijin.platforms.talos.versions import NEWEST, SUPPORTED, default_kubernetes
from raijin.platforms.view import HostView
from raijin.transport.pool import Pool
from raijin.transport.talos import KUBECONFIG, TalosAccess, TalosTarget

# Talos 1.12, "System Requirements": the least for a control plane machine, and for a worker.
CONTROL_PLANE = (2, 2 * 2**30)
WORKER = (1, 1 * 2**30)
SNAPSHOT_SECONDS = 1800.0
INSTALL_SECONDS = 2400.0
"""To pull the installer, write it, boot from it and start: the firmware of a server alone may take ten minutes."""
BOOT_SECONDS = 1800.0
BUNDLE_FILE = "/talos/secrets.yaml"
"""In a backup."""


class Talos(ByCalls):
    """Talos Linux (cluster type TALOS). `version` is that of Talos; Kubernetes has its own in `platformConfig`."""

    type = ClusterType.TALOS
    kubeconfig = KUBECONFIG
    networks = frozenset({CniName.FLANNEL})
    release = "talosctl"
    known: Mapping[int, Version] = NEWEST
    inits = (INIT,)
    own_address = True
    renews_itself = "there is nothing to do: Talos makes them anew itself (`talosctl health` shows when it could not)"
    certificates = TalosCertificates()
    handlers = calls.HANDLERS
    by_hand = calls.BY_HAND

    def refused(self, cluster: Cluster) -> Iterable[Part]:
        version = cluster.kubernetes_version
        if version.major != 1 or version.minor not in NEWEST:
            yield "version", f"Talos {version} is not served (served: 1.{min(NEWEST)} to 1.{max(NEWEST)})"
        yield from faults(cluster)
        if cluster.network.cni.name not in {CniName.FLANNEL, CniName.NONE}:
            yield "network.cni.name", "Talos clusters are served with FLANNEL, which Talos brings along, or NONE"
        cni = cluster.network.cni
        for name in sorted(cni.model_fields_set - {"name"}):
            alias = type(cni).model_fields[name].alias or name
            yield f"network.cni.{alias}", "Talos decides that itself; use platformConfig.patches"
        if "node_cidr_mask_size" in cluster.network.model_fields_set:
            yield "network.nodeCidrMaskSize", "use platformConfig.patches (cluster.controllerManager.extraArgs)"
        vip = cluster.network.virtual_ip
        if vip is not None:
            for name in sorted(vip.model_fields_set - {"address", "interface"}):
                if name != "mode" or vip.mode is VipMode.BGP:
                    alias = type(vip).model_fields[name].alias or name
                    yield f"network.virtualIp.{alias}", "Talos carries the address itself, by ARP"
        if cluster.kubernetes.kubeadm.model_fields_set:
            yield "kubernetes.kubeadm", "there is no kubeadm in Talos; use platformConfig"
        if cluster.kubernetes.container_runtime.version:
            yield "kubernetes.containerRuntime.version", "containerd is part of Talos"
        if cluster.backup.schedule is not None:
            yield "backup.schedule", "no timer runs on Talos; run `raijin cluster backup` by one of your own"

    def needs(self, cluster: Cluster, version: str, archs: Sequence[str], lock: Lock | None) -> list[Need]:
        """talosctl for this machine; what hosts run, they pull themselves (see registryMirrors)."""
        del cluster, archs, lock
        return [ArtifactNeed("talosctl", version, normal_arch(machine_here.machine()))]

    def target(self, host: Host, outside: Outside) -> TalosTarget:
        return TalosTarget(host.name, str(host.address), _access(outside))

    async def look(self, pool: Pool, host: str) -> HostView:
        return await look(pool, host)

    def parts(self, facts: HostView) -> Parts:
        own = facts.own if isinstance(facts.own, Machine) else Machine()
        there = bool(own.config)
        foreign = "Talos with a configuration" if own.foreign else ""
        started = own.control_plane and own.data
        return Parts(own.cluster, joined=there, started=started, begun=there, data=own.data, foreign=foreign)

    def etcd(self, cluster: Cluster) -> EtcdByCalls:
        del cluster
        return EtcdByCalls("talos")

    async def etcd_state(
        self, pool: Pool, hosts: Sequence[str], access: EtcdAccess | EtcdByCalls | None
    ) -> EtcdState | None:
        del access
        return await if_told(etcd.ask(pool, hosts))

    def least(self, node: Node) -> tuple[int, int]:
        return CONTROL_PLANE if node.control_plane else WORKER

    def preflight(self, context: Context) -> Iterable[str]:
        for node in context.reachable:
            own = machine_of(node)
            if own.config and own.control_plane != node.control_plane:
                role = "control plane machine" if own.control_plane else "worker"
                yield f"{node.name}: it is configured as a {role}: take it out of the definition, apply, put it back"
            if node.control_plane and context.cluster.network.virtual_ip and not _link(context, node):
                yield f"{node.name}: no interface for the virtual address was seen; name network.virtualIp.interface"
        yield from self._kubernetes_faults(context)

    def _kubernetes_faults(self, context: Context) -> Iterable[str]:
        name, talos = context.cluster.name, context.cluster.kubernetes_version
        wanted, running = _wanted_kubernetes(context), _running_kubernetes(context)
        oldest, newest = SUPPORTED[talos.minor]
        if not oldest <= wanted.minor <= newest:
            yield f"{name}: Talos {talos} runs Kubernetes 1.{oldest} to 1.{newest}, not {wanted}"
        if running is not None and wanted < running:
            yield f"{name}: it runs Kubernetes {running}, and the definition says {wanted}: Kubernetes cannot go back"
        if running is not None and wanted.minor > running.minor + 1:
            yield f"{name}: from Kubernetes {running}, go to 1.{running.minor + 1} first: one minor at a time"

    def documents(self, context: Context) -> list[Document]:
        del context
        return []

    def start(self, context: Context) -> Work:
        first, cluster = context.first, context.cluster
        planes: list[Json] = [node.name for node in context.control_planes if node.name != first.name]
        arguments: dict[str, Json] = {
            **self._config(context, first),
            "planes": planes,
            "talos": str(cluster.kubernetes_version),
            "port": cluster.kubernetes.api_server_port,
            "kubeconfig": KUBECONFIG,
        }
        how = "bootstrapped"
        if context.snapshot is not None:
            arguments |= {"snapshot": context.snapshot.sha256, "bundle": context.snapshot.files.get(BUNDLE_FILE, "")}
            how = f"recovered from {context.snapshot.id}"
        changes = (*_applied(first), Change(f"etcd of {cluster.name}", "state", "absent", how))
        return Work(Call("talos.start", arguments), changes, INSTALL_SECONDS)

    def join(self, context: Context, node: Node) -> Work:
        changes = _applied(node) or (Change(f"machine {node.name}", "state", "configured", "member"),)
        return Work(Call("talos.join", self._config(context, node)), changes, INSTALL_SECONDS)

    def configure(self, context: Context, node: Node, *, outdated: bool) -> Work | None:
        """What the definition says, beside what was applied. Kubernetes's version is brought by `advance`."""
        del outdated
        live = machine_of(node).config
        if not live:
            return None
        arguments = self._config(context, node)
        wanted = cast("list[Document]", arguments["config"])
        changes = merge.changes(f"machine configuration of {node.name}", live, wanted)
        mode = settings_of(context.cluster).apply_mode
        return Work(Call("talos.configure", {**arguments, "mode": mode}), changes) if changes else None

    def advance(self, context: Context) -> Work | None:
        wanted, running = _wanted_kubernetes(context), _running_kubernetes(context)
        if running is None or wanted <= running:
            return None
        arguments: dict[str, Json] = {
            "host": context.first.name,
            "version": str(wanted),
            "endpoint": f"https://{api_endpoint(context)}",
        }
        change = Change(f"Kubernetes of {context.cluster.name}", "version", str(running), str(wanted))
        return Work(Call("talos.upgrade-k8s", arguments), (change,))

    def register(self, context: Context, node: Node) -> Work:
        del context
        return Work(Call("talos.register"), (Change(f"kubelet of {node.name}", "state", "running", "restarted"),))

    def version_of(self, node: Node, state: ClusterState | None) -> Version | None:
        del state
        return Version.parse(machine_of(node).version)

    def control_plane_version(self, node: Node, state: ClusterState | None) -> Version | None:
        return self.version_of(node, state)

    def upgrade(self, context: Context, node: Node, hop: Hop, *, leads: bool) -> Work:
        del leads
        version = str(hop.version)
        image = machine.install_image(context.cluster, version)
        change = Change(f"machine {node.name}", "installer", machine_of(node).version, image)
        return Work(Call("talos.upgrade", {"image": image, "version": version}), (change,))

    def arrival(self, context: Context, node: Node, hop: Hop) -> Call:
        del node
        return Call("talos.wait-version", {**access_to(context, KUBECONFIG), "version": str(hop.version)})

    async def join_command(self, pool: Pool, context: Context, ttl_minutes: int) -> str:
        del pool, ttl_minutes
        raise Unsupported(
            f"{context.cluster.name} is a Talos cluster: machines join it by their configuration, not by a command",
            remedy="put the machine into the definition, and apply it",
        )

    def leave(self, context: Context, node: Node) -> Work | None:
        own = machine_of(node)
        if not own.config:
            return None
        before = f"configured for {own.cluster or context.cluster.name}"
        change = Change(f"machine {node.name}", "state", before, "wiped")
        return Work(Call("talos.reset"), (change,), BOOT_SECONDS)

    async def fetch_pack(self, context: CallContext, host: str, target: Path) -> None:
        """The snapshot comes by the API; the bundle, without which it could not be read, lies here."""
        connection = await connection_to(context.pool, host)
        name = bundle.bundle_secret(context.cluster)
        with TemporaryDirectory(dir=target.parent) as folder:
            snapshot = Path(folder) / "etcd.db"
            await connection.talosctl("etcd", "snapshot", str(snapshot), timeout=SNAPSHOT_SECONDS)
            await asyncio.to_thread(_pack, target, snapshot, context.secrets.get(name))

    def halt(self, context: Context, node: Node) -> Work:
        del context
        change = Change(f"etcd of {node.name}", "data", "present", "wiped")
        return Work(Call("talos.halt"), (change,), BOOT_SECONDS)

    def seed(self, context: Context) -> None:
        del context

    def _config(self, context: Context, node: Node) -> dict[str, Json]:
        kubernetes = str(_running_kubernetes(context) or _wanted_kubernetes(context))
        found = machine.documents(context, node, kubernetes=kubernetes, link=_link(context, node))
        return {"config": cast("Json", found)}


def _applied(node: Node) -> tuple[Change, ...]:
    if machine_of(node).config:
        return ()
    role = "control plane" if node.control_plane else "worker"
    return (Change(f"machine configuration of {node.name}", "state", "absent", f"applied ({role})"),)


def _running_kubernetes(context: Context) -> Version | None:
    """The oldest that a machine of the cluster is configured for; None when none is."""
    found = [Version.parse(text) for text in {machine_of(node).kubernetes for node in context.reachable}]
    return min((version for version in found if version is not None), default=None)


def _wanted_kubernetes(context: Context) -> Version:
    """What the definition says; where it says nothing, a cluster keeps what it has."""
    text = settings_of(context.cluster).kubernetes_version
    written = Version.parse(text) if text else _running_kubernetes(context)
    fallback = Version.parse(default_kubernetes(context.cluster.kubernetes_version))
    chosen = written or fallback
    if chosen is None:
        raise AssertionError("the table of versions holds something that is no version")
    return chosen


def _link(context: Context, node: Node) -> str:
    vip = context.cluster.network.virtual_ip
    return str(vip.interface) if vip is not None and vip.interface else carrier(node, known_address(node))


def _pack(target: Path, snapshot: Path, secrets: str) -> None:
    target.touch(mode=0o600)
    with tarfile.open(target, "w") as tar:
        tar.add(snapshot, "etcd.db")
        entry, data = tarfile.TarInfo(BUNDLE_FILE.lstrip("/")), secrets.encode()
        entry.size, entry.mode, entry.mtime = len(data), 0o600, int(snapshot.stat().st_mtime)
        tar.addfile(entry, io.BytesIO(data))


def _access(outside: Outside) -> TalosAccess:
    """One for all machines of a cluster, so that credentials are made once."""
    made = outside.made.get("talos")
    if not isinstance(made, TalosAccess):
        name = bundle.bundle_secret(outside.cluster)
        made = TalosAccess(outside.cluster, lambda: outside.tool("talosctl"), lambda: outside.secret(name))
        outside.made["talos"] = made
    return made


PLATFORM = Talos()
