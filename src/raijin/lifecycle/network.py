"""The container network of a running cluster: applied, waited for, and rid of what an earlier version had.

network    server-side apply of the documents that differ; the plan shows each field
rollout    every workload of it runs on every node that answers
prune      what Raijin applied before and no longer wants is deleted
names      in a new cluster, pods find each other by name
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import cast

from raijin.facts.cluster import differences, given_up
from raijin.lifecycle.desired import (
    KUBE_PROXY,
    NETWORK_PART,
    desired_certificates,
    desired_documents,
    installed_network,
    wanted_network,
)
from raijin.lifecycle.stages import call
from raijin.model.cni import CniName
from raijin.network import CONTAINER_NETWORKS
from raijin.network.cni import ContainerNetwork
from raijin.plan.draft import Draft
from raijin.plan.model import Call, Change, Disruption, Json
from raijin.platforms import platform_of
from raijin.platforms.base import Context, Node
from raijin.platforms.certificates import CERTIFICATE_DAYS, ending, secret_of
from raijin.platforms.view import HostView
from raijin.transport.document import Document, describe

ROLLOUT_SECONDS = 900
APPLY_SECONDS = 600
"""Calico is forty documents, each a request; a busy control plane host took 111 seconds for them."""


def keep_certificates(context: Context) -> Iterable[Draft]:
    certificates = desired_certificates(context)
    if not certificates:
        return
    changes = []
    for one in certificates:
        thing = describe(secret_of(one.namespace, one.secret))
        live = context.state.objects.get(thing) if context.state else None
        reason = ending(live, context.state.moment if context.state else 0.0)
        if reason:
            made = f"valid for {CERTIFICATE_DAYS} days"
            changes.append(Change(thing, "state" if live is None else "valid until", reason, made))
    yield Draft(
        "certificates",
        context.cluster.name,
        "make certificates for the container network",
        call(
            context,
            "kube.certificates",
            {"part": NETWORK_PART, "certificates": cast("Json", [asdict(one) for one in certificates])},
        ),
        needs=(f"start/{context.first.name}", f"services/{context.first.name}", "renewed/*"),
        changes=() if context.blind else tuple(changes),
        follows=context.blind,
        timeout=120,
    )


def install_network(context: Context) -> Iterable[Draft]:
    """The container network, and what else the platform puts into the cluster, by server-side apply."""
    documents = desired_documents(context)
    if not documents:
        return
    changes = [change for document in documents for change in _changes(context, document)]
    yield Draft(
        "network",
        context.cluster.name,
        "install the container network" if installed_network(context.cluster) else "apply the settings of the cluster",
        call(context, "kube.apply", {"documents": cast("Json", documents)}),
        needs=(
            f"start/{context.first.name}",
            f"services/{context.first.name}",
            f"certificates/{context.cluster.name}",
            "renewed/*",
        ),
        changes=() if context.blind else tuple(changes),
        follows=context.blind,
        timeout=APPLY_SECONDS,
        estimate=3,
    )


def _changes(context: Context, document: Document) -> Iterable[Change]:
    live = context.state.objects.get(describe(document)) if context.state else None
    if live is None:
        yield Change(describe(document), "state", "absent", "applied")
        return
    wanted = {key: value for key, value in document.items() if key not in {"apiVersion", "kind"}}
    for path, have, want in (*differences(wanted, live), *given_up(wanted, live)):
        yield Change(describe(document), path, have, want)


def roll_out_network(context: Context) -> Iterable[Draft]:
    """Pods can talk when it runs everywhere: waited for after a change of it, and no reason for a plan by itself."""
    network = installed_network(context.cluster)
    if network is None or not context.cluster.validation.wait_for_cluster:
        return
    yield Draft(
        "rollout",
        context.cluster.name,
        "wait until the container network runs",
        _rolled_out(context, "the container network", list(network.workloads(context.cluster))),
        needs=(f"network/{context.cluster.name}",),
        follows=True,
        timeout=ROLLOUT_SECONDS,
        estimate=20,
    )


def resolve_names(context: Context) -> Iterable[Draft]:
    """The last that a new cluster lacks before it is of use. Later it is a matter of its health."""
    cluster = context.cluster
    name = platform_of(cluster).names_by(cluster)
    if (
        not name
        or context.started
        or not cluster.validation.wait_for_cluster
        or cluster.network.cni.name is CniName.NONE
    ):
        return
    yield Draft(
        "names",
        cluster.name,
        "wait until names are resolved",
        _rolled_out(context, "the cluster's DNS", [_deployment(name)]),
        needs=("ready/*", f"rollout/{cluster.name}"),
        follows=True,
        timeout=cluster.validation.timeout_minutes * 60,
        estimate=10,
    )


def _deployment(name: str) -> Document:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "kube-system"}}


def _rolled_out(context: Context, what: str, workloads: list[Document]) -> Call:
    return call(context, "kube.wait-rollout", {"what": what, "workloads": cast("Json", workloads)})


def prune_network(context: Context) -> Iterable[Draft]:
    """Objects with the network's label that are of no document any more: of an earlier version, or another setting."""
    stale = _stale(context)
    if not stale:
        return
    yield Draft(
        "prune",
        context.cluster.name,
        "delete what the container network no longer has",
        call(context, "kube.prune", {"part": NETWORK_PART, "objects": cast("Json", stale)}),
        needs=(f"network/{context.cluster.name}", f"rollout/{context.cluster.name}"),
        changes=tuple(Change(describe(item), "state", "applied before", "absent") for item in stale),
        disruption=Disruption.RESTART,
        timeout=120,
    )


def _stale(context: Context) -> list[Document]:
    if context.state is None or installed_network(context.cluster) is None:
        return []
    wanted = {describe(document) for document in desired_documents(context)}
    wanted |= {describe(secret_of(one.namespace, one.secret)) for one in desired_certificates(context)}
    return [item for name, item in context.state.parts.items() if name not in wanted]


def reasons(context: Context) -> Iterable[str]:
    """What stands against the container network that the definition wants, judged from what was seen."""
    network = installed_network(context.cluster)
    if context.state is not None:
        yield from _other_network(context, network)
        yield from _kube_proxy(context, network)
    if network is not None:
        for reason in network.conflicts(wanted_network(context), context.state.objects if context.state else {}):
            yield f"{context.cluster.name}: {reason}"


def _other_network(context: Context, network: ContainerNetwork | None) -> Iterable[str]:
    state, wanted = context.state, context.cluster.network.cni.name
    for other in CONTAINER_NETWORKS:
        known_by = describe(other.workloads(context.cluster)[0])
        if other is network or state is None or state.objects.get(known_by) is None:
            continue
        if network is not None or known_by in state.parts:
            yield (
                f"{context.cluster.name}: it runs {other.name}, and the definition says {wanted}: pods would lose each "
                f"other on the way. Set network.cni.name back to {other.name}; to have {wanted}, make a new cluster, "
                "or destroy this one first"
            )


def _kube_proxy(context: Context, network: ContainerNetwork | None) -> Iterable[str]:
    """kube-proxy comes with a new cluster, or does not; its rules and those of its stand-in do not mix."""
    if network is None or context.state is None:
        return
    cluster, runs = context.cluster, context.state.objects.get(describe(KUBE_PROXY)) is not None
    replaced = cluster.network.cni.replaces_kube_proxy
    if runs and replaced:
        yield (
            f"{cluster.name}: it runs kube-proxy, whose work {network.name} would do: that is decided when a cluster "
            "is made. Keep kube-proxy in network.cni, or make a new cluster"
        )
    elif not runs and not replaced and platform_of(cluster).kube_proxy:
        yield (
            f"{cluster.name}: it runs no kube-proxy, and nothing in network.cni would do its work: that is decided "
            "when a cluster is made. Set network.cni as it was, or make a new cluster"
        )


def unwell(context: Context) -> Iterable[str]:
    """What of the running network is not as it should be, although nothing is to be changed: for the plan's notes."""
    network = installed_network(context.cluster)
    for workload in network.workloads(context.cluster) if network is not None and context.state else ():
        live = context.state.objects.get(describe(workload)) if context.state else None
        status = (live or {}).get("status") or {}
        missing = status.get("numberUnavailable") or status.get("unavailableReplicas") or 0
        if missing:
            yield f"{describe(workload)}: pods that are not ready: {missing}; look at them with kubectl describe"


def kernel_reasons(context: Context, facts: HostView) -> Iterable[str]:
    """Whether the Linux of a host can do what the container network is to do with it."""
    network = installed_network(context.cluster)
    if network is None:
        return
    oldest = network.least_kernel(context.cluster)
    if facts.kernel_version < oldest:
        needed = ".".join(map(str, oldest))
        yield f"its kernel {facts.kernel_release} is too old; {network.name} as defined needs {needed} or newer"


def address_reasons(context: Context, facts: HostView) -> Iterable[str]:
    """Whether a host that is to become a node has an address of each IP version that pods have."""
    missing = {net.version for net in context.cluster.network.pod_networks} - facts.families
    for version in sorted(missing) if facts.families else ():
        yield f"it has no IPv{version} address, and pods are to have one: give it one on its main interface"


def farewell(context: Context, leaving: Iterable[Node]) -> Iterable[str]:
    """What the plan says of hosts that leave and are not wholly as they were before."""
    network = installed_network(context.cluster)
    rest = network.lingers(context.cluster) if network is not None else ""
    for node in leaving if rest else ():
        if node.facts is not None:
            yield f"{node.name} keeps {rest} of {context.cluster.network.cni.name} until it is restarted"
