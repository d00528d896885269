"""A make-believe site of OKD machines: what a plan of calls would make of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.plans.conftest import EXAMPLES, World

from raijin.definition.load import load
from raijin.facts.cluster import NodeState
from raijin.model.host import Host
from raijin.model.node_group import NO_NODES, NodeRole
from raijin.operations.program import Program
from raijin.plan.model import Call, Step
from raijin.platforms import platform_of
from raijin.platforms.addresses import known_address
from raijin.platforms.base import Node, Parts
from raijin.platforms.okd.installconfig import install_config
from raijin.platforms.okd.look import API, KUBELET, SSH, Machine, Seen, view_of
from raijin.platforms.okd.settings import names_of, wanted_addresses

ROLES = {True: "control-plane", False: "worker"}


def operator(name: str = "ingress", **conditions: str) -> dict[str, Any]:
    told = {"Available": "True", "Progressing": "False", "Degraded": "False", **conditions}
    listed = [{"type": kind, "status": status, "message": f"{name} says so"} for kind, status in told.items()]
    return {"metadata": {"name": name}, "status": {"conditions": listed}}


def version(running: str, *offered: str, gate: str = "") -> dict[str, Any]:
    """A ClusterVersion that has been brought to a release."""
    conditions = [{"type": "Available", "status": "True"}]
    conditions += [{"type": "Upgradeable", "status": "False", "reason": "AdminAckRequired", "message": gate}] * bool(
        gate
    )
    updates = [{"version": one, "image": f"registry.example.org/okd@sha256:{one}"} for one in offered]
    history = [{"version": running, "state": "Completed"}]
    status = {"history": history, "availableUpdates": updates, "desired": {"version": running}}
    return {"spec": {}, "status": {**status, "conditions": conditions}}


@dataclass
class OkdWorld(World):
    """seen: what is known of the cluster; its nodes are `nodes`."""

    seen: Seen = field(default_factory=Seen)

    def resolving(self) -> OkdWorld:
        cluster = self.definition.cluster()
        found = {which: (wanted_addresses(cluster, which) or ("192.0.2.70",), "") for which in names_of(cluster)}
        self.seen = replace(self.seen, cluster=cluster.name, names=found)
        return self

    def node(self, host: Host, role: NodeRole) -> Node:
        platform = platform_of(self.definition.cluster())
        if role is NodeRole.BOOTSTRAP:
            return Node(host, role)
        if role in NO_NODES:
            return super().node(host, role)
        up, seen = self.machine(host.name).up, replace(self.seen, nodes=self.nodes)
        if not up and seen.complete:
            return Node(host, role, None, "nothing answers", parts=Parts())
        here = self.nodes.get(host.name)
        ports = frozenset({SSH, KUBELET, *([API] if here and here.control_plane else [])}) if here else frozenset()
        view = view_of(Machine(ports if up else frozenset(), here, seen))
        return Node(host, role, view, parts=platform.parts(view))

    def alive(self, name: str) -> bool:
        return self.machine(name).up and name in self.nodes

    def do(self, step: Step, cluster: str) -> None:
        if isinstance(step.action, Program):
            machine = self.machine(step.target)
            if step.stage == "leave":
                self.machines[step.target] = type(machine)(number=machine.number)
                return
            machine.owner = cluster
            stage = "endpoint" if step.stage == "unbalance" else step.stage
            machine.holds.add(f"{stage}.{step.action.id}")
            return
        super().do(step, cluster)

    def call(self, call: Call, target: str) -> None:
        arguments: Mapping[str, Any] = call.arguments
        cluster = self.definition.cluster()
        if call.name == "okd.assets":
            self.seen = replace(self.seen, begun=True, config=install_config(cluster))
        elif call.name == "okd.start":
            for name in arguments["planes"]:
                self.registered(name, control_plane=True)
            self.seen = replace(self.seen, complete=True)
        elif call.name == "okd.join":
            self.registered(target, control_plane=arguments["machines"][0]["role"] == "master")
        elif call.name == "okd.complete":
            release = str(cluster.kubernetes_version).removeprefix("v")
            self.seen = replace(self.seen, version=version(release), operators=(operator(),))
        elif call.name == "okd.release":
            self.seen = replace(self.seen, released=True)
        elif call.name == "okd.upgrade":
            self.seen = replace(self.seen, version=version(arguments["version"]))
        elif call.name == "okd.shut-down":
            self.machine(target).up = False
        elif call.name == "okd.remove-member":
            self.voters = {name: at for name, at in self.voters.items() if at != arguments["address"]}
            self.nodes.pop(target, None)
        else:
            super().call(call, target)
            if call.name == "raijin.forget" and not self.members:
                self.seen = replace(self.seen, begun=False, complete=False)

    def registered(self, name: str, *, control_plane: bool) -> None:
        role = {f"node-role.kubernetes.io/{ROLES[control_plane]}": ""}
        self.nodes.setdefault(name, NodeState(name, True, "v1.35.0", role, (), False, ()))
        if control_plane:
            (node,) = (n for n in self.context().nodes if n.name == name)
            self.voters[name] = known_address(node)


def okd_world(example: str) -> OkdWorld:
    return OkdWorld(load((EXAMPLES / f"{example}.yaml",), {})).resolving()
