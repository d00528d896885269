"""What a template says that a new machine does when it boots for the first time: packages, commands, keys.

Where a provider runs no cloud-init, Raijin does it over SSH before anything else, and only on hosts that are no members
yet. What installs the distribution that Raijin installs itself is left out, and said.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from raijin.model.boot import CloudInit
from raijin.model.cluster import Cluster, ClusterType
from raijin.model.node_group import NodeGroup
from raijin.operations.base import Operation
from raijin.operations.claim import Claim
from raijin.operations.command import FIRST_BOOT, Command
from raijin.operations.directory import Directory
from raijin.operations.line import Line
from raijin.operations.package import Package
from raijin.operations.program import Program
from raijin.plan.draft import Draft
from raijin.platforms.base import Context

SECONDS = 1800
COMMAND_SECONDS = 900

# How the installers of distributions are documented to be run, and how their units are named:
# docs.k3s.io "Quick-Start Guide", docs.rke2.io "Quick Start".
_INSTALLERS = {
    ClusterType.K3S: re.compile(r"get\.k3s\.io|systemctl [a-z -]*\bk3s(-agent)?\b"),
    ClusterType.RKE2: re.compile(r"get\.rke2\.io|systemctl [a-z -]*\brke2-(server|agent)\b"),
}


def first_boot(context: Context) -> Iterable[Draft]:
    """On hosts that are to become members."""
    for node in (node for node in context.hosts if node.facts is not None):
        group = next((g for g in context.cluster.node_groups if node.name in g.hosts), None)
        operations = _operations(context.cluster, _cloud_init(group)) if group and not node.joined else []
        if operations:
            program = Program("first boot", context.cluster.name, (Claim(context.cluster.name), *operations))
            yield Draft(
                "first-boot",
                node.name,
                "do what its first boot shall do",
                program,
                timeout=SECONDS,
                estimate=20,
            )


def left_out(cluster: Cluster, group: NodeGroup) -> list[str]:
    """Commands that would install what Raijin installs itself, in the version of the definition."""
    init = _cloud_init(group)
    return [text for text in init.run_cmd if _installs(cluster, text)] if init else []


def _cloud_init(group: NodeGroup | None) -> CloudInit | None:
    return group.template.cloud_init if group is not None and group.template is not None else None


def _installs(cluster: Cluster, text: str) -> bool:
    pattern = _INSTALLERS.get(cluster.type)
    return pattern is not None and pattern.search(text) is not None


def _operations(cluster: Cluster, init: CloudInit | None) -> list[Operation]:
    if init is None:
        return []
    found: list[Operation] = []
    if init.packages:
        found.append(Package(init.packages))
    if init.ssh_authorized_keys:
        found.append(Directory("/root/.ssh", mode="700"))
        found += [Line("/root/.ssh/authorized_keys", key.strip()) for key in init.ssh_authorized_keys]
    commands = [text for text in init.run_cmd if not _installs(cluster, text)]
    found += [_command(number, text) for number, text in enumerate(commands, 1)]
    return found


def _command(number: int, text: str) -> Command:
    """Once on each host, however often it is planned."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return Command(
        f"command {number} of the first boot",
        ("sh", "-c", text),
        marker=f"{FIRST_BOOT}{digest}",
        timeout=COMMAND_SECONDS,
    )
