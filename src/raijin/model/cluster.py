"""A cluster: the document that says which machines form it, in which roles, and how."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from raijin.model.backup import Backup
from raijin.model.base import NON_EMPTY, FreeDict, Model, fault
from raijin.model.boot import BootMethod
from raijin.model.choice import Choice
from raijin.model.cni import Cni, CniName
from raijin.model.kubernetes import Kubernetes
from raijin.model.labels import Taint
from raijin.model.names import Name
from raijin.model.network import ClusterNetwork
from raijin.model.node_group import NodeGroup, NodeRole
from raijin.model.policy import Policy
from raijin.model.releases import whole
from raijin.model.service import Service
from raijin.model.validation import Validation
from raijin.model.version import Version

__all__ = ["Cluster", "ClusterType", "NodeGroup", "NodeRole", "Taint"]

OLDEST_KUBEADM_MINOR = 29


class ClusterType(Choice):
    """The Kubernetes distribution. VANILLA is upstream Kubernetes made by kubeadm."""

    VANILLA = "VANILLA"
    K3S = "K3S"
    RKE2 = "RKE2"
    TALOS = "TALOS"
    OKD = "OKD"

    @classmethod
    def aliases(cls) -> dict[str, str]:
        return {"KUBEADM": "VANILLA", "KUBERNETES": "VANILLA"}

    @property
    def own_system(self) -> bool:
        """Whether it is an operating system of its own."""
        return self in {ClusterType.TALOS, ClusterType.OKD}

    @property
    def of_kubernetes(self) -> bool:
        """Whether its versions are those of Kubernetes, so that its kubelets report them."""
        return self in {ClusterType.VANILLA, ClusterType.K3S, ClusterType.RKE2}


_VERSION_EXAMPLES = {
    ClusterType.VANILLA: "v1.34.2",
    ClusterType.K3S: "v1.32.0+k3s1",
    ClusterType.RKE2: "v1.32.0+rke2r1",
    ClusterType.TALOS: "v1.13.9",
    ClusterType.OKD: "4.22.0-okd-scos.7",
}

# What each distribution takes when nothing is said: pods, services, container network.
_NETWORK_DEFAULTS: dict[ClusterType, tuple[str, str, CniName]] = {
    ClusterType.K3S: ("10.42.0.0/16", "10.43.0.0/16", CniName.FLANNEL),
    ClusterType.RKE2: ("10.42.0.0/16", "10.43.0.0/16", CniName.CANAL),
    ClusterType.OKD: ("10.128.0.0/14", "172.30.0.0/16", CniName.OVN_KUBERNETES),
}


def _version(value: str, info: ValidationInfo) -> str:
    kind = info.data.get("type")
    if kind is None:  # the type itself is wrong and has been reported
        return value
    if kind is ClusterType.OKD:
        value = whole(value)
    version = Version.parse(value)
    example = _VERSION_EXAMPLES[kind]
    if version is None:
        raise fault("is not a full version", f"write the whole release, as in {example}")
    wanted = {ClusterType.K3S: "+k3s", ClusterType.RKE2: "+rke2r"}.get(kind, "")
    if f"+{version.build}".rstrip("0123456789") != (wanted or "+"):
        raise fault(f"is not a version of {kind}", f"write it as in {example}")
    if kind is ClusterType.VANILLA:
        if version.major != 1:
            raise fault("is not a version of Kubernetes", f"write it as in {example}")
        if version.minor < OLDEST_KUBEADM_MINOR:
            raise fault("is too old", f"use v1.{OLDEST_KUBEADM_MINOR}.0 or later")
    return value


class Cluster(Model):
    """One Kubernetes cluster."""

    kind: Literal["Cluster"] = Field(default="Cluster", description="Says that this document is a Cluster.")
    name: Name = Field(description="Name of the cluster.", examples=["production"])
    type: ClusterType = Field(description="The Kubernetes distribution; VANILLA is upstream Kubernetes by kubeadm.")
    version: Annotated[str, AfterValidator(_version)] = Field(
        description="The full release, as the distribution writes it.",
        examples=list(_VERSION_EXAMPLES.values()),
    )
    boot_method: BootMethod = Field(
        default=BootMethod.EXISTING,
        description="How an operating system lands on the machines. EXISTING: they already run Linux.",
    )
    network: ClusterNetwork = Field(default=ClusterNetwork.bare(), description="The network of the cluster.")
    node_groups: Annotated[tuple[NodeGroup, ...], NON_EMPTY] = Field(
        description="The machines of the cluster, by role.", json_schema_extra={"minItems": 1}
    )
    services: tuple[Service, ...] = Field(default=(), description="Services that the cluster depends on.")
    kubernetes: Kubernetes = Field(default=Kubernetes.bare(), description="Settings of Kubernetes itself.")
    policy: Policy = Field(default=Policy.bare(), description="How careful runs are.")
    backup: Backup = Field(default=Backup.bare(), description="Where backups of the cluster are kept, and how often.")
    security: FreeDict = Field(default={}, description="Security settings of the platform.")
    validation: Validation = Field(default=Validation.bare(), description="What must hold before the cluster is done.")
    platform_config: FreeDict = Field(default={}, description="Settings that only the distribution knows.")

    @model_validator(mode="after")
    def _fill_network(self) -> Self:
        """The defaults of `network` depend on the distribution; what was written stays."""
        missing: dict[str, object] = {}
        endpoint = self._own_endpoint()
        if endpoint and not self.network.control_plane_endpoint:
            missing["control_plane_endpoint"] = endpoint
        defaults = _NETWORK_DEFAULTS.get(self.type)
        if defaults:
            pod_cidr, service_cidr, cni = defaults
            fresh = {"pod_cidr": pod_cidr, "service_cidr": service_cidr}
            missing |= {field: value for field, value in fresh.items() if field not in self.network.model_fields_set}
            if "name" not in self.network.cni.model_fields_set:
                fields = dict(self.network.cni) | {"name": cni}
                missing["cni"] = Cni.model_construct(_fields_set=self.network.cni.model_fields_set, **fields)
        if missing:
            network = ClusterNetwork.model_construct(
                _fields_set=self.network.model_fields_set, **(dict(self.network) | missing)
            )
            self.__dict__["network"] = network  # the model is frozen for everybody else
        return self

    def _own_endpoint(self) -> str:
        """The API of an OKD cluster has the name that its installer gives it; empty for every other one."""
        domain = self.platform_config.get("baseDomain")
        if self.type is not ClusterType.OKD or not isinstance(domain, str):
            return ""
        return f"api.{self.name}.{domain.rstrip('.')}:6443"

    @property
    def kubernetes_version(self) -> Version:
        """The version in parts; prints as `v1.34.2` however it was written."""
        version = Version.parse(self.version)
        if version is None:
            raise AssertionError(f"unvalidated version {self.version}")
        return version

    @property
    def control_plane_size(self) -> int:
        """How many control plane machines the cluster has."""
        return sum(group.size for group in self.node_groups if group.role is NodeRole.CONTROL_PLANE)
