"""New definitions: templates, the wizard's answers written down, and one for this machine alone."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import yaml

from raijin.artifacts.store import Artifacts
from raijin.definition.load import load
from raijin.definition.templates import STARTERS, starter
from raijin.model.version import Version

Document = dict[str, object]
NEWEST_KNOWN = "v1.36.4"
"""Kubernetes release that `init` proposes when no bundle says otherwise (see artifacts/versions.py)."""


@dataclass(frozen=True, slots=True)
class Answers:
    name: str
    version: str
    user: str
    key: str
    control_plane: tuple[str, str]
    workers: tuple[tuple[str, str], ...]

    @staticmethod
    def default_version() -> str:
        return NEWEST_KNOWN


def starters() -> list[tuple[str, str]]:
    return [(item.name, item.summary) for item in STARTERS]


def template_text(name: str) -> str:
    return starter(name).text


def written(answers: Answers) -> str:
    """The answers as a definition. Raises DefinitionError when they do not make one."""
    hosts = [answers.control_plane, *answers.workers]
    ssh: Document = {"user": answers.user, **({"key": answers.key} if answers.key else {})}
    groups: list[Document] = [{"name": "control-plane", "role": "CONTROL_PLANE", "hosts": [answers.control_plane[0]]}]
    if answers.workers:
        groups.append({"name": "workers", "role": "WORKER", "hosts": [name for name, _ in answers.workers]})
    site: Document = {"kind": "Site", "ssh": ssh, "hosts": [{"name": n, "address": a} for n, a in hosts]}
    cluster: Document = {
        "kind": "Cluster",
        "name": answers.name,
        "type": "VANILLA",
        "version": answers.version,
        "nodeGroups": groups,
    }
    return _checked([site, cluster], "# Written by `raijin init`. Every field: docs/reference/definition.md\n")


def local_definition(home: Path, *, name: str, version: str | None) -> str:
    """This machine as the only node, reached without SSH."""
    import socket  # noqa: PLC0415

    host = socket.gethostname().split(".")[0].lower()
    site: Document = {"kind": "Site", "hosts": [{"name": host, "connection": "local"}]}
    cluster: Document = {
        "kind": "Cluster",
        "name": name,
        "type": "VANILLA",
        "version": version or best_version(home),
        "nodeGroups": [{"name": "control-plane", "role": "CONTROL_PLANE", "hosts": [host]}],
    }
    return _checked([site, cluster], "# Written by `raijin full-install`.\n")


def best_version(home: Path) -> str:
    """The newest Kubernetes that the imported bundles hold; without bundles, the newest that Raijin knows."""
    offered = Artifacts(home, None, offline=True).offered()
    held = [Version.parse(entry.version) for entry in offered.artifacts if entry.name == "kubelet"]
    newest = max((version for version in held if version), default=None)
    return str(newest) if newest else NEWEST_KNOWN


def _checked(documents: list[Document], heading: str) -> str:
    text = heading + yaml.safe_dump_all(documents, sort_keys=False, explicit_start=True)
    load(StringIO(text))
    return text
