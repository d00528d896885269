"""A definition from a cluster that runs: read over SSH and by its API, written, and its hosts registered as members.

Nothing is changed on any host.
"""

from __future__ import annotations

import asyncio
import io
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from raijin.app import observing
from raijin.app.targets import remembered, targets_of
from raijin.definition.definition import Definition
from raijin.definition.load import load
from raijin.errors import (
    HostError,
    KubernetesError,
    KubernetesUnavailable,
    NotFound,
    RaijinError,
    Unsupported,
    UsageError,
)
from raijin.facts.cluster import node_state
from raijin.model.cluster import ClusterType
from raijin.model.names import is_dns_name
from raijin.model.node_group import NO_NODES
from raijin.observe.masking import MASKER
from raijin.platforms.access import open_cluster, read_kubeconfig
from raijin.platforms.addresses import api_endpoint
from raijin.platforms.adoption import (
    FIELDS,
    KUBEADM_KINDS,
    PORT,
    Document,
    Found,
    FoundHost,
    additions,
    cluster_of,
    remarks,
    site_of,
)
from raijin.platforms.base import Context, Node
from raijin.platforms.kubeadm.config import running_documents
from raijin.platforms.kubeadm.paths import CONFIG_FILE, ENCRYPTION_FILE
from raijin.platforms.kubeconfig import kubeconfig_secret, parsed, renamed
from raijin.platforms.view import HostView
from raijin.state.database import open_database
from raijin.state.member import Member
from raijin.state.members import Members
from raijin.state.secrets import SecretStore
from raijin.state.snapshot import read_members
from raijin.transport.kube import Kube
from raijin.transport.pool import Pool

KINDS = {
    "/etc/kubernetes/admin.conf": ClusterType.VANILLA,
    "/etc/rancher/k3s/k3s.yaml": ClusterType.K3S,
    "/etc/rancher/rke2/rke2.yaml": ClusterType.RKE2,
}
"""The administrator's kubeconfig, by which one tells what made the cluster."""
MAPS = {
    "ClusterConfiguration": ("kubeadm-config", "ClusterConfiguration"),
    "KubeletConfiguration": ("kubelet-config", "kubelet"),
    "KubeProxyConfiguration": ("kube-proxy", "config.conf"),
}
"""Where kubeadm keeps its objects: ConfigMaps of kube-system, and the key in each."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """text: the definition. members: the hosts that were registered. remarks: what could not be recognised."""

    name: str
    text: str
    members: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """How hosts are reached: the `ssh` and `become` of a Site."""

    ssh: Mapping[str, Any]
    become: Mapping[str, Any]


async def adopt(home: Path, address: str, way: Way, *, name: str | None = None) -> Adopted:
    """Read the cluster that the control plane host at `address` belongs to, and register its hosts.

    Raises NotFound when no control plane runs there, HostError, KubernetesError, UsageError and Unsupported.
    """
    host = _host_name(address)
    first = _provisional([(host, address)], way)
    pool = Pool(targets_of(first.site().hosts, first, home))
    try:
        view = await observing.facts_of(pool, host)
        kind, path = _kind(view, address)
        kubeconfig = await read_kubeconfig(pool, host, path)
        found = await _ask(pool, kind, address, kubeconfig, way)
        found = replace(found, owner=view.owner, name=_name(name, view, found))
        found = await _from_host(pool, host, view, found)
    except RaijinError as error:
        error.host = address if error.host == host else error.host
        raise
    finally:
        await pool.close()
    found = await _reach(home, found, way)
    text = _written(found, way)
    return _registered(home, found, load(io.StringIO(text)), text, kubeconfig)


def _host_name(address: str) -> str:
    """What errors call a host of which nothing but its address is known: by that, as far as it can be a name."""
    return address.lower() if is_dns_name(address.lower()) else f"ip-{re.sub(r'[^0-9a-z]', '-', address.lower())}-x"


def _provisional(hosts: Iterable[tuple[str, str]], way: Way) -> Definition:
    """A Site of these hosts: only to reach them."""
    entries = [{"name": name, "address": address} for name, address in hosts]
    site = {"kind": "Site", "ssh": dict(way.ssh), "become": dict(way.become), "hosts": entries}
    return load(io.StringIO(yaml.safe_dump(site)))


def _kind(view: HostView, address: str) -> tuple[ClusterType, str]:
    for path, kind in KINDS.items():
        if path in view.files:
            return kind, path
    raise NotFound(
        f"no control plane that could be adopted runs on {address}: none of {', '.join(KINDS)} is there",
        remedy="give the address of a control plane host (Talos and OKD clusters cannot be adopted yet)",
    )


def _server(kubeconfig: str) -> str:
    clusters = parsed(kubeconfig).get("clusters") or [{}]
    return str(clusters[0].get("cluster", {}).get("server", "")).removeprefix("https://")


async def _ask(pool: Pool, kind: ClusterType, address: str, kubeconfig: str, way: Way) -> Found:
    """By the usual port of the API server on its host, else by that of the kubeconfig, which may be a balancer's.

    Raises KubernetesError when neither answers.
    """
    path = next(path for path, known in KINDS.items() if known is kind)
    written = _server(kubeconfig).rpartition(":")[2]
    ports = dict.fromkeys((PORT, *([int(written)] if written.isdigit() else [])))
    last: KubernetesError | None = None
    for port in ports:
        try:
            async with open_cluster(pool, (_host_name(address),), "the cluster", port=port, path=path) as kube:
                return replace(await _read(kube, kind, address, _server(kubeconfig), way), port=port)
        except KubernetesUnavailable as error:
            last = error
    raise last or KubernetesUnavailable("the API does not answer")


def _name(given: str | None, view: HostView, found: Found) -> str:
    """As Raijin has claimed the host, else as it was given or as kubeadm calls it."""
    if view.owner:
        if given and given != view.owner:
            raise UsageError(f"this cluster is called {view.owner} on its hosts", remedy="leave --name out")
        return view.owner
    return given or str(found.documents.get("ClusterConfiguration", {}).get("clusterName") or "adopted")


async def _read(kube: Kube, kind: ClusterType, address: str, server: str, way: Way) -> Found:
    nodes = [node_state(item) for item in await kube.items("/api/v1/nodes")]
    nodes.sort(key=lambda node: (not node.control_plane, node.name))
    daemons = frozenset(str(item["metadata"]["name"]) for item in await kube.items("/apis/apps/v1/daemonsets"))
    documents: dict[str, Document] = {}
    for document in KUBEADM_KINDS if kind is ClusterType.VANILLA else ():
        name, key = MAPS[document]
        live = await kube.get(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "kube-system"}}
        )
        if live is not None and key in (live.get("data") or {}):
            documents[document] = yaml.safe_load(live["data"][key])
    hosts = tuple(
        FoundHost(node, address if address in node.addresses or not node.addresses else node.addresses[0])
        for node in nodes
    )
    return Found(
        "", kind, await kube.version(), hosts, server=server, documents=documents, daemons=daemons, ssh=way.ssh
    )


async def _from_host(pool: Pool, host: str, view: HostView, found: Found) -> Found:
    """What Raijin itself has left on a host says more than the cluster does."""
    if not found.owner or found.kind is not ClusterType.VANILLA:
        return found
    if ENCRYPTION_FILE in view.files:
        raise Unsupported(
            f"{found.owner} keeps its data encrypted, and its keys cannot be taken over yet",
            remedy="go on with the RAIJIN_HOME that made them",
        )
    connection = await pool.get(host)
    try:
        text = (await connection.read(CONFIG_FILE)).decode()
    except HostError:
        text = ""
    own = {str(d["kind"]): d for d in yaml.safe_load_all(text) if isinstance(d, dict)} if text else {}
    documents = {**found.documents, **own}
    return replace(found, documents=documents, ours=frozenset(own), virtual=await _virtual(pool, host))


async def _virtual(pool: Pool, host: str) -> tuple[str, str] | None:
    """The address in the files of keepalived and kube-vip that Raijin writes."""
    connection = await pool.get(host)
    script = (
        "sed -n '/virtual_ipaddress/,/}/s#^ *\\([0-9a-fA-F.:]*\\)/.*#KEEPALIVED \\1#p' /etc/keepalived/keepalived.conf "
        "2>/dev/null; grep -A1 -e 'name: address$' /etc/kubernetes/manifests/kube-vip.yaml 2>/dev/null "
        "| sed -n 's/.*value: *[\"'\\'']*\\([0-9a-fA-F.:]*\\).*/KUBE_VIP \\1/p'; exit 0"
    )
    done = await connection.run(script, timeout=60)
    for line in done.stdout.splitlines():
        provider, _, address = line.partition(" ")
        if address:
            return address, provider
    return None


async def _reach(home: Path, found: Found, way: Way) -> Found:
    """Which of the hosts can be reached in the same way as the first."""
    definition = _provisional([(host.state.name, host.address) for host in found.hosts], way)
    pool = Pool(targets_of(definition.site().hosts, definition, home))

    async def fault(host: str) -> str:
        try:
            view = await observing.facts_of(pool, host)
        except HostError as error:
            return error.message
        return f"it belongs to the cluster {view.owner}" if view.owner not in {"", found.name} else ""

    try:
        faults = await asyncio.gather(*(fault(host.state.name) for host in found.hosts))
    finally:
        await pool.close()
    pairs = zip(found.hosts, faults, strict=True)
    return replace(found, hosts=tuple(replace(host, fault=said) for host, said in pairs))


def _written(found: Found, way: Way) -> str:
    site, cluster = site_of(found), cluster_of(found)
    if way.become:
        site["become"] = dict(way.become)
    if found.kind is ClusterType.VANILLA:
        more = _kubeadm(found, load(io.StringIO(_dumped([site, cluster]))))
        if more:
            cluster["kubernetes"] = {**cluster.get("kubernetes", {}), "kubeadm": more}
    lines = [
        f"Written by `raijin cluster adopt` on {time.strftime('%Y-%m-%d')}. Look at `raijin plan` before anything else."
    ]
    lines += [f"- {remark}" for remark in remarks(found)]
    return "".join(f"# {line}\n" for line in lines) + _dumped([site, cluster])


def _dumped(documents: Sequence[Document]) -> str:
    return yaml.safe_dump_all(documents, sort_keys=False, explicit_start=True, allow_unicode=True)


def _kubeadm(found: Found, definition: Definition) -> Document:
    """What the cluster has beside what Raijin would write."""
    context = _context(definition)
    generated = {str(d["kind"]): d for d in running_documents(context, context.first)}
    more = {}
    for kind, live in found.documents.items():
        if kind in FIELDS and kind in generated:
            extra = additions(kind, live, generated[kind], ours=kind in found.ours)
            if extra:
                more[FIELDS[kind]] = extra
    return more


def _context(definition: Definition) -> Context:
    cluster = definition.cluster()
    nodes = tuple(Node(p.host, p.role) for p in definition.hosts_of(cluster) if p.role not in NO_NODES)
    return Context(definition.site(), cluster, nodes)


def _registered(home: Path, found: Found, definition: Definition, text: str, kubeconfig: str) -> Adopted:
    """Note the hosts as members, so that plans accept what runs on them, and keep the kubeconfig."""
    context, faults = _context(definition), {host.state.name: host.fault for host in found.hosts}
    known = read_members(home, found.name)
    if known and not set(known) <= set(faults):
        raise UsageError(
            f"this RAIJIN_HOME has a cluster {found.name} with other hosts already",
            remedy="choose another --name, or another RAIJIN_HOME",
        )
    members = [
        Member(node.name, node.role.value, remembered(node.host)) for node in context.nodes if not faults.get(node.name)
    ]
    MASKER.add(kubeconfig)
    Members(open_database(home)).remember(found.name, *members)
    endpoint = api_endpoint(context)
    SecretStore(home).put(kubeconfig_secret(found.name), renamed(kubeconfig, found.name, endpoint))
    return Adopted(found.name, text, tuple(member.host for member in members), tuple(remarks(found)))
