"""What every node is like: its operating system, its program, its configuration and its unit, as programs.

Until a host is a member, all of that is laid down by `services`, and nothing runs. From then on `configure` keeps it,
one server after the other, because a change there starts the program anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from raijin.operations.absent import Absent
from raijin.operations.base import Operation, SecretRef
from raijin.operations.claim import Claim
from raijin.operations.directory import Directory
from raijin.operations.file import File
from raijin.operations.install import Install
from raijin.operations.program import Program
from raijin.operations.unit import Unit
from raijin.platforms.base import BinaryFile, Context, Node, Supply
from raijin.platforms.boards import board
from raijin.platforms.kernel import kernel
from raijin.platforms.rancher.layout import Distribution


@dataclass(frozen=True, slots=True)
class Files:
    """What is written on one node. unit: the text of its unit file; empty where the program brings one along.

    registries, datastore: a text, the name of a secret, or nothing.
    """

    config: str
    unit: str = ""
    registries: str | SecretRef = ""
    datastore: str | SecretRef = ""


def prepare(context: Context, node: Node, *more: Operation, vxlan: bool = False) -> Program:
    """The operating system. A host of another cluster is refused here, before any change. Swap may stay.

    vxlan: the container network needs it of the kernel.
    """
    own = board(node, vxlan=vxlan)
    operations: tuple[Operation, ...] = (Claim(context.cluster.name), *own, *more, *kernel(context))
    return Program("prepare the node", context.cluster.name, operations)


def folders(distribution: Distribution, node: Node) -> tuple[Operation, ...]:
    """Those of a member are as its program likes them."""
    if node.joined:
        return (Directory("/etc/rancher"),)
    paths = ("/etc/rancher", distribution.config_folder, distribution.drop_ins, "/var/lib/rancher", distribution.data)
    return tuple(Directory(path) for path in paths)


def configuration(distribution: Distribution, node: Node, files: Files) -> tuple[Operation, ...]:
    """Its files. What the definition says no more is taken away."""
    operations: list[Operation] = [File(distribution.config_file, files.config, mode="600")]
    optional = {distribution.registries_file: files.registries, distribution.datastore_file: files.datastore}
    for path, content in optional.items():
        operations.append(File(path, content, mode="600") if content else Absent(path))
    if files.unit:
        operations.append(File(unit_file(distribution, node), files.unit))
    return tuple(operations)


def running(distribution: Distribution, node: Node, stamps: Sequence[str], *, unit: bool) -> Unit:
    """The unit, started with what is there now. stamps: of its binaries. unit: its file is written by us."""
    watches = (
        distribution.config_file,
        distribution.registries_file,
        distribution.datastore_file,
        *((unit_file(distribution, node),) if unit else ()),
        *stamps,
    )
    return Unit(distribution.unit(node), watches=watches, timeout=distribution.start_seconds)


def unit_file(distribution: Distribution, node: Node) -> str:
    return f"/etc/systemd/system/{distribution.unit(node)}.service"


def images(context: Context, distribution: Distribution, node: Node, supply: Supply, artifact: str) -> Program | None:
    """Archives of images, where the program finds them when it starts; None where nodes pull.

    artifact: of the distribution's own images, in one archive. Its name on the host has no version, so that the archive
    of the next version takes its place.
    """
    operations: list[Operation] = []
    own = supply.binaries.get(artifact)
    if own is not None:
        operations.append(Install(f"{distribution.images}/{own.file}", own.sha256, _titled(own), mode="644"))
    operations += [
        Install(f"{distribution.images}/{image.file}", image.sha256, image.ref, mode="644") for image in supply.images
    ]
    if not operations:
        return None
    # What the program has made itself has the modes that it likes.
    inside = () if node.joined else (Directory(f"{distribution.data}/agent"), Directory(distribution.images))
    return Program("load the images", context.cluster.name, (*inside, *operations))


def install(binary: BinaryFile, path: str) -> Install:
    """The name is written on the host beside the sum, and facts read the version from it."""
    return Install(path=path, sha256=binary.sha256, name=_titled(binary))


def _titled(binary: BinaryFile) -> str:
    return f"{binary.name}-{binary.version}"
