"""What a Talos machine says of itself: with the keys of the cluster, or in maintenance mode, where anybody may ask.

A machine without a configuration waits in maintenance mode; one with a configuration of somebody else does not answer
us at all. The commands: `talosctl version`, `get` and `list` of v1.12.0.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from raijin.errors import AuthenticationFailed, HostError, OperationFailed
from raijin.facts.certificates import Certificate
from raijin.facts.cpu import Cpu
from raijin.facts.gather import HostFacts, nothing_known
from raijin.facts.memory import Memory
from raijin.facts.network import Interface, Network
from raijin.facts.system import System
from raijin.platforms.base import Node
from raijin.platforms.talos.bundle import marked
from raijin.platforms.talos.certificates import authorities_in
from raijin.platforms.view import HostView
from raijin.transport.pool import Pool
from raijin.transport.talos import TalosConnection
from raijin.transport.yamls import read_yamls

Document = dict[str, Any]
INIT = "machined"
ETCD_DATA = "/var/lib/etcd"


@dataclass(frozen=True, slots=True)
class Machine:
    """version: of Talos, as v1.12.0. stage: maintenance, installing, booting, running, ... config: the documents that
    it was given, with words in the place of secrets; empty without. data: an etcd member has, or had, its data here.
    foreign: it is configured, and not with the keys that are kept here. authorities: those in its configuration.
    """

    version: str = ""
    stage: str = ""
    config: tuple[Document, ...] = ()
    data: bool = False
    foreign: bool = False
    authorities: tuple[Certificate, ...] = ()

    @property
    def cluster(self) -> str:
        """The name of the cluster that it is part of; empty without one."""
        return str(self._of("cluster").get("clusterName", ""))

    @property
    def control_plane(self) -> bool:
        return self._of("machine").get("type") in {"controlplane", "init"}

    @property
    def kubernetes(self) -> str:
        """The version of its kubelet, as v1.35.0; empty when it has no configuration."""
        image = str(self._of("machine").get("kubelet", {}).get("image", ""))
        return image.rpartition(":")[2] if ":" in image.rpartition("/")[2] else ""

    def _of(self, part: str) -> Document:
        main = next((document for document in self.config if not document.get("kind")), {})
        return cast("Document", main.get(part) or {})


def machine_of(node: Node) -> Machine:
    """What was seen of a node; nothing when it could not be reached."""
    own = node.facts.own if node.facts else None
    return own if isinstance(own, Machine) else Machine()


async def connection_to(pool: Pool, host: str) -> TalosConnection:
    connection = await pool.get(host)
    if not isinstance(connection, TalosConnection):
        raise OperationFailed("it is not reached as a Talos machine", host=host, remedy="report this as a defect")
    return connection


async def look(pool: Pool, host: str) -> HostView:
    """Raises HostUnreachable when nothing answers at its address."""
    connection = await connection_to(pool, host)
    machine = await machine_at(connection)
    maintenance = machine.stage == "maintenance"
    if machine.foreign:
        return HostView(facts_from({}), own=machine)
    kinds = ("cpus", "ram", "links", "addresses")
    told = await asyncio.gather(*(_resources(connection, kind, maintenance=maintenance) for kind in kinds))
    facts = replace(facts_from(dict(zip(kinds, told, strict=True))), certificates=machine.authorities)
    return HostView(facts, own=machine)


async def machine_at(connection: TalosConnection) -> Machine:
    """Which of the three it is, and what it was told. Raises HostUnreachable."""
    try:
        if await connection.access.talosconfig():
            version = server_version(await connection.talosctl("version"))
            return await _configured(connection, version)
    except AuthenticationFailed:
        pass  # one in maintenance mode has a certificate of its own too: the next question tells them apart
    try:
        text = await connection.talosctl("version", maintenance=True)
    except AuthenticationFailed:
        return Machine(foreign=True)
    return Machine(server_version(text), "maintenance")


async def _configured(connection: TalosConnection, version: str) -> Machine:
    status, config, data = await asyncio.gather(
        _resources(connection, "machinestatus"), _resources(connection, "machineconfig"), has_etcd_data(connection)
    )
    stage = str(status[0]["spec"]["stage"]) if status else ""
    return Machine(version, stage, live_config(config), data, authorities=authorities_in(documents_in(config)))


async def has_etcd_data(connection: TalosConnection) -> bool:
    """Whether an etcd member was ever started here: what Talos itself asks before it bootstraps."""
    try:
        listing = await connection.talosctl("list", ETCD_DATA)
    except OperationFailed as error:
        if "no such file" in str(error.detail):
            return False
        raise
    # A line per name, the folder itself as a dot, and the heading (which comes last for a single machine).
    names = {line.split()[-1] for line in listing.splitlines() if line.strip()}
    return bool(names - {".", ETCD_DATA, "NAME"})


def server_version(text: str) -> str:
    """From `talosctl version`: the tag below `Server:`."""
    found = re.search(r"^\s*Tag:\s*(\S+)", text.partition("Server:")[2], re.MULTILINE)
    return found[1] if found else ""


def live_config(resources: list[Document]) -> tuple[Document, ...]:
    """The saved configuration, which is ahead of the running one when it was staged; without the cluster's secrets."""
    return tuple(_without_secrets(document) for document in documents_in(resources))


def documents_in(resources: list[Document]) -> list[Document]:
    """The documents of that configuration, secrets and all."""
    texts = {str(item["metadata"]["id"]): item["spec"] for item in resources}
    text = texts.get("persistent") or texts.get("v1alpha1") or ""
    return [d for d in read_yamls(text) if d]


def _without_secrets(document: Document) -> Document:
    if document.get("kind"):
        return document
    kind = (document.get("machine") or {}).get("type")
    plain = marked(document, control_plane=kind in {"controlplane", "init"})
    if kind == "worker":  # `talosctl gen config` writes an empty key for workers
        for part in ("machine", "cluster"):
            authority = {key: value for key, value in plain[part]["ca"].items() if key != "key"}
            plain = {**plain, part: {**plain[part], "ca": authority}}
    return plain


async def _resources(connection: TalosConnection, kind: str, *, maintenance: bool = False) -> list[Document]:
    """What `talosctl get` shows of a kind; nothing where the machine does not show it."""
    try:
        text = await connection.talosctl("get", kind, "--output", "json", maintenance=maintenance)
    except OperationFailed as error:
        if maintenance or "PermissionDenied" in str(error.detail):
            return []
        raise
    return list(_decoded(text))


def _decoded(text: str) -> Iterator[Document]:
    decoder, place = json.JSONDecoder(), 0
    while (place := len(text) - len(text[place:].lstrip())) < len(text):
        document, place = decoder.raw_decode(text, place)
        yield document


def facts_from(told: Mapping[str, list[Document]]) -> HostFacts:
    """The facts that the resources of a machine tell; what they do not tell is unknown, not absent."""
    facts = nothing_known("a Talos machine does not tell")
    facts = replace(facts, system=System(INIT, "", "enforcing", apparmor=False))
    cpus = [item["spec"] for item in told.get("cpus", []) if item["spec"].get("threadCount")]
    if cpus:
        cores, threads = (sum(int(cpu.get(name, 0)) for cpu in cpus) for name in ("coreCount", "threadCount"))
        facts = replace(facts, cpu=Cpu(str(cpus[0].get("productName", "")).strip(), len(cpus), cores, threads))
    memory = sum(int(item["spec"].get("sizeMiB", 0)) for item in told.get("ram", [])) * 2**20
    if memory:
        facts = replace(facts, memory=Memory(memory, memory))
    links = told.get("links", [])
    return replace(facts, network=_network(links, told.get("addresses", []))) if links else facts


def _network(links: list[Document], addresses: list[Document]) -> Network:
    by_link: dict[str, list[str]] = {}
    for item in addresses:
        spec = item["spec"]
        if spec.get("scope") == "global":
            by_link.setdefault(str(spec["linkName"]), []).append(str(spec["address"]))
    found = []
    for item in links:
        name, spec = str(item["metadata"]["id"]), item["spec"]
        physical = spec.get("type") == "ether" and not spec.get("kind")
        if physical or name in by_link:
            speed = int(spec.get("speedMbit") or 0)
            found.append(
                Interface(
                    name=name,
                    mac=str(spec.get("hardwareAddr", "")),
                    addresses=tuple(by_link.get(name, ())),
                    mtu=int(spec.get("mtu", 0)),
                    speed=speed if 0 < speed < 2**31 else None,
                    state=str(spec.get("operationalState", "")),
                    physical=physical,
                )
            )
    default = next((item.name for item in found if item.physical and item.addresses), "")
    return Network(tuple(found), default, "")


def carrier(node: Node, address: str) -> str:
    """The interface that has an address of the node; empty when that was not seen."""
    network = node.facts.facts.network if node.facts else None
    for interface in getattr(network, "interfaces", ()):
        if address in {text.partition("/")[0] for text in interface.addresses}:
            return str(interface.name)
    return str(getattr(network, "default_interface", ""))


async def reachable(connection: TalosConnection) -> str:
    """Empty when it answers with the keys of the cluster and runs; else why not (a probe for waiting)."""
    try:
        machine = await machine_at(connection)
    except HostError as error:
        return error.message
    if machine.foreign:
        return "it does not know the keys of this cluster"
    return "" if machine.stage == "running" else f"it is {machine.stage or 'starting'}"
