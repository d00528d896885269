"""What a rehearsal makes up, because it fetches nothing: secrets, and what is in no lock file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from raijin.app.session import Session
from raijin.app.supply import needs_of
from raijin.artifacts.catalogue import kind_of
from raijin.artifacts.images import image_file_name
from raijin.artifacts.lock import ImageEntry, Lock, LockEntry
from raijin.artifacts.needs import ArtifactNeed, Need
from raijin.model.cluster import Cluster, ClusterType
from raijin.model.secret import Secret, SecretReference
from raijin.model.version import Version
from raijin.platforms import platform_of
from raijin.platforms.versions import way

BINARY_BYTES = 45_000_000
IMAGE_BYTES = 30_000_000
"""About what the files of Kubernetes 1.34 have on average."""


def made_up_secrets(value: Any) -> Any:
    """The same part of a definition, with a made-up secret in the place of each reference to one."""
    if isinstance(value, SecretReference):
        return Secret(f"rehearsed {value}")
    if isinstance(value, BaseModel):
        held = {name: getattr(value, name) for name in value.model_fields_set}
        made = {name: made_up_secrets(item) for name, item in held.items()}
        changed = {name: item for name, item in made.items() if item is not held[name]}
        return value.model_copy(update=changed) if changed else value
    if isinstance(value, tuple):
        items = tuple(map(made_up_secrets, value))
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    if isinstance(value, dict):
        entries = {key: made_up_secrets(item) for key, item in value.items()}
        return entries if any(entries[key] is not value[key] for key in value) else value
    return value


def without_references(config: Mapping[str, Any]) -> dict[str, Any]:
    """`platformConfig` without settings that refer to a secret: what they are typed as, only their platform knows."""
    schemes = tuple(f"{scheme}:" for scheme in SecretReference.SCHEMES)
    return {key: value for key, value in config.items() if not (isinstance(value, str) and value.startswith(schemes))}


SURROUNDINGS: Mapping[str, Any] = {
    "baseDomain": "example.org",
    "machineNetworks": ["198.18.0.0/16"],
    "ignitionServer": {"address": "198.19.0.1:8080"},
}
"""What is around the machines of an OKD cluster, where its definition does not say: names and networks of nobody."""


def surrounded(cluster: Cluster) -> tuple[Cluster, str]:
    """An OKD cluster with what its definition leaves to its surroundings, and what of it is made up, in words."""
    if cluster.type is not ClusterType.OKD:
        return cluster, ""
    missing = {key: value for key, value in SURROUNDINGS.items() if key not in cluster.platform_config}
    if not missing:
        return cluster, ""
    config = {**cluster.platform_config, **missing}
    network = cluster.network
    if network.control_plane_endpoint is None:
        endpoint = f"api.{cluster.name}.{config['baseDomain']}:6443"
        network = network.model_copy(update={"control_plane_endpoint": endpoint})
    made = cluster.model_copy(update={"platform_config": config, "network": network})
    return made, f"made up, because platformConfig does not say it: {', '.join(missing)}"


def made_up_lock(session: Session, held: Lock, start: str, notes: list[str]) -> Lock:
    """A lock that holds everything that the session's cluster needs. start: the version that an upgrade comes from."""
    cluster = session.cluster
    archs = sorted({str(placed.host.arch or "amd64") for placed in session.definition.hosts_of(cluster)} or {"amd64"})
    versions = [str(cluster.kubernetes_version)]
    if start and (first := Version.parse(start)):
        known = platform_of(cluster).known
        try:
            between = way(first, cluster.kubernetes_version, known)
        except KeyError:  # no release of a minor in between is known: the plan says which, and refuses it
            between = [cluster.kubernetes_version]
        versions = [start, *map(str, between)]
    made = Lock(origin="the rehearsal")
    for version in dict.fromkeys(versions):
        base = held if held.artifacts else None
        for need in needs_of(cluster, version, archs, base):
            made = _with(made, held, need)
    missing = sum(not entry.source for entry in made.entries())
    if missing:
        notes.append(f"{missing} artifacts are in no lock file: their sizes and sums are made up")
    return made


def _with(made: Lock, held: Lock, need: Need) -> Lock:
    if isinstance(need, ArtifactNeed):
        entry = held.get(need.name, need.version, need.arch) or _binary(need.name, need.version, need.arch)
        return made.merged(Lock((entry,)))
    image = held.get_image(need.ref, need.arch)
    if image is None:
        image = ImageEntry(need.ref, need.arch, image_file_name(need.ref, need.arch), _sum(str(need)), IMAGE_BYTES)
    return made.merged(Lock((), (image,)))


def _binary(name: str, version: str, arch: str) -> LockEntry:
    kind = kind_of(name)
    file = kind.file_name(version, arch)
    return LockEntry(name, version, arch, kind.kind, file, _sum(f"{name} {version} {arch}"), BINARY_BYTES)


def _sum(text: str) -> str:
    return hashlib.sha256(f"rehearsed {text}".encode()).hexdigest()
