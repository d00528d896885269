"""A make-believe site of Talos machines: what a plan of calls would make of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.plans.conftest import EXAMPLES, World

from raijin.definition.load import load
from raijin.facts.cluster import NodeState
from raijin.model.host import Host
from raijin.model.node_group import NodeRole
from raijin.plan.model import Call
from raijin.platforms import platform_of
from raijin.platforms.addresses import known_address
from raijin.platforms.base import Node, Parts
from raijin.platforms.talos.look import Machine, facts_from
from raijin.platforms.view import HostView


def told(address: str) -> dict[str, list[dict[str, Any]]]:
    """What `talosctl get` shows of a machine with one network card."""
    link = {"metadata": {"id": "eno1"}, "spec": {"type": "ether", "hardwareAddr": f"02:00:5e:10:00:{address[-2:]}"}}
    held = {"metadata": {"id": "a"}, "spec": {"linkName": "eno1", "address": f"{address}/24", "scope": "global"}}
    cpu = {"spec": {"coreCount": 4, "threadCount": 8, "productName": "A Processor"}}
    return {"cpus": [cpu], "ram": [{"spec": {"sizeMiB": 16384}}], "links": [link], "addresses": [held]}


@dataclass
class TalosWorld(World):
    """seen: each machine as it answers; those not named wait in maintenance mode."""

    seen: dict[str, Machine] = field(default_factory=dict)

    def node(self, host: Host, role: NodeRole) -> Node:
        platform = platform_of(self.definition.cluster())
        if not self.machine(host.name).up:
            return Node(host, role, None, parts=Parts())
        here = self.seen.get(host.name, Machine("v1.12.0", "maintenance"))
        view = HostView(facts_from(told(str(host.address))), own=here)
        return Node(host, role, view, parts=platform.parts(view))

    def alive(self, name: str) -> bool:
        return self.machine(name).up and self.seen.get(name, Machine()).data

    def call(self, call: Call, target: str) -> None:
        arguments: Mapping[str, Any] = call.arguments
        here = self.seen.get(target, Machine())
        if call.name in {"talos.start", "talos.join", "talos.configure"}:
            self.configured(call, target, here)
        elif call.name == "talos.upgrade":
            self.seen[target] = replace(here, version=arguments["version"])
        elif call.name == "talos.upgrade-k8s":
            for name, machine in self.seen.items():
                self.seen[name] = replace(machine, config=moved(machine.config, arguments["version"]))
        elif call.name == "talos.reset":
            self.seen.pop(target)
        elif call.name == "talos.halt":
            self.seen[target] = replace(here, data=False)
            self.voters.pop(target, None)
        elif call.name == "talos.remove-member":
            self.voters = {name: at for name, at in self.voters.items() if at != arguments["address"]}
            self.seen[target] = replace(here, data=False)
        else:
            super().call(call, target)

    def configured(self, call: Call, target: str, here: Machine) -> None:
        (node,) = (n for n in self.context().nodes if n.name == target)
        given: Any = call.arguments["config"]
        config = tuple(given) if call.name == "talos.configure" or not here.config else here.config
        version = here.version or str(self.definition.cluster().kubernetes_version)
        self.seen[target] = Machine(version, "running", config, node.control_plane)
        if node.control_plane:
            self.voters[target] = known_address(node)
        role = {"node-role.kubernetes.io/control-plane": ""} if node.control_plane else {}
        fresh = NodeState(target, True, self.seen[target].kubernetes, role, (), False, ())
        self.nodes.setdefault(target, fresh)


def moved(value: Any, version: str) -> Any:
    """A configuration whose images of Kubernetes are of another version, as `talosctl upgrade-k8s` leaves it."""
    if isinstance(value, dict):
        return {key: moved(inner, version) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(moved(inner, version) for inner in value)
    if isinstance(value, str) and value.startswith(("registry.k8s.io/", "ghcr.io/siderolabs/kubelet:")):
        return f"{value.partition(':')[0]}:{version}"
    return value


def talos_world(example: str) -> TalosWorld:
    return TalosWorld(load((EXAMPLES / f"{example}.yaml",), {}))
