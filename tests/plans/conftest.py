"""A make-believe site for the planner: hosts with facts, a cluster with nodes, and what a plan would make of them.

Nothing here talks to anything. `plan` is what `raijin plan` computes between looking and printing; `carry_out` is the
world as it is when every step was done.
"""

from __future__ import annotations

import copy
import hashlib
import io
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

import pytest

from raijin.artifacts.images import ImageRef
from raijin.artifacts.lock import Lock
from raijin.definition.definition import Definition
from raijin.definition.load import load
from raijin.facts import ABILITIES
from raijin.facts.base import Unknown
from raijin.facts.certificates import Certificate
from raijin.facts.cluster import PART_LABEL, PRUNED_KINDS, ClusterState, NodeState, Taint
from raijin.facts.cpu import Cpu
from raijin.facts.etcd import EtcdMember, EtcdState
from raijin.facts.gather import HostFacts
from raijin.facts.kernel import Kernel
from raijin.facts.kubernetes import Kubernetes, Part
from raijin.facts.memory import Memory
from raijin.facts.network import Interface, Network
from raijin.facts.raijin import Ownership
from raijin.facts.system import System
from raijin.lifecycle import apply, backup, destroy, etcd, renew, reset, restore, rotate
from raijin.lifecycle.desired import KUBE_PROXY, NETWORK_PART, observed_documents
from raijin.lifecycle.returned import as_empty
from raijin.model.cluster import Cluster, ClusterType
from raijin.model.host import Host
from raijin.model.node_group import NO_NODES, NodeRole
from raijin.model.version import Version
from raijin.network import choice_of, container_network
from raijin.operations.absent import Absent
from raijin.operations.base import Operation
from raijin.operations.command import Command
from raijin.operations.credential import Credential
from raijin.operations.file import File
from raijin.operations.program import Program
from raijin.operations.report import Report, State
from raijin.operations.template import Template
from raijin.plan.build import build
from raijin.plan.model import Call, Plan, Step
from raijin.platforms import platform_of
from raijin.platforms.addresses import known_address
from raijin.platforms.base import BinaryFile, Context, Hop, ImageFile, Node, Parts, Supply
from raijin.platforms.encrypted import NO_KEYS, Keys, read_written
from raijin.platforms.k3s.platform import DISTRIBUTION as K3S
from raijin.platforms.kubeadm.certificates import (
    AUTHORITIES,
    KUBELET_CLIENT,
    KUBELET_SERVER,
    RENEWED,
)
from raijin.platforms.kubeadm.paths import (
    ADMIN_CONF,
    AUDIT_POLICY,
    CONFIG_FILE,
    ENCRYPTION_FILE,
    ETCD_DATA,
    KUBELET_CONF,
    ROTATION,
)
from raijin.platforms.kubeadm.rotation import FILES
from raijin.platforms.rancher.certificates import ROTATE, RancherCertificates
from raijin.platforms.rancher.layout import AUTHORITY_FILES
from raijin.platforms.renewal import BEGUN, DONE, certificates_of
from raijin.platforms.rke2.platform import DISTRIBUTION as RKE2
from raijin.platforms.signing import leaf, new_authority
from raijin.platforms.versions import way
from raijin.platforms.view import HostView
from raijin.state.member import Member
from raijin.transport.kube import describe

EXAMPLES = Path(__file__).parents[2] / "examples"
VERBS = {
    "apply": apply.drafts,
    "prepare": apply.prepare_drafts,
    "destroy": destroy.drafts,
    "backup": backup.drafts,
    "renew": renew.drafts,
    "rotate-ca": rotate.drafts,
    "restore": restore.drafts,
    "defragment": etcd.defragment,
    "replace": etcd.replace_member,
    "reset": reset.drafts,
}
UNKNOWN = HostFacts(**{ability.name: Unknown("not asked") for ability in ABILITIES})  # type: ignore[arg-type]
BINARIES = {
    "containerd": "2.1.4", "runc": "v1.3.0", "cni-plugins": "v1.7.1", "crictl": "v1.34.0",
    "kubeadm": "v1.34.2", "kubelet": "v1.34.2", "kubectl": "v1.34.2", "etcd": "v3.6.5",
}  # fmt: skip
IMAGES = ("registry.k8s.io/kube-apiserver:v1.34.2", "registry.k8s.io/kube-proxy:v1.34.2", "registry.k8s.io/pause:3.10")


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def filled(fact: type[Any], **given: object) -> Any:
    """A fact of which only some fields matter here."""
    empty: dict[str, object] = {"str": "", "int": 0, "float": 0.0, "bool": False}
    return fact(**{f.name: given.get(f.name, empty.get(str(f.type), ())) for f in fields(fact)})


SUPPLY = Supply(
    {name: BinaryFile(name, version, f"{name}.tar.gz", sha256(name)) for name, version in BINARIES.items()},
    tuple(ImageFile(ref, f"{ref.rpartition('/')[2]}.tar", sha256(ref)) for ref in IMAGES),
)
TAGS = {"ghcr.io/kube-vip/kube-vip": "v1.2.3"}


def tags_of(cluster: Cluster) -> dict[str, str]:
    """Of the images of its container network, as app/supply.py finds them without a lock."""
    network = container_network(cluster)
    if network is None:
        return {}
    refs = network.images(cluster, choice_of(cluster, cluster.version, Lock(), network.main_image))
    return {ref.name: ref.tag for ref in map(ImageRef.parse, refs)}


TODAY, DAY, YEAR = 1_800_000_000.0, 86_400.0, 365 * 86_400.0


def authority_of(path: str) -> str:
    """Which authority signs a certificate of kubeadm."""
    name = path.rpartition("/")[2]
    if "front-proxy" in name:
        return AUTHORITIES[2]
    return AUTHORITIES[1] if "/etcd/" in path or name == "apiserver-etcd-client.crt" else AUTHORITIES[0]


def in_between(build: str) -> dict[int, Version]:
    return {minor: Version(1, minor, 9, build=build) for minor in range(29, 37)}


@dataclass(frozen=True)
class Traces:
    """The files of a platform by which facts know what a host is. single: of the data of an only control plane."""

    kubeconfig: str
    kubelet: str
    etcd: str
    single: str = ""
    program: str = ""


TRACES = {
    ClusterType.VANILLA: Traces(ADMIN_CONF, KUBELET_CONF, f"{ETCD_DATA}/member"),
    ClusterType.K3S: Traces(K3S.kubeconfig, K3S.kubelet_kubeconfig, K3S.etcd_member, K3S.sqlite, "k3s"),
    ClusterType.RKE2: Traces(RKE2.kubeconfig, RKE2.kubelet_kubeconfig, RKE2.etcd_member, "", "rke2"),
}


def supply_of(version: str) -> Supply:
    """What nodes of a version are made of: everything has another sum than in any other version."""
    build = (Version.parse(version) or Version(1, 0, 0)).build
    if build:
        name = "rke2" if build.startswith("rke2") else "k3s"
        binaries = {
            name: BinaryFile(name, version, f"{name}.linux-amd64.tar.gz", sha256(name + version)),
            f"{name}-images": BinaryFile(
                f"{name}-images", version, f"{name}-images.linux-amd64.tar.zst", sha256(f"{name} images {version}")
            ),
            "etcd": SUPPLY.binaries["etcd"],
        }
        return Supply(binaries)
    own = {"kubeadm", "kubelet", "kubectl"}
    binaries = {
        name: replace(binary, version=version, sha256=sha256(name + version)) if name in own else binary
        for name, binary in SUPPLY.binaries.items()
    }
    images = tuple(ImageFile(i.ref.replace("v1.34.2", version), i.file, sha256(i.ref + version)) for i in SUPPLY.images)
    return Supply(binaries, images) if version != "v1.34.2" else SUPPLY


def written(program: Program) -> Iterator[tuple[str, str]]:
    """The markers that a program leaves on a host, with what they say, and the files of settings."""
    for operation in program.operations:
        path = str(getattr(operation, "path", ""))
        if isinstance(operation, Command) and operation.value:
            yield operation.marker, operation.value
        elif isinstance(operation, File) and (path in {CONFIG_FILE, AUDIT_POLICY} or path.startswith("/etc/rancher/")):
            yield operation.path, str(operation.content)
        elif isinstance(operation, Absent) and path.startswith("/etc/rancher/"):
            yield operation.path, ""
        elif isinstance(operation, Template) and operation.path == ENCRYPTION_FILE:
            yield operation.path, operation.template


@dataclass
class Machine:
    """A host: which programs hold on it already (by key), and what of a cluster is on it."""

    up: bool = True
    owner: str = ""
    number: int = field(default=0, compare=False)
    files: set[str] = field(default_factory=set)
    markers: set[str] = field(default_factory=set)
    version: str = ""
    holds: set[str] = field(default_factory=set)
    certificates: dict[str, tuple[float, float]] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    bundles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    signers: dict[str, str] = field(default_factory=dict)

    def authorities(self, path: str) -> tuple[str, ...]:
        """The keys of the authorities in a file."""
        known = path in AUTHORITIES or path.endswith("-ca.crt")
        return self.bundles.get(path, (f"old {path}",) if known else ())

    def held(self) -> Iterator[Certificate]:
        for path, (begins, ends) in self.certificates.items():
            own = self.authorities(path) or ("",)
            for key in own:
                yield Certificate(
                    path, begins=begins, ends=ends, ca=bool(key), key=key, signer=self.signers.get(path, "")
                )
        for path in self.bundles.keys() - self.certificates.keys():
            for key in self.bundles[path]:
                yield Certificate(path, begins=TODAY, ends=TODAY + 10 * YEAR, ca=True, key=key)

    def follows(self, program: Program) -> bool:
        """Whether all that the program writes down on the host is written there."""
        return all(self.values.get(name, "") == value for name, value in written(program))

    def parts(self) -> tuple[Part, ...]:
        found = [Part("etcdctl", "/usr/local/bin/etcdctl", "3.6.5", "")] if ADMIN_CONF in self.files else []
        for traces in TRACES.values():
            if traces.program and traces.kubelet in self.files:
                version = self.version.removeprefix("v")
                found.append(Part(traces.program, f"/usr/local/bin/{traces.program}", version, ""))
        return tuple(found)

    def images(self) -> tuple[str, ...]:
        """Of the static pods, on a host that is part of a control plane."""
        return (f"registry.k8s.io/kube-apiserver:{self.version}",) if ADMIN_CONF in self.files else ()

    def network(self) -> Network:
        card = filled(Interface, name="eth0", mac=f"02:00:5e:10:00:{self.number:02x}", physical=True)
        address = f"192.0.2.{self.number}/24"
        return Network((replace(card, addresses=(address,)),), "eth0", "192.0.2.1")

    def view(self) -> HostView | None:
        if not self.up:
            return None
        facts = replace(
            UNKNOWN,
            cpu=filled(Cpu, threads=4),
            memory=filled(Memory, total=8 * 2**30),
            kernel=filled(Kernel, release="6.1.0", arch="amd64", loadable=True),
            system=filled(System, init="systemd", packages="apt", selinux="enforcing"),
            cgroup="2",
            network=self.network(),
            certificates=tuple(self.held()),
            kubernetes=Kubernetes(self.parts(), tuple(sorted(self.files)), self.images()),
            raijin=Ownership(self.owner, {}, tuple(sorted(self.markers))),
        )
        return HostView(facts)


@dataclass
class World:
    """told: facts of every host that answers, by ability, in the place of those that its machine has."""

    definition: Definition
    machines: dict[str, Machine] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    nodes: dict[str, NodeState] = field(default_factory=dict)
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    voters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=lambda: dict(TAGS))
    api: bool = True
    at: float = TODAY
    broken: set[str] = field(default_factory=set)
    alarms: tuple[str, ...] = ()
    leads: str = ""
    moment: float = field(default_factory=time.time)
    keys: Keys = NO_KEYS
    kept: dict[str, dict[str, str]] = field(default_factory=dict)
    replaced: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    told: dict[str, object] = field(default_factory=dict)

    def power_cut(self, name: str) -> None:
        """The host is dead, and the cluster has noticed."""
        self.machine(name).up = False
        if name in self.nodes:
            self.nodes[name] = replace(self.nodes[name], ready=False)

    def machine(self, name: str) -> Machine:
        return self.machines.setdefault(name, Machine(number=len(self.machines) + 101))

    def defined(self, text: str) -> Self:
        """The same world, after somebody has edited the definition."""
        other = copy.deepcopy(self)
        other.definition = load(io.StringIO(text), {})
        return other

    def edited(self, example: str, *changes: tuple[str, str]) -> Self:
        """The same world, after somebody has put an example's text in its place, with these changes (old, new)."""
        text = (EXAMPLES / f"{example}.yaml").read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        return self.defined(text)

    def context(self, **more: object) -> Context:
        cluster = self.definition.cluster()
        placed = [(p.host, p.role) for p in self.definition.hosts_of(cluster)]
        known = {host.name: host for host in self.definition.site().hosts}
        gone = [
            (known.get(name) or Host.model_validate(dict(member.target)), NodeRole(member.role))
            for name, member in self.members.items()
            if name not in {host.name for host, _ in placed}
        ]
        seen = [self.node(host, role) for host, role in placed]
        beside, bootstrap = (tuple(node for node in seen if node.role is role) for role in NO_NODES)
        nodes = tuple(node for node in seen if node.role not in NO_NODES)
        departed = tuple(self.node(host, role) for host, role in gone)
        site, members = self.definition.site(), self.members
        supplies = {"amd64": supply_of(str(cluster.kubernetes_version))}
        tags = {**tags_of(cluster), **self.tags}
        first = Context(
            site, cluster, nodes, supplies, tags, members=members, departed=departed, beside=beside, keys=self.keys
        )
        first = replace(first, bootstrap=bootstrap, authorities=self.kept)
        first = replace(first, etcd=self.etcd(first))
        if self.nodes and self.api:
            objects = {describe(d): self.objects.get(describe(d)) for d in observed_documents(first)}
            first = replace(first, state=ClusterState(self.nodes, objects, self.parts(), self.moment))
        first = as_empty(first)
        return replace(first, **{"hops": self.hops(first), "at": self.at, **more})  # type: ignore[arg-type]

    def parts(self) -> dict[str, dict[str, Any]]:
        """As facts/cluster.py lists them: what Raijin applied, of the kinds that it prunes."""
        return {
            name: {"apiVersion": o["apiVersion"], "kind": o["kind"], "metadata": o["metadata"]}
            for name, o in self.objects.items()
            if o["metadata"].get("labels", {}).get(PART_LABEL) == NETWORK_PART
            and (o["apiVersion"], o["kind"]) in PRUNED_KINDS
        }

    def hops(self, context: Context) -> tuple[Hop, ...]:
        """As app/supply.py finds them, with everything at hand."""
        platform, wanted = platform_of(context.cluster), context.cluster.kubernetes_version
        members = [node for node in context.reachable if node.joined]
        running = [v for v in (platform.version_of(node, context.state) for node in members) if v is not None]
        if not any(version < wanted for version in running):
            return ()
        planes = [platform.control_plane_version(node, context.state) for node in members if node.control_plane]
        start = min((v for v in planes if v is not None), default=wanted)
        return tuple(Hop(v, {"amd64": supply_of(str(v))}) for v in way(start, wanted, in_between(wanted.build)))

    def etcd(self, context: Context) -> EtcdState | None:
        """Everybody who ever became a member and was not taken out; without a majority nobody tells."""
        members = tuple(
            EtcdMember(
                f"{n:x}", name, (f"https://{address}:2380",), (f"https://{address}:2379",), False, self.alive(name)
            )
            for n, (name, address) in enumerate(self.voters.items(), 1)
        )
        members = tuple(replace(m, leader=m.name == self.leads, size=90 << 20, in_use=30 << 20) for m in members)
        state = EtcdState(members, self.alarms)
        return state if self.voters and state.has_quorum and context.started else None

    def alive(self, name: str) -> bool:
        machine = self.machine(name)
        return machine.up and self.traces.kubeconfig in machine.files and name not in self.broken

    @property
    def traces(self) -> Traces:
        return TRACES[self.definition.cluster().type]

    def node(self, host: Host, role: NodeRole) -> Node:
        view = self.machine(host.name).view()
        if view is not None:
            view = replace(view, facts=replace(view.facts, **self.told))  # type: ignore[arg-type]
        parts = platform_of(self.definition.cluster()).parts(view) if view else Parts()
        return Node(host, role, view, parts=parts)

    def plan(self, verb: str = "apply", **more: object) -> Plan:
        drafts = VERBS[verb](self.context(**more))
        reports: dict[str, list[Report]] = {}
        for draft in drafts:
            if isinstance(draft.action, Program):
                machine = self.machine(draft.target)
                holds = f"{draft.stage}.{draft.action.id}" in machine.holds
                if draft.stage == "configure":
                    holds = machine.follows(draft.action)
                if draft.stage == "leave":
                    holds = machine == Machine()
                state = State.OK if holds else State.WOULD_CHANGE
                reports[draft.key] = [Report(n, state, 1) for n in range(len(draft.action.operations))]
        return build(verb, self.definition.cluster().name, drafts, reports)

    def carry_out(self, plan: Plan) -> World:
        """The world after every step of the plan."""
        after = copy.deepcopy(self)
        if plan.verb in {"apply", "restore"}:
            for node in (n for n in self.context().hosts if n.facts is not None):
                target = node.host.model_dump(mode="json", by_alias=True, include={"name", "address"})
                after.members[node.name] = Member(node.name, node.role.value, target)
        for step in plan.steps:
            after.do(step, plan.cluster)
        return after

    def do(self, step: Step, cluster: str) -> None:
        machine = self.machine(step.target)
        if isinstance(step.action, Call):
            self.call(step.action, step.target)
        elif step.stage in {"leave", "wipe"}:
            self.machines[step.target] = Machine(number=machine.number)
            self.broken.discard(step.target)
        else:
            machine.owner = cluster
            machine.holds.add(f"{step.stage}.{step.action.id}")
            machine.values.update(written(step.action))
            commands = (o for o in step.action.operations if isinstance(o, Command))
            machine.markers.update(o.marker for o in commands if o.marker and not o.value)
            self.keep_keys(machine, step.action.operations)
            machine.files |= {ENCRYPTION_FILE} & machine.values.keys()
            if step.stage == "halt":
                machine.files, machine.markers = set(), set()
            if step.stage == "seed":
                self.voters = {}
            if step.stage == "start":
                machine.files |= {self.traces.kubeconfig, self.traces.kubelet}
                self.objects |= self.addons()
            if step.stage == "join":
                machine.files.add(self.traces.kubelet)
            (node,) = (n for n in self.context().hosts if n.name == step.target)
            if step.stage == "join" and node.control_plane:
                machine.files.add(self.traces.kubeconfig)
            if step.stage in {"start", "join", "convert"} and node.control_plane:
                self.store_data(machine, step.target, known_address(node))
            self.certify(machine, step, control_plane=node.control_plane)
            if step.stage in {"start", "join", "register"}:
                machine.version = str(self.definition.cluster().kubernetes_version)
                role = {"node-role.kubernetes.io/control-plane": ""} if node.control_plane else {}
                self.nodes[step.target] = NodeState(step.target, True, machine.version, role, (), False, ())
            if step.stage.startswith("upgrade@"):
                machine.version = step.stage.partition("@")[2]
                self.nodes[step.target] = replace(self.nodes[step.target], version=machine.version)
                machine.holds |= self.settled(step.target)
            if step.stage in {"services", "images"}:
                # A node that has joined is asked for something else from the next time on: that its kubelet runs, say.
                machine.holds |= {f"{step.stage}.{p.id}" for p in self.once_joined(step.stage, step.target)}

    def store_data(self, machine: Machine, name: str, address: str) -> None:
        """Where the data of a control plane host is from now on."""
        cluster, traces = self.definition.cluster(), self.traces
        platform = platform_of(cluster)
        if platform.kept_outside(cluster):
            return
        if traces.single and not platform.wants_etcd(cluster):  # type: ignore[attr-defined]
            machine.files.add(traces.single)
            return
        machine.files.discard(traces.single)
        machine.files.add(traces.etcd)
        self.voters[name] = address

    def certify(self, machine: Machine, step: Step, *, control_plane: bool) -> None:
        """A host after its start, or after its renewal: what the program's markers say was made, nothing left begun."""
        care = certificates_of(self.definition.cluster())
        if isinstance(care, RancherCertificates):
            self.certify_rancher(care, machine, step, control_plane=control_plane)
            return
        if step.stage in {"start", "join"}:
            made = [KUBELET_CLIENT, KUBELET_SERVER, *(RENEWED if control_plane else ())]
            machine.certificates = dict.fromkeys(made, (self.at, self.at + YEAR))
            known = AUTHORITIES if control_plane else AUTHORITIES[:1]
            machine.certificates |= dict.fromkeys(known, (self.at, self.at + 10 * YEAR))
        if step.stage != "renew":
            return
        assert isinstance(step.action, Program)
        noted = {o.marker for o in step.action.operations if isinstance(o, Command) and o.value}
        for marker, paths in (
            (DONE, RENEWED),
            ("kubelet-client", (KUBELET_CLIENT,)),
            ("kubelet-serving", (KUBELET_SERVER,)),
        ):
            if marker in noted:
                machine.certificates |= {p: (self.at, self.at + YEAR) for p in paths if p in machine.certificates}
        if any(isinstance(o, Absent) and o.path.endswith(BEGUN) for o in step.action.operations):
            machine.markers.discard(BEGUN)

    def keep_keys(self, machine: Machine, operations: Iterable[Operation]) -> None:
        """What of a rotation of authorities is on a host after these operations, in their order."""
        for operation in operations:
            if isinstance(operation, Credential) and operation.path.endswith(".crt"):
                _, _, _, rotation, name, part = operation.content.secret.split("/")
                new, held = self.kept[rotation][name], self.replaced[rotation, name]
                texts = {"new": (new,), "old": held[:1], "both": (*held, new), "turned": (new, *held)}
                machine.bundles[operation.path] = texts[part]
            elif isinstance(operation, Command) and operation.marker == "authorities-restarted":
                self.take_up(machine, operation.value)
            elif isinstance(operation, Command) and operation.argv[:3] == ("sh", "-c", ROTATE):
                shown = next((path for path in machine.certificates if "serving-kube-apiserver" in path), "")
                machine.signers[shown] = machine.authorities(f"{shown.rpartition('/')[0]}/server-ca.crt")[0]
            elif isinstance(operation, Command) and operation.marker == "authorities-signed":
                signing = {path: machine.authorities(path)[0] for path in AUTHORITIES}
                machine.signers |= {path: signing[authority_of(path)] for path in RENEWED}
            elif isinstance(operation, Command) and operation.marker == "kubelet-client":
                machine.signers[KUBELET_CLIENT] = machine.authorities(AUTHORITIES[0])[0]
            elif isinstance(operation, Command) and operation.marker.startswith("authorities."):
                machine.markers.add(operation.marker)
            elif isinstance(operation, Absent):
                gone = [path for path in machine.bundles if path.startswith(f"{operation.path}/")]
                machine.bundles = {path: keys for path, keys in machine.bundles.items() if path not in gone}
                machine.markers.discard(operation.path.rpartition("command:")[2])

    def take_up(self, machine: Machine, rotation: str) -> None:
        """A server or an agent of K3s or RKE2 starts, and takes up what was loaded."""
        product = "rke2" if "rke2" in str(self.definition.cluster().version) else "k3s"
        server = any("/server/tls/" in path for path in machine.certificates)
        for name, file in AUTHORITY_FILES.items():
            new = self.kept[rotation][name]
            path = f"/var/lib/rancher/{product}/{'server/tls' if server else 'agent'}/{file}.crt"
            if server or file in {"client-ca", "server-ca"}:
                machine.bundles[path] = (new, *machine.authorities(path))

    def certify_rancher(self, care: RancherCertificates, machine: Machine, step: Step, *, control_plane: bool) -> None:
        """K3s and RKE2 renew at each start what is missing, or has less than 120 days left; agents always."""
        own = {path for path in care.renewed | care.by_itself if control_plane or "/agent/" in path}
        if step.stage in {"start", "join"}:
            machine.certificates = dict.fromkeys(own, (self.at, self.at + YEAR))
            machine.certificates |= dict.fromkeys(
                care.authorities if control_plane else (), (self.at, self.at + 10 * YEAR)
            )
        if step.stage != "renew":
            return
        assert isinstance(step.action, Program)
        if any(isinstance(o, Command) and o.marker == DONE for o in step.action.operations):
            machine.certificates |= dict.fromkeys(own, (self.at, self.at + YEAR))
        machine.markers.discard(BEGUN)

    def addons(self) -> dict[str, dict[str, Any]]:
        """What kubeadm puts into a new cluster, of what Raijin looks at."""
        cluster = self.definition.cluster()
        without = cluster.network.cni.replaces_kube_proxy or not platform_of(cluster).kube_proxy
        return {} if without else {describe(KUBE_PROXY): KUBE_PROXY}

    def settled(self, name: str) -> set[str]:
        """What holds on a node that was upgraded: all that a new node of that version would be given."""
        context = self.context()
        (node,) = (n for n in context.nodes if n.name == name)
        platform = platform_of(context.cluster)
        programs = {
            "prepare": platform.prepare(context, node),
            "binaries": platform.equip(context, node),
            "services": platform.services(context, node),
            "images": platform.images(context, node),
        }
        return {f"{stage}.{program.id}" for stage, program in programs.items() if program is not None}

    def once_joined(self, stage: str, name: str) -> Iterable[Program]:
        context = self.context()
        for node in context.nodes:
            if node.name == name:
                joined = replace(node, parts=replace(node.parts, joined=True, started=node.control_plane))
                program = getattr(platform_of(context.cluster), stage)(context, joined)
                yield from [program] if program is not None else []

    def change_objects(self, name: str, arguments: Mapping[str, Any]) -> None:
        if name == "kube.apply":
            self.objects |= {describe(d): d for d in arguments["documents"]}
        for one in arguments["certificates"] if name == "kube.certificates" else ():
            document = leaf(one, new_authority("test"), arguments["part"])
            self.objects[describe(document)] = {k: v for k, v in document.items() if k != "data"}
        for item in arguments["objects"] if name == "kube.prune" else ():
            del self.objects[describe(item)]

    def keep_authorities(self, call: str, arguments: Mapping[str, Any]) -> None:
        """What is kept here of a rotation."""
        if call == "authorities.forget":
            self.kept = {}
        if call == "rancher.authorities":
            named = str(arguments["rotation"])
            self.kept.setdefault(named, {name: f"new {name} {named}" for name in AUTHORITY_FILES})
            self.replaced |= {(named, name): () for name in AUTHORITY_FILES}
        if call != "kubeadm.authorities":
            return
        rotation, planes = str(arguments["rotation"]), [node.name for node in self.context().started]
        for name in arguments["authorities"]:
            waiting = [self.machine(host).bundles.get(f"{ROTATION}/{name}.crt", ()) for host in planes]
            known = self.kept.get(rotation, {}).get(name) or next((keys[0] for keys in waiting if keys), "")
            new = known or f"new {name} {rotation}"
            self.kept.setdefault(rotation, {})[name] = new
            held = (self.machine(host).authorities(f"{FILES[name]}.crt") for host in planes)
            old = next((left for keys in held if (left := tuple(k for k in keys if k != new))), ())
            self.replaced[rotation, name] = old or self.replaced.get((rotation, name), ())

    def call(self, call: Call, target: str) -> None:
        arguments: Mapping[str, Any] = call.arguments
        self.keep_authorities(call.name, arguments)
        if call.name in {"kube.apply", "kube.certificates", "kube.prune"}:
            self.change_objects(call.name, arguments)
        elif call.name == "kube.label":
            node = self.nodes[target]
            taints = tuple(Taint(t["key"], t.get("value", ""), t["effect"]) for t in arguments["taints"])
            kept = {k: v for k, v in node.labels.items() if k not in node.managed_labels}
            self.nodes[target] = replace(
                node,
                labels={**kept, **arguments["labels"]},
                taints=taints,
                managed_labels=tuple(arguments["labels"]),
                managed_taints=tuple((t.key, t.effect) for t in taints),
            )
        elif call.name == "etcd.remove-member":
            self.voters = {name: at for name, at in self.voters.items() if at != arguments["address"]}
        elif call.name == "kube.drain":
            self.nodes[target] = replace(self.nodes[target], unschedulable=True, held=True)
        elif call.name == "kube.return-node":
            if self.nodes[target].held:
                self.nodes[target] = replace(self.nodes[target], unschedulable=False, held=False)
        elif call.name == "kube.delete-node":
            self.nodes.pop(target, None)
        elif call.name == "encryption.key":
            way = read_written(arguments["way"])
            names = self.keys.names | ({way.key} - {""})
            begun = tuple(dict.fromkeys((*self.keys.begun, way)))
            self.keys = Keys(names, way) if arguments["fresh"] else Keys(names, self.keys.written, begun)
        elif call.name == "encryption.written":
            self.keys = Keys(self.keys.names, read_written(arguments["way"]))
        elif call.name == "raijin.quarantine":
            self.members[target] = replace(self.members[target], quarantine=str(arguments["reason"]))
        elif call.name == "raijin.forget":
            self.members.pop(target, None)


@pytest.fixture
def world() -> Callable[[str], World]:
    """The world of an example: its hosts are up and empty."""

    def make(example: str) -> World:
        return World(load((EXAMPLES / f"{example}.yaml",), {}))

    return make


@pytest.fixture
def examples() -> Path:
    return EXAMPLES
