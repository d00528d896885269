"""Settings of Kubernetes itself, and of what makes the cluster."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from raijin.model.apiserver import Audit, Encryption
from raijin.model.base import FreeDict, Model
from raijin.model.duration import Duration
from raijin.model.names import Address
from raijin.model.rancher import K3s, Rke2
from raijin.model.secret import Secret

EtcdAddress = Annotated[str, StringConstraints(pattern=r"^https://[^/\s]+:\d+$")]


class ExternalEtcd(Model):
    """An etcd of one's own that API servers use in place of a member on each control plane host."""

    endpoints: tuple[EtcdAddress, ...] = Field(
        min_length=1, description="Client addresses of its members.", examples=[["https://192.0.2.31:2379"]]
    )
    ca: Secret = Field(description="The authority that it is known by, as PEM.", examples=["file:etcd/ca.crt"])
    certificate: Secret = Field(description="The client certificate, as PEM.", examples=["file:etcd/client.crt"])
    key: Secret = Field(description="That certificate's key, as PEM.", examples=["file:etcd/client.key"])


class Kubeadm(Model):
    """Additions to what Raijin generates for kubeadm: each mapping is merged into the object of that kind."""

    cluster_configuration: FreeDict = Field(
        default={},
        description="Merged into ClusterConfiguration.",
        examples=[{"apiServer": {"extraArgs": [{"name": "audit-log-maxage", "value": "30"}]}}],
    )
    init_configuration: FreeDict = Field(default={}, description="Merged into InitConfiguration.")
    join_configuration: FreeDict = Field(default={}, description="Merged into JoinConfiguration.")
    kubelet_configuration: FreeDict = Field(
        default={}, description="Merged into KubeletConfiguration.", examples=[{"maxPods": 200}]
    )
    kube_proxy_configuration: FreeDict = Field(
        default={}, description="Merged into KubeProxyConfiguration.", examples=[{"mode": "nftables"}]
    )
    external_etcd: ExternalEtcd | None = Field(
        default=None, description="An etcd outside; default: a member on each control plane host."
    )
    timeouts: dict[str, Duration] = Field(
        default={},
        description="kubeadm's own timeouts, by the names of its `timeouts` structure.",
        examples=[{"controlPlaneComponentHealthCheck": "4m"}],
    )


class ContainerRuntime(Model):
    """The container runtime: containerd."""

    version: str | None = Field(
        default=None, description="Version of containerd; default: the one that Raijin was tested with."
    )
    registry_mirrors: dict[str, tuple[str, ...]] = Field(
        default={}, description="Registry -> mirrors to try first.", examples=[{"docker.io": ["https://r.example.org"]}]
    )


class Kubernetes(Model):
    """Settings of Kubernetes itself."""

    api_server_port: int = Field(default=6443, ge=1, le=65535, description="TCP port of the API server.")
    cert_sans: tuple[Address, ...] = Field(
        default=(), description="Further names and addresses in the certificate of the API server."
    )
    token_ttl_minutes: int = Field(
        default=30, ge=1, le=24 * 60, description="How long a join token is valid; Raijin removes it after use anyway."
    )
    container_runtime: ContainerRuntime = Field(default=ContainerRuntime.bare(), description="The container runtime.")
    kubeadm: Kubeadm = Field(default=Kubeadm.bare(), description="Additions to kubeadm's configuration (VANILLA).")
    k3s: K3s = Field(default=K3s.bare(), alias="k3s", description="Settings of K3s (K3S).")
    rke2: Rke2 = Field(default=Rke2.bare(), alias="rke2", description="Settings of RKE2 (RKE2).")
    encryption: Encryption | None = Field(default=None, description="Encryption of what is kept in etcd (VANILLA).")
    audit: Audit | None = Field(default=None, description="The audit log of the API servers (VANILLA).")
