"""Checks across fields and documents. Each yields every fault that it finds; none stops at the first.

They run on documents whose fields are all valid. A check that compares two kinds of documents is told when one of that
kind could not be read, so that it does not report what the missing document would have answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from raijin.definition.checks.backups import backup_targets
from raijin.definition.checks.base import Documents, Finding
from raijin.definition.checks.container_networks import container_networks
from raijin.definition.checks.endpoint import virtual_ips
from raijin.definition.checks.groups import control_planes, counts, memberships
from raijin.definition.checks.hosts import circular_jumps, duplicate_hosts, power_needs, unknown_jumps
from raijin.definition.checks.meshes import meshes, templates
from raijin.definition.checks.names import duplicate_names
from raijin.definition.checks.networks import overlaps, pod_room
from raijin.definition.checks.services import service_order

__all__ = ["CHECKS", "Documents", "Finding"]

CHECKS: tuple[Callable[[Documents], Iterator[Finding]], ...] = (
    duplicate_names,
    duplicate_hosts,
    unknown_jumps,
    circular_jumps,
    power_needs,
    memberships,
    counts,
    control_planes,
    virtual_ips,
    backup_targets,
    overlaps,
    pod_room,
    container_networks,
    service_order,
    meshes,
    templates,
)
