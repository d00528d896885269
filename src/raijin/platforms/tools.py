"""etcd's own tools on control plane hosts: etcdctl and etcdutl, whatever distribution it is."""

from __future__ import annotations

from raijin.artifacts.catalogue import kind_of
from raijin.operations.archive import Archive
from raijin.platforms.base import Node, Supply

ETCD = "etcd"
"""The artifact: for backup, restore and the care of members. A cluster stands without it."""


def etcd_tools(supply: Supply, node: Node) -> tuple[Archive, ...]:
    binary = supply.binaries.get(ETCD)
    if binary is None or not node.control_plane:
        return ()
    members = kind_of(ETCD).archive_members(binary.version, node.architecture)
    return (Archive("/usr/local/bin", binary.sha256, binary.file, strip=1, members=members),)
