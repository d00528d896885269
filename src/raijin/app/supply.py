"""From the lock to what a plan may use: binaries and images per architecture, and where their files are found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from raijin.app.home import opened_file
from raijin.app.session import Session
from raijin.artifacts.catalogue import normal_arch
from raijin.artifacts.images import ImageRef
from raijin.artifacts.lock import ImageEntry, Lock
from raijin.artifacts.needs import ArtifactNeed, Choice, ImageNeed, Need, resolve
from raijin.errors import ArtifactError, PlanRefused
from raijin.lifecycle.desired import installed_network
from raijin.model.cluster import Cluster
from raijin.network import choice_of, kube_vip
from raijin.plan.model import Material, Plan
from raijin.platforms import platform_of
from raijin.platforms.base import BinaryFile, Context, Hop, ImageFile, Supply
from raijin.platforms.versions import newest_by_minor, way


@dataclass(frozen=True, slots=True)
class Supplies:
    """tags: of the images that documents name, by image."""

    by_arch: dict[str, Supply]
    tags: dict[str, str]
    materials: tuple[Material, ...]
    notes: tuple[str, ...]


def needs_of(cluster: Cluster, version: str, archs: Sequence[str], lock: Lock | None) -> list[Need]:
    """All that a cluster of this version needs: its platform's list and its container network's. Raises Unsupported."""
    wanted = platform_of(cluster).needs(cluster, version, archs, lock)
    images = network_images(cluster, version, lock)
    return [*wanted, *(ImageNeed(ref, arch) for arch in dict.fromkeys(map(normal_arch, archs)) for ref in images)]


def network_images(cluster: Cluster, version: str, lock: Lock | None) -> tuple[str, ...]:
    """The images of the container network, unless the platform brings it along, and of what carries the virtual IP."""
    found: tuple[str, ...] = ()
    network = installed_network(cluster)
    if network is not None:
        found += network.images(cluster, choice_of(cluster, version, lock, network.main_image))
    if kube_vip.serves(cluster.network.virtual_ip):
        found += (kube_vip.image(Choice(version, lock or Lock())),)
    return found


def supplies_for(session: Session, archs: Iterable[str], version: str) -> Supplies:
    """What nodes of one version are made of.

    Raises ArtifactError with all that the lock lacks. Images are all or nothing: else nodes pull them.
    """
    cluster, lock = session.cluster, session.lock
    by_arch: dict[str, Supply] = {}
    materials: dict[str, Material] = {}
    notes: list[str] = []
    for arch in sorted(set(archs)):
        needs = needs_of(cluster, version, [arch], lock)
        binaries = resolve([need for need in needs if isinstance(need, ArtifactNeed)], lock).artifacts
        images, note = _images([need for need in needs if isinstance(need, ImageNeed)], lock, arch)
        notes += [note] if note else []
        by_arch[arch] = Supply(
            binaries={e.name: BinaryFile(e.name, e.version, e.file, e.sha256) for e in binaries},
            images=tuple(ImageFile(str(ImageRef.parse(e.ref)), e.file, e.sha256) for e in images),
        )
        materials |= {e.sha256: Material(e.sha256, e.file, e.size, e.url) for e in binaries}
        materials |= {e.sha256: Material(e.sha256, e.file, e.size, e.ref) for e in images}
    tags = {ref.name: ref.tag for ref in map(ImageRef.parse, network_images(cluster, version, lock))}
    return Supplies(by_arch, tags, tuple(materials.values()), tuple(notes))


def hops_for(session: Session, context: Context) -> tuple[tuple[Hop, ...], tuple[Material, ...]]:
    """The versions that an upgrade goes through, with what they are made of; none when no member is older.

    Raises PlanRefused when a minor in between is not held, ArtifactError when one is held in part.
    """
    platform, wanted = platform_of(session.cluster), session.cluster.kubernetes_version
    members = [node for node in context.reachable if node.joined]
    running = {node.name: platform.version_of(node, context.state) for node in members}
    if not any(version is not None and version < wanted for version in running.values()):
        return (), ()
    planes = [platform.control_plane_version(n, context.state) or running[n.name] for n in members if n.control_plane]
    start = min((version for version in planes if version is not None), default=wanted)
    try:
        versions = way(start, wanted, newest_by_minor(session.lock.versions_of(platform.release)))
    except KeyError as missing:
        minor = f"{wanted.major}.{missing.args[0]}"
        raise PlanRefused(
            f"{session.cluster.name} runs {start}; the way to {wanted} leads through {minor}, and no {minor} is held",
            remedy=f"run `raijin artifacts lock --from {start}`, or import a bundle that has a {minor}",
        ) from missing
    archs = {node.architecture for node in members}
    supplies = [supplies_for(session, archs, str(version)) for version in versions]
    hops = tuple(Hop(version, supply.by_arch) for version, supply in zip(versions, supplies, strict=True))
    materials = {material.sha256: material for supply in supplies for material in supply.materials}
    return hops, tuple(materials.values())


def _images(needs: list[ImageNeed], lock: Lock, arch: str) -> tuple[list[ImageEntry], str]:
    """The locked images of an architecture, extra ones of a bundle included; a note when nodes will pull instead."""
    try:
        found = resolve(needs, lock).images
    except ArtifactError as error:
        if any(image.arch == arch for image in lock.images):
            raise
        return [], f"no images are locked for {arch}: nodes pull {len(needs)} images from their registries ({error})"
    ours = {ImageRef.parse(need.ref).name for need in needs}
    extra = [i for i in lock.images if i.arch == arch and ImageRef.parse(i.ref).name not in ours]
    return [*found, *extra], ""


def locator(session: Session, plan: Plan) -> Callable[[str], Awaitable[Path]]:
    """A function from sha256 to the verified file, for the files that the plan names."""
    if session.twin is not None:
        return stand_in(session, plan)
    entries = {entry.sha256: entry for entry in session.lock.entries()}
    names = {material.sha256: material.name for material in plan.materials}

    async def locate(sha256: str) -> Path:
        laid_open = opened_file(session.home, sha256)
        if laid_open.is_file():
            return laid_open
        entry = entries.get(sha256)
        if entry is None:
            raise ArtifactError(
                f"{names.get(sha256, 'a file')} with sha256 {sha256} is in no lock file or bundle any more",
                remedy="import the bundle again, or make a new plan",
            )
        return await session.artifacts.ensure(entry)

    return locate


def stand_in(session: Session, plan: Plan) -> Callable[[str], Awaitable[Path]]:
    """The same for a rehearsal: files of the right length with nothing in them, which take no room.

    Only what was opened out of one of its own backups is what it is.
    """
    sizes = {material.sha256: material.size for material in plan.materials}

    async def locate(sha256: str) -> Path:
        laid_open = opened_file(session.home, sha256)
        if laid_open.is_file():
            return laid_open
        path = session.home / "stand-ins" / str(sizes.get(sha256, 0))
        if not path.is_file():
            path.parent.mkdir(exist_ok=True)
            with path.open("wb") as file:
                file.truncate(int(path.name))
        return path

    return locate
