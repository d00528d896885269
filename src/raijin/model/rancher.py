"""Settings of the two distributions that are one program on each host: K3s and RKE2."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from raijin.model.base import FreeDict, Model
from raijin.model.choice import Choice
from raijin.model.secret import Secret

PublicKey = Annotated[str, StringConstraints(pattern=r"^-----BEGIN PGP PUBLIC KEY BLOCK-----")]
Component = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]*$")]


class Embedded(Choice):
    """The database inside the servers."""

    SQLITE = "SQLITE"
    ETCD = "ETCD"


class Datastore(Model):
    """A database of one's own that all servers share, in place of the one inside them."""

    endpoint: Secret = Field(
        description="Where it is, with user and password: postgres://..., mysql://... or etcd's https://... addresses.",
        examples=["env:K3S_DATASTORE"],
    )
    ca_file: Path | None = Field(default=None, description="Path on the servers of the authority that it is known by.")
    cert_file: Path | None = Field(default=None, description="Path on the servers of the client certificate.")
    key_file: Path | None = Field(default=None, description="Path on the servers of that certificate's key.")


class RegistryAccess(Model):
    """How a registry or a mirror is spoken to (`configs` of registries.yaml)."""

    username: str | None = Field(default=None, description="User name.")
    password: Secret | None = Field(default=None, description="Password.", examples=["env:REGISTRY_PASSWORD"])
    ca_file: Path | None = Field(default=None, description="Path on the nodes of the authority that it is known by.")
    insecure_skip_verify: bool = Field(default=False, description="Take whatever certificate it shows.")


class SelinuxRepository(Model):
    """Where the package with SELinux's policy comes from."""

    key: PublicKey = Field(
        description="The public key that signs its packages, armoured (Rancher's is https://rpm.rancher.io/public.key).",
    )
    uri: str = Field(
        default="",
        description="Its base URL, of a mirror for example. Default: Rancher's own for the system of the host.",
        examples=["https://mirror.example.org/rke2/common/centos/9/noarch"],
    )


class Rancher(Model):
    """What K3s and RKE2 have in common."""

    disable: tuple[Component, ...] = Field(
        default=(), description="Packaged components that are not wanted.", examples=[["traefik", "servicelb"]]
    )
    disable_kube_proxy: bool = Field(
        default=False, description="No kube-proxy: the container network does its work (Cilium, Calico with eBPF)."
    )
    disable_cloud_controller: bool = Field(
        default=False, description="No cloud controller of its own: an outside one sets node addresses."
    )
    secrets_encryption: bool = Field(default=False, description="Encrypt Secrets in the datastore (RKE2 always does).")
    selinux: bool = Field(
        default=False,
        description="SELinux in containerd. The packages container-selinux and k3s-selinux or rke2-selinux are "
        "installed where they are missing.",
    )
    selinux_repository: SelinuxRepository | None = Field(
        default=None,
        description="A package repository with that policy, for hosts that have none. Left out: they have one, or the "
        "packages are installed there already.",
    )
    datastore: Datastore | None = Field(default=None, description="An outside database in place of the one inside.")
    registries: dict[str, RegistryAccess] = Field(
        default={}, description="Registry or mirror (host and port) -> how it is spoken to."
    )
    server_configuration: FreeDict = Field(
        default={},
        description="Further options of `server`, by their names without dashes in front; they win over Raijin's own.",
        examples=[{"kube-apiserver-arg": ["audit-log-maxage=30"]}],
    )
    agent_configuration: FreeDict = Field(
        default={},
        description="Further options of `agent`; servers get those that they know too.",
        examples=[{"kubelet-arg": ["max-pods=200"]}],
    )


class K3s(Rancher):
    """Settings of K3s."""

    embedded: Embedded | None = Field(
        default=None,
        description="SQLITE: one server. ETCD: one, three or five. Default: SQLITE for one server, ETCD for several; a "
        "server that has SQLITE is taken over to ETCD when others join it.",
    )
    disable_network_policy: bool = Field(
        default=False, description="No network policy controller (there is none where another network is chosen)."
    )
    disable_helm_controller: bool = Field(default=False, description="No Helm controller.")


class Rke2(Rancher):
    """Settings of RKE2."""

    cis: bool = Field(
        default=False,
        description="`profile: cis`, with what it asks of the host: a user etcd on servers, kernel settings.",
    )
