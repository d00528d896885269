"""Where backups are kept: each target is one place, and that place exists."""

from __future__ import annotations

from collections.abc import Iterator

from raijin.definition.checks.base import Documents, Finding
from raijin.definition.problems import remedy_for, shown
from raijin.definition.tree import Loc, Tree
from raijin.model.backup import BackupTarget


def backup_targets(documents: Documents) -> Iterator[Finding]:
    """A target is a folder, a folder of a known host, or a bucket; names are given once."""
    for cluster in documents.clusters:
        seen: set[str] = set()
        for at, target in enumerate(cluster.model.backup.targets):
            loc: Loc = ("backup", "targets", at)
            yield from _place(cluster.tree, loc, target, documents)
            if target.name in seen:
                yield Finding(cluster.tree, (*loc, "name"), "is the name of two targets", "rename one", target.name)
            seen.add(target.name)


def _place(tree: Tree, loc: Loc, target: BackupTarget, documents: Documents) -> Iterator[Finding]:
    if (target.folder is None) == (target.s3 is None):
        both = target.folder is not None
        message = "is a folder and a bucket" if both else "says no place"
        yield Finding(tree, loc, message, "give `folder`, `host` and `folder`, or `s3`")
    elif target.s3 is not None and target.host is not None:
        yield Finding(tree, (*loc, "host"), "has no meaning for a bucket", "leave it out", str(target.host))
    if target.folder is not None and not str(target.folder).startswith(("/", "~")):
        yield Finding(tree, (*loc, "folder"), "is not a whole path", "begin it with /", str(target.folder))
    if target.host is not None and target.host not in documents.hosts and "Site" not in documents.broken:
        remedy = remedy_for(str(target.host), list(documents.hosts), "add the host to the Site")
        yield Finding(tree, (*loc, "host"), "is no host of the Site", remedy, shown(str(target.host)))
