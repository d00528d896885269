"""Every reason of OKD's own against applying a definition now, judged from what was seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from raijin.model.host import Arch
from raijin.platforms.addresses import known_address
from raijin.platforms.base import Context
from raijin.platforms.okd import upgrade
from raijin.platforms.okd.installconfig import install_config
from raijin.platforms.okd.look import Seen, machine_of, seen_of
from raijin.platforms.okd.settings import names_of, wanted_addresses


def reasons(context: Context) -> Iterable[str]:
    seen = seen_of(context)
    yield from _addresses(context)
    yield from _existing(context, seen)
    yield from _planes(context, seen)
    if not seen.complete:
        yield from _first_start(context, seen)
        return
    yield from _decided(context, seen)
    yield from upgrade.reasons(context)


def _addresses(context: Context) -> Iterable[str]:
    for node in (*context.bootstrap, *context.nodes):
        if not known_address(node):
            yield f"{node.name}: give its address as an IP address: the load balancer and its certificates need it"
        if node.host.arch not in {None, Arch.AMD64}:
            yield f"{node.name}: OKD is published for amd64 alone, and the definition says {node.host.arch}"


def _existing(context: Context, seen: Seen) -> Iterable[str]:
    name = context.cluster.name
    if seen.stranger:
        yield f"{name}: another cluster answers under api.{name}: {seen.api}; use a name of its own, or its RAIJIN_HOME"
    if seen.complete and not context.started and not seen.silent:
        there = ", ".join(sorted(seen.nodes)) or "no node"
        yield (
            f"{name}: it was started, and none of its control plane machines is in the definition (it has {there}): "
            "write them back; a second cluster is never started beside it"
        )


def _planes(context: Context, seen: Seen) -> Iterable[str]:
    """OKD takes out the member of a machine that is off; one at a time."""
    leaving = [node for node in context.departed if node.control_plane]
    if len(leaving) > 1:
        names = ", ".join(node.name for node in leaving)
        yield f"{names}: control plane machines are replaced one at a time: write all but one of them back"
    for node in leaving:
        if node.facts is not None and (node.parts.joined or machine_of(node).ports):
            yield (
                f"{node.name}: it still runs, and OKD's etcd operator would add its member again: switch it off "
                f"(`ssh core@{known_address(node)} sudo systemctl poweroff`), then apply"
            )
    coming = [node for node in context.control_planes if node.facts is not None and not node.joined]
    if seen.complete and len(coming) > 1 and context.started:
        names = ", ".join(node.name for node in coming)
        yield f"{names}: control plane machines join a running cluster one at a time: add one, then the next"


def _first_start(context: Context, seen: Seen) -> Iterable[str]:
    if not context.bootstrap:
        yield (
            f"{context.cluster.name}: a first start needs a bootstrap machine: a node group of role BOOTSTRAP with one "
            "host, which is free again when the cluster stands"
        )
    for which, name in names_of(context.cluster).items():
        found, fault = seen.names.get(which, ((), "it was not asked for"))
        wanted = wanted_addresses(context.cluster, which)
        if not found:
            yield f"{context.cluster.name}: {name} does not resolve ({fault}): make the DNS record {which}"
        elif wanted and not set(found) <= set(wanted):
            yield (
                f"{context.cluster.name}: {name} resolves to {', '.join(found)}, and the load balancer is at "
                f"{', '.join(wanted)}: mend the DNS record {which}"
            )


def _decided(context: Context, seen: Seen) -> Iterable[str]:
    """What only the first start reads: a change of it would do nothing, and that is said."""
    made, wanted = _plain(seen.config), _plain(install_config(context.cluster))
    for field in sorted({*made, *wanted}):
        if made.get(field) != wanted.get(field):
            yield (
                f"{context.cluster.name}: {field} was decided when the cluster was made, and cannot be changed by the "
                "definition: write the old value back (OKD has objects for some of these: see its documentation)"
            )


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """Without what may change: how many machines there are, and the pull secret."""
    return {key: value for key, value in config.items() if key not in {"controlPlane", "compute", "pullSecret"}}
