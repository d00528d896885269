"""A backup: packed on a control plane host, kept by Raijin wherever the definition says, and cleaned up."""

from __future__ import annotations

from collections.abc import Iterable

from raijin.errors import PlanRefused
from raijin.lifecycle.drafting import drafted
from raijin.plan.draft import Draft
from raijin.plan.model import Call, Change
from raijin.platforms import packing, platform_of
from raijin.platforms.base import Context, Node
from raijin.platforms.etcd import member_at

PACK_SECONDS = 2 * packing.SNAPSHOT_SECONDS
KEEP_SECONDS = 7200
"""Gigabytes to a bucket behind a slow line take their time."""


def drafts(context: Context) -> list[Draft]:
    """The steps of `raijin cluster backup`. Raises PlanRefused when there is nothing to back up."""
    if not context.started:
        raise PlanRefused(
            f"no control plane host of {context.cluster.name} can be reached that runs it: there is nothing to back up",
            remedy="look at `raijin status`",
        )
    if platform_of(context.cluster).kept_outside(context.cluster):
        raise PlanRefused(
            f"the data of {context.cluster.name} is in a database outside: Raijin makes no copy of it",
            remedy="back it up with its own tools, and keep the keys of the cluster with it: the server token of K3s "
            "and RKE2, /etc/kubernetes/pki of kubeadm",
        )
    return list(take_backup(context))


def take_backup(context: Context, after: tuple[str, ...] = ()) -> Iterable[Draft]:
    """A snapshot with all that belongs to it. `keep/*` is done when it is safe. after: what it waits for."""
    platform, name, node = platform_of(context.cluster), context.cluster.name, source(context)
    running = platform.control_plane_version(node, context.state) or platform.version_of(node, context.state)
    action = platform.pack(context, node)
    if action is not None:
        yield drafted(
            "pack",
            node.name,
            "take a snapshot",
            action,
            needs=after,
            timeout=PACK_SECONDS,
            estimate=10,
            forced=True,
            renewed=True,
        )
    yield Draft(
        "keep",
        name,
        "keep the backup",
        Call(
            "backup.keep",
            {
                "host": node.name,
                "version": str(running or context.cluster.kubernetes_version),
                "kind": platform.snapshot_kind(node),
            },
        ),
        needs=(f"pack/{node.name}", *after),
        changes=(Change(f"backup of {name}", "state", "absent", "kept"),),
        timeout=KEEP_SECONDS,
        estimate=5,
    )
    if action is not None:
        yield Draft(
            "clean",
            node.name,
            "clean up",
            packing.clean(context),
            needs=(f"pack/{node.name}", f"keep/{name}"),
            timeout=120,
            forced=True,
            cleanup=True,
        )


def back_up_by_themselves(context: Context) -> Iterable[Draft]:
    """Control plane hosts that make backups by a timer of their own, or no longer do."""
    for node in context.control_planes:
        action = platform_of(context.cluster).back_up(context, node) if node.facts is not None else None
        if action is not None:
            needs = (f"start/{node.name}", f"join/{node.name}", f"binaries/{node.name}")
            yield drafted("schedule", node.name, "set up its own backups", action, needs=needs, timeout=120)


def source(context: Context) -> Node:
    """The control plane host that is asked: not the leader of etcd, where there is another one that answers."""
    hosts = [node for node in context.started if node.facts is not None]
    return next((node for node in hosts if _follows(context, node)), hosts[0])


def _follows(context: Context, node: Node) -> bool:
    member = member_at(context, node) if context.etcd is not None else None
    return member is not None and member.healthy and not member.leader and not member.learner
