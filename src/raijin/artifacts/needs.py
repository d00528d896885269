"""What a cluster needs, before anything is fetched: a list, made by its platform and its container network.

A version that the definition leaves open is the catalogue's for this Kubernetes version, or the newest that the lock
(or bundle) holds when that one is not in it, because offline only what is held exists. `resolve` then finds each need
in the lock and reports all that are missing at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from raijin.artifacts.catalogue import normal_version
from raijin.artifacts.lock import ImageEntry, Lock, LockEntry, missing
from raijin.artifacts.versions import default_version
from raijin.model.version import newest


@dataclass(frozen=True, slots=True, order=True)
class ArtifactNeed:
    """optional: the cluster stands without it, some verbs do not; a lock that does not hold it is no error."""

    name: str
    version: str
    arch: str
    optional: bool = False

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.arch})"


@dataclass(frozen=True, slots=True, order=True)
class ImageNeed:
    ref: str
    arch: str

    def __str__(self) -> str:
        return f"image {self.ref} ({self.arch})"


Need = ArtifactNeed | ImageNeed


class Resolved(NamedTuple):
    """The lock's entries for a list of needs, each list in the order of the needs."""

    artifacts: list[LockEntry]
    images: list[ImageEntry]


@dataclass(frozen=True, slots=True)
class Choice:
    """The versions of one cluster's artifacts: the definition's, else what is held, else the catalogue's.

    kubernetes: its version. lock: what is held; leave it out when the lock file itself is made anew, or it would hold
    on to its old versions. pinned: versions that the definition fixes, by artifact or image name.
    """

    kubernetes: str
    lock: Lock = field(default_factory=Lock)
    pinned: Mapping[str, str] = field(default_factory=dict)

    def version(self, name: str) -> str:
        """The version of an artifact of the catalogue, with its leading v."""
        fixed = self.pinned.get(name)
        if fixed:
            return normal_version(fixed)
        own = normal_version(default_version(name, self.kubernetes))
        return _chosen(own, [normal_version(version) for version in self.lock.versions_of(name)])

    def tag(self, image: str, own: str, *former: str) -> str:
        """The tag of an image (named registry/repository), where `own` is the one that goes with this Kubernetes.

        former: names that the image had in earlier versions.
        """
        held = [tag for name in (image, *former) for tag in self.lock.tags_of(name)]
        return self.pinned.get(image) or _chosen(own, held)


def _chosen(own: str, held: Sequence[str]) -> str:
    """Offline only what is held exists: its newest, unless our own is held too."""
    return own if not held or own in held else newest(held)


def resolve(needs: Iterable[Need], lock: Lock) -> Resolved:
    """The lock's entry for each need. Raises ArtifactError naming all that the lock does not hold."""
    found, absent = Resolved([], []), []
    for need in needs:
        if isinstance(need, ArtifactNeed):
            entry = lock.get(need.name, need.version, need.arch)
            found.artifacts.extend([entry] if entry else [])
            absent.extend([] if entry or need.optional else [str(need)])
        else:
            image = lock.get_image(need.ref, need.arch)
            found.images.extend([image] if image else [])
            absent.extend([] if image else [str(need)])
    if absent:
        raise missing(absent, lock.origin)
    return found
