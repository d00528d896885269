"""`platformConfig` of a Talos cluster, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, ValidationError

from raijin.model.base import FreeDict, Model
from raijin.model.cluster import Cluster

Document = dict[str, Any]
_SECRET = ("token", "key", "secret", "password", "auth", "identitytoken", "cert")


class Settings(Model):
    """Patches are strategic merge patches of Talos: mappings merge, lists grow, other documents are added by kind and
    name. The later one wins: patches, then those of the role, then those of the host.
    """

    kubernetes_version: str | None = Field(
        default=None, pattern=r"^v?1\.\d+\.\d+$", description="Default: Talos's own."
    )
    install_disk: str = Field(default="/dev/sda", min_length=1, description="The disk that Talos is installed on.")
    install_image: str = Field(
        default="ghcr.io/siderolabs/installer",
        pattern=r"^[^\s:]+(:\d+)?(/[^\s:]+)*$",
        description="The installer without its tag: another registry, or one with system extensions.",
    )
    wipe_disk: bool = Field(default=False, description="Wipe the disk when Talos is installed.")
    apply_mode: Literal["auto", "no-reboot", "staged"] = Field(
        default="auto", description="How a changed machine configuration reaches machines that run."
    )
    schedule_on_control_planes: bool = Field(default=False, description="Let pods run on control plane machines.")
    name_servers: tuple[str, ...] = Field(default=(), description="DNS servers; default: DHCP's.")
    time_servers: tuple[str, ...] = Field(default=(), description="Time servers; default: Talos's own.")
    patches: tuple[FreeDict, ...] = Field(default=(), description="Of every machine.")
    control_plane_patches: tuple[FreeDict, ...] = Field(default=(), description="Of control plane machines.")
    worker_patches: tuple[FreeDict, ...] = Field(default=(), description="Of workers.")
    host_patches: dict[str, tuple[FreeDict, ...]] = Field(default={}, description="Of single machines, by name.")


def settings_of(cluster: Cluster) -> Settings:
    """Raises ValidationError: ask `faults` before."""
    return Settings.model_validate(cluster.platform_config)


def faults(cluster: Cluster) -> Iterator[tuple[str, str]]:
    """What of `platformConfig` cannot be served, each with the path of its field."""
    try:
        settings = settings_of(cluster)
    except ValidationError as error:
        for fault in error.errors():
            path = ".".join(["platformConfig", *map(str, fault["loc"])])
            unknown = fault["type"] == "extra_forbidden"
            yield path, "Talos clusters have no such setting" if unknown else str(fault["msg"])
        return
    lists: list[tuple[str, tuple[FreeDict, ...]]] = [
        ("patches", settings.patches),
        ("controlPlanePatches", settings.control_plane_patches),
        ("workerPatches", settings.worker_patches),
        *((f"hostPatches.{name}", patches) for name, patches in settings.host_patches.items()),
    ]
    placed = {host for group in cluster.node_groups for host in group.hosts}
    for name in sorted(set(settings.host_patches) - placed):
        yield f"platformConfig.hostPatches.{name}", "no host of the cluster has this name"
    for place, patches in lists:
        for index, patch in enumerate(patches):
            yield from _patch_faults(f"platformConfig.{place}[{index}]", patch)


def _patch_faults(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$patch":
                yield f"{path}.{key}", "deletions by patches are not served; leave out what shall not be there"
            elif isinstance(inner, str) and str(key).lower() in _SECRET:
                yield f"{path}.{key}", "secrets in patches are not served yet: they would stand in plans"
            else:
                yield from _patch_faults(f"{path}.{key}", inner)
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from _patch_faults(f"{path}[{index}]", inner)
