"""Node groups: machines of one role that are treated alike."""

from __future__ import annotations

from collections.abc import Container

from pydantic import Field

from raijin.model.base import Model
from raijin.model.boot import Boot, NodeTemplate
from raijin.model.choice import Choice
from raijin.model.labels import Labels, Taint
from raijin.model.names import HostName, Name
from raijin.model.network import NodeNetwork


class NodeRole(Choice):
    """What the machines of a group do in the cluster."""

    CONTROL_PLANE = "CONTROL_PLANE"
    BOOTSTRAP = "BOOTSTRAP"
    BASTION = "BASTION"
    INFRA = "INFRA"
    STORAGE = "STORAGE"
    WORKER = "WORKER"

    @classmethod
    def aliases(cls) -> dict[str, str]:
        return {
            "CONTROLPLANE": "CONTROL_PLANE",
            "MASTER": "CONTROL_PLANE",
            "SERVER": "CONTROL_PLANE",
            "AGENT": "WORKER",
        }


NO_NODES = (NodeRole.BASTION, NodeRole.BOOTSTRAP)
"""Roles of hosts that are, or will be, no nodes of the cluster."""


class AntiAffinity(Choice):
    """Whether machines of a group may share a hypervisor."""

    NONE = "NONE"
    SOFT = "SOFT"
    HARD = "HARD"


class Placement(Model):
    """Which hypervisors the machines of a group are put on."""

    target_nodes: tuple[str, ...] = Field(default=(), description="Only these hypervisors.", examples=[["storage01"]])
    preferred_nodes: tuple[str, ...] = Field(default=(), description="These hypervisors first.")
    anti_affinity: AntiAffinity = Field(
        default=AntiAffinity.NONE, description="SOFT: spread if possible. HARD: never two on one hypervisor."
    )


class Lifecycle(Model):
    """What becomes of the machines of a group once the cluster stands."""

    temporary: bool = Field(default=False, description="Only needed while the cluster is made (bootstrap).")
    cleanup_after_boot: bool = Field(default=False, description="Remove them once the cluster stands.")


class NodeGroup(Model):
    """Machines of one role that are treated alike: existing hosts by name, or a count of machines to make."""

    name: Name = Field(description="Name of the group.", examples=["workers"])
    role: NodeRole = Field(description="What its machines do in the cluster.")
    count: int | None = Field(
        default=None, ge=0, description="How many machines; may be left out where `hosts` names them."
    )
    hosts: tuple[HostName, ...] = Field(
        default=(), description="Hosts of the Site documents, by name.", examples=[["n1", "n2"]]
    )
    template: NodeTemplate | None = Field(default=None, description="What new machines are made from.")
    placement: Placement | None = Field(default=None, description="Where new machines are put.")
    boot: Boot | None = Field(default=None, description="How the machines boot.")
    network: NodeNetwork | None = Field(default=None, description="Their network, where it differs from the cluster's.")
    tags: tuple[str, ...] = Field(default=(), description="Tags of new machines at their provider.")
    metadata: dict[str, str] = Field(default={}, description="Annotations for your own use.")
    labels: Labels = Field(default={}, description="Node labels of every host of the group.")
    taints: tuple[Taint, ...] = Field(default=(), description="Node taints of every host of the group.")
    lifecycle: Lifecycle | None = Field(default=None, description="What becomes of the machines later.")

    def is_counted(self, made: Container[str]) -> bool:
        """Whether it says how many machines it has, and names none but those that were made for it."""
        return self.count is not None and all(host in made for host in self.hosts)

    @property
    def size(self) -> int:
        """How many machines the group has."""
        return len(self.hosts) if self.count is None else self.count
