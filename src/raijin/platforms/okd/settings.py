"""`platformConfig` of an OKD cluster, field by field, and the DNS names that follow from it.

Sources: the types of install-config.yaml in openshift/installer (pkg/types/installconfig.go and its validation,
v1.5.0-alpha.2), and "Installing a user-provisioned cluster on bare metal" of the OKD documentation (DNS, addresses).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError

from raijin.model.base import FreeDict, Model, fault
from raijin.model.cidr import Cidr
from raijin.model.cluster import Cluster, NodeRole
from raijin.model.names import Endpoint, HostName, IpAddress, Url, split_endpoint
from raijin.model.secret import Secret, SecretReference

FAKE_PULL_SECRET = '{"auths":{"fake":{"auth":"aWQ6cGFzcwo="}}}'  # noqa: S105
"""OKD's images are public; the installer still wants a pull secret, and this is the one that OKD documents."""
IGNITION_PORT = 8080
_PUBLIC_KEY = re.compile(r"(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( .*)?")
_DIGEST = r"^[^\s@]+@sha256:[0-9a-f]{64}$"


def _public_key(value: str) -> str:
    if not _PUBLIC_KEY.fullmatch(value.strip()):
        raise fault("is not a public SSH key", "write the line of your .pub file, as in ssh-ed25519 AAAA...")
    return value.strip()


def _certificates(value: str) -> str:
    if "-----BEGIN CERTIFICATE-----" not in value:
        raise fault("has no certificate in it", "write the certificates in PEM, with their BEGIN and END lines")
    return value


class MirrorSource(Model):
    """Where the images of a repository are pulled from instead."""

    source: str = Field(min_length=1, description="The repository that the release names.", examples=["quay.io/okd/x"])
    mirrors: tuple[str, ...] = Field(min_length=1, description="Repositories that have the same images.")


class Proxy(Model):
    """A proxy for what the cluster fetches from outside."""

    http_proxy: Url | None = Field(default=None, description="For HTTP.")
    https_proxy: Url | None = Field(default=None, description="For HTTPS.")
    no_proxy: str | None = Field(default=None, description="Names, domains and networks without it, comma-separated.")


class IgnitionServer(Model):
    """Where machines fetch their Ignition configuration from, while a run waits for them."""

    address: Endpoint = Field(
        description="This machine's address (and port, default 8080) as the booting machines reach it.",
        examples=["192.0.2.5:8080"],
    )
    clients: tuple[Cidr, ...] = Field(
        default=(),
        description="Networks that may fetch, beside the host's own address: where machines boot with another one.",
    )

    @property
    def place(self) -> tuple[str, int]:
        return split_endpoint(str(self.address), IGNITION_PORT)


class Settings(Model):
    """What an OKD installation is told, beside what every cluster has."""

    base_domain: HostName = Field(description="The cluster's names are below `<cluster>.<baseDomain>`.")
    machine_networks: tuple[Cidr, ...] = Field(min_length=1, description="Networks of the machines.")
    ignition_server: IgnitionServer = Field(description="Where machines fetch their Ignition configuration from.")
    pull_secret: Secret | None = Field(
        default=None, description="A reference to the pull secret (env:NAME or file:PATH). Default: OKD's fake one."
    )
    ssh_key: Annotated[str, AfterValidator(_public_key)] | None = Field(
        default=None, description="Public key that logs in as `core` on every machine."
    )
    install_disk: str = Field(default="/dev/sda", pattern=r"^/dev/\S+$", description="What CoreOS is installed on.")
    masters_schedulable: bool | None = Field(
        default=None, description="Whether pods run on control plane machines. Default: only if there are no workers."
    )
    api_addresses: tuple[IpAddress, ...] = Field(
        default=(), description="What `api` and `api-int` resolve to. Default: the virtual IP, else not compared."
    )
    apps_addresses: tuple[IpAddress, ...] = Field(
        default=(), description="What `*.apps` resolves to. Default: the virtual IP, else not compared."
    )
    release_image: str | None = Field(
        default=None, pattern=_DIGEST, description="The release image by digest, where it is taken from a mirror."
    )
    image_digest_sources: tuple[MirrorSource, ...] = Field(default=(), description="Mirrors of the release's images.")
    additional_trust_bundle: Annotated[str, AfterValidator(_certificates)] | None = Field(
        default=None, description="Certificates in PEM that machines trust, as those of a mirror."
    )
    additional_trust_bundle_policy: Literal["Proxyonly", "Always"] = Field(
        default="Proxyonly", description="When the machines trust them: behind a proxy only, or always."
    )
    proxy: Proxy | None = Field(default=None, description="A proxy for what the cluster fetches.")
    manifests: tuple[FreeDict, ...] = Field(default=(), description="Further documents for the first start.")
    channel: str | None = Field(default=None, min_length=1, description="Update channel; default: the release's own.")
    admin_acks: tuple[str, ...] = Field(
        default=(), description="Gates of upgrades that you acknowledge, by the keys that the cluster names."
    )
    accept_risks: bool = Field(default=False, description="Take updates that are recommended with known risks only.")


def settings_of(cluster: Cluster) -> Settings:
    """Raises ValidationError: ask `faults` before."""
    return Settings.model_validate(cluster.platform_config)


def domain_of(cluster: Cluster) -> str:
    return f"{cluster.name}.{settings_of(cluster).base_domain.rstrip('.')}"


def names_of(cluster: Cluster) -> dict[str, str]:
    """The DNS names that must resolve, by what they are; for the wildcard, one name of those that it covers."""
    domain = domain_of(cluster)
    return {
        "api": f"api.{domain}",
        "api-int": f"api-int.{domain}",
        "*.apps": f"console-openshift-console.apps.{domain}",
    }


def wanted_addresses(cluster: Cluster, which: str) -> tuple[str, ...]:
    """What one of these names should resolve to; empty where nobody said."""
    settings, vip = settings_of(cluster), cluster.network.virtual_ip
    written = settings.apps_addresses if which == "*.apps" else settings.api_addresses
    return tuple(map(str, written)) or ((str(vip.address),) if vip is not None else ())


def hosts_of_role(cluster: Cluster, role: NodeRole) -> tuple[str, ...]:
    return tuple(str(host) for group in cluster.node_groups if group.role is role for host in group.hosts)


def faults(cluster: Cluster) -> Iterator[tuple[str, str]]:
    """What of `platformConfig` cannot be served, each with the path of its field."""
    try:
        settings = settings_of(cluster)
    except ValidationError as error:
        for wrong in error.errors():
            path = ".".join(["platformConfig", *map(str, wrong["loc"])])
            if wrong["type"] == "missing":
                yield path, f"an OKD cluster needs it: {_needed(wrong['loc'])}"
            elif wrong["type"] == "extra_forbidden":
                yield path, "OKD clusters have no such setting"
            else:
                yield path, str(wrong["msg"])
        return
    if settings.pull_secret is not None and not isinstance(settings.pull_secret, SecretReference):
        yield (
            "platformConfig.pullSecret",
            "it would stand in files: write a reference (env:NAME or file:PATH), or leave it out for OKD's fake one",
        )
    if settings.proxy is not None and not (settings.proxy.http_proxy or settings.proxy.https_proxy):
        yield "platformConfig.proxy", "it names no proxy: write httpProxy or httpsProxy"
    if settings.additional_trust_bundle_policy == "Always" and settings.additional_trust_bundle is None:
        yield "platformConfig.additionalTrustBundlePolicy", "there is no additionalTrustBundle"
    if settings.image_digest_sources and settings.release_image is None:
        yield (
            "platformConfig.imageDigestSources",
            "mirrors hold images by digest: name the release by its digest in releaseImage too",
        )
    for index, manifest in enumerate(settings.manifests):
        yield from _manifest_faults(f"platformConfig.manifests[{index}]", manifest)


def _needed(place: Iterable[object]) -> str:
    return {
        "baseDomain": "the domain that holds api.<cluster>.<baseDomain>",
        "machineNetworks": "the networks of the machines, as in [192.0.2.0/24]",
        "ignitionServer": "address: where booting machines reach this machine, as in 192.0.2.5:8080",
    }.get(str(list(place)[-1]), "write it")


def _manifest_faults(path: str, manifest: FreeDict) -> Iterator[tuple[str, str]]:
    metadata = manifest.get("metadata")
    if not manifest.get("apiVersion") or not manifest.get("kind"):
        yield path, "it is no document of Kubernetes: it has no apiVersion or no kind"
    elif not isinstance(metadata, dict) or not metadata.get("name"):
        yield f"{path}.metadata.name", "it has no name"
    if manifest.get("kind") == "Secret":
        yield path, "secrets in manifests are not served: they would stand in plans"


def pull_secret_fault(text: str) -> str:
    """Why a pull secret is none, empty when it is one. The installer's ImagePullSecret: `auths`, each with `auth`."""
    try:
        content = json.loads(text)
    except ValueError:
        return "it is not JSON"
    auths = content.get("auths") if isinstance(content, dict) else None
    if not isinstance(auths, dict) or not auths:
        return "it has no `auths`"
    lacking = [name for name, entry in auths.items() if not isinstance(entry, dict) or not entry.get("auth")]
    return f"{', '.join(lacking)} has no `auth`" if lacking else ""
