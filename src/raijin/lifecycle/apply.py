"""apply: make the cluster what the definition says. Read STAGES first; the rest of the module is what they mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

from raijin.facts.cluster import NodeState
from raijin.lifecycle.backup import back_up_by_themselves, take_backup
from raijin.lifecycle.bootstrap import complete_cluster, release_bootstrap
from raijin.lifecycle.configure import configure_nodes, settings_first
from raijin.lifecycle.desired import desired_labels, desired_taints
from raijin.lifecycle.drafting import drafted
from raijin.lifecycle.encryption import encrypt_anew, make_keys
from raijin.lifecycle.endpoint import serve_endpoint, with_address, without_bootstrap
from raijin.lifecycle.firstboot import first_boot
from raijin.lifecycle.health import check_health
from raijin.lifecycle.machines import give_back_machines
from raijin.lifecycle.network import install_network, keep_certificates, prune_network, resolve_names, roll_out_network
from raijin.lifecycle.removal import lost, remove_departed, remove_lost_members
from raijin.lifecycle.renew import renew_certificates
from raijin.lifecycle.returned import wiped_first
from raijin.lifecycle.stages import call, live_node, settle
from raijin.lifecycle.upgrade import advance_cluster, backup_first, is_outdated, return_nodes, upgrade_nodes
from raijin.model.virtual_ip import VipProvider
from raijin.network import kube_vip
from raijin.plan.draft import Draft
from raijin.plan.model import Call, Change, Disruption, Json, Retry
from raijin.platforms import platform_of
from raijin.platforms.addresses import api_endpoint
from raijin.platforms.base import Context, Node
from raijin.platforms.platform import Platform
from raijin.platforms.rotation import in_the_middle

Stage = Callable[[Context], Iterable[Draft]]
TRANSFER_SECONDS = 3600
"""Half a gigabyte over a slow line to a far site takes its time."""
START_SECONDS = 960
JOIN_SECONDS = 660
CONVERT_SECONDS = 1500
"""A little more than the programs give their own commands."""
RENEWED = ("renewed/*",)
"""What needs the API waits for a control plane whose certificates are renewed: it may answer nobody before."""


def prepare_nodes(context: Context) -> Iterable[Draft]:
    for node in _steady(context):
        action = _platform(context).prepare(context, node)
        if action is not None:
            needs = (f"first-boot/{node.name}",)
            title = "prepare the operating system"
            yield drafted("prepare", node.name, title, action, needs=needs, timeout=900, estimate=15)


def install_binaries(context: Context) -> Iterable[Draft]:
    for node in _steady(context):
        action = _platform(context).equip(context, node)
        if action is not None:
            yield drafted(
                "binaries",
                node.name,
                "install the binaries",
                action,
                needs=(f"prepare/{node.name}",),
                timeout=TRANSFER_SECONDS,
                estimate=20,
            )


def run_services(context: Context) -> Iterable[Draft]:
    for node in _steady(context):
        action = _platform(context).services(context, node)
        if action is not None:
            needs = (f"binaries/{node.name}", f"prepare/{node.name}")
            yield drafted("services", node.name, "set up the services", action, needs=needs, estimate=5)


def load_images(context: Context) -> Iterable[Draft]:
    for node in _steady(context):
        action = _platform(context).images(context, node)
        if action is not None:
            needs = (f"services/{node.name}",)
            yield drafted(
                "images", node.name, "load the images", action, needs=needs, timeout=TRANSFER_SECONDS, estimate=30
            )


def start_cluster(context: Context) -> Iterable[Draft]:
    """Only where there is none: a control plane that has been started is never started again."""
    first = context.first
    if first.facts is None or context.started:
        return
    making = _platform(context).found(context)
    if making is not None:
        needs = (f"services/{first.name}",)
        yield drafted("found", first.name, "make the secrets of the cluster", making, needs=needs, timeout=60)
    yield drafted(
        "start",
        first.name,
        "start the cluster",
        with_address(context, _platform(context).start(context)),
        needs=(f"found/{first.name}", f"services/{first.name}", f"images/{first.name}", "keys/*", *_address(context)),
        retry=Retry.NEVER,
        timeout=START_SECONDS,
        estimate=45,
    )


def fetch_kubeconfig(context: Context) -> Iterable[Draft]:
    first = context.first
    yield Draft(
        "kubeconfig",
        first.name,
        "keep the kubeconfig",
        Call("cluster.kubeconfig", {"kubeconfig": _platform(context).kubeconfig, "endpoint": api_endpoint(context)}),
        needs=(f"start/{first.name}", f"renew/{first.name}", f"configure/{first.name}"),
        follows=True,
        timeout=60,
    )


def convert_datastore(context: Context) -> Iterable[Draft]:
    """What only one server can use becomes what others can share, before any of them comes. A backup goes before."""
    program = _platform(context).convert(context) if context.started else None
    if program is None:
        return
    first = context.first
    if context.cluster.policy.backup_before_upgrade:
        yield from take_backup(context)
    yield Draft(
        "convert",
        first.name,
        "take the data over",
        program,
        needs=(f"keep/{context.cluster.name}", f"binaries/{first.name}", f"services/{first.name}"),
        changes=(Change(f"data of {context.cluster.name}", "datastore", "SQLite", "etcd"),),
        disruption=Disruption.API,
        timeout=CONVERT_SECONDS,
        estimate=60,
        forced=True,
    )


def join_control_planes(context: Context) -> Iterable[Draft]:
    """One at a time: each is a full member, with its etcd in step, before the next one is let in."""
    before = tuple(f"leave-etcd/{node.name}" for node in lost(context))
    for node in _joining(context, context.control_planes):
        yield from _join(context, node, "join the control plane", before)
        yield settle(context, node, "settle", (f"join/{node.name}",))
        before = (f"join/{node.name}", f"revoke/{node.name}", f"settle/{node.name}")


def join_workers(context: Context) -> Iterable[Draft]:
    for node in _joining(context, context.workers):
        yield from _join(context, node, "join the cluster", ())


def _join(context: Context, node: Node, title: str, after: tuple[str, ...]) -> Iterable[Draft]:
    """Let one host in when all that takes long to send is there, join it, and close the door again."""
    platform = _platform(context)
    here = (
        f"services/{node.name}",
        f"images/{node.name}",
        f"delete-node/{node.name}",
        f"convert/{context.first.name}",
        "keys/*",
        *_door(context),
        *settings_first(context),
        *RENEWED,
    )
    admission, farewell = platform.admit(context, node), platform.revoke(context, node)
    if admission is not None:
        ttl = admission.arguments.get("ttl_minutes")
        sent = f"valid for {ttl} minutes" if ttl else "sent to the host"
        yield Draft(
            "admit",
            node.name,
            "make a join token",
            admission,
            needs=(f"start/{context.first.name}", *here, *after),
            changes=(Change(f"join token of {node.name}", "state", "absent", sent),),
            timeout=120,
            renewed=True,
        )
    yield drafted(
        "join",
        node.name,
        title,
        platform.join(context, node),
        needs=(f"admit/{node.name}", f"start/{context.first.name}", *here, *after),
        timeout=JOIN_SECONDS,
        estimate=15,
    )
    if farewell is not None:
        yield Draft(
            "revoke",
            node.name,
            "take the join token back",
            farewell,
            needs=(f"admit/{node.name}", f"join/{node.name}"),
            follows=True,
            cleanup=True,
            timeout=60,
        )


def register_again(context: Context) -> Iterable[Draft]:
    """A kubelet that runs does not notice that somebody has deleted its node; started anew, it registers."""
    known = context.state.nodes if context.state is not None else {node.name for node in context.nodes}
    for node in context.reachable:
        if node.joined and node.name not in known:
            yield drafted(
                "register",
                node.name,
                "register the node again",
                _platform(context).register(context, node),
                needs=(f"services/{node.name}", f"renew/{node.name}", *RENEWED),
                changes=(Change(f"node {node.name}", "state", "absent", "registered"),),
                disruption=Disruption.RESTART,
                timeout=120,
            )


def label_nodes(context: Context) -> Iterable[Draft]:
    for node in context.reachable:
        labels, taints = desired_labels(context, node), desired_taints(context, node)
        live = live_node(context, node)
        yield Draft(
            "label",
            node.name,
            "set labels and taints",
            call(context, "kube.label", {"labels": dict(labels), "taints": cast("Json", taints)}),
            needs=(f"join/{node.name}", f"start/{node.name}", f"register/{node.name}", *RENEWED),
            changes=() if context.blind else tuple(_label_changes(node, live, labels, taints)),
            follows=context.blind,
            timeout=300,
        )


def wait_until_ready(context: Context) -> Iterable[Draft]:
    if not context.cluster.validation.wait_for_cluster:
        return
    for node in context.reachable:
        live = live_node(context, node)
        sick = live is not None and not live.ready
        changes = (Change(f"node {node.name}", "Ready", "False", "True"),) if sick else ()
        yield Draft(
            "ready",
            node.name,
            "wait until the node is Ready",
            call(context, "kube.wait-node", {}),
            needs=(
                f"join/{node.name}",
                f"start/{node.name}",
                f"services/{node.name}",
                f"label/{node.name}",
                f"register/{node.name}",
                f"network/{context.cluster.name}",
                f"renew/{node.name}",
                *RENEWED,
            ),
            changes=changes,
            follows=True,
            timeout=context.cluster.validation.timeout_minutes * 60,
            estimate=20,
        )


STAGES: tuple[Stage, ...] = (
    first_boot,
    prepare_nodes,
    install_binaries,
    run_services,
    load_images,
    make_keys,
    serve_endpoint,
    renew_certificates,
    start_cluster,
    fetch_kubeconfig,
    without_bootstrap,
    release_bootstrap,
    keep_certificates,
    install_network,
    roll_out_network,
    prune_network,
    remove_lost_members,
    convert_datastore,
    join_control_planes,
    join_workers,
    register_again,
    label_nodes,
    wait_until_ready,
    resolve_names,
    complete_cluster,
    configure_nodes,
    encrypt_anew,
    back_up_by_themselves,
    backup_first,
    upgrade_nodes,
    advance_cluster,
    return_nodes,
    remove_departed,
    give_back_machines,
)


LEAVING: tuple[Stage, ...] = (remove_lost_members, remove_departed, give_back_machines)
"""While authorities are replaced, hosts may leave, and nothing else happens: see `rotate`."""
PREPARE_STAGES: tuple[Stage, ...] = (first_boot, prepare_nodes, install_binaries, run_services, load_images)
"""What `raijin worker prepare` does to one host, so that joining it later is quick."""


def drafts(context: Context) -> list[Draft]:
    """Everything that apply could have to do, in the order of the stages."""
    stages = LEAVING if in_the_middle(context) else STAGES
    planned = wiped_first(context, [draft for stage in stages for draft in stage(context)])
    return [*planned, *check_health(context, planned)]


def prepare_drafts(context: Context) -> list[Draft]:
    return [draft for stage in PREPARE_STAGES for draft in stage(context)]


def _steady(context: Context) -> list[Node]:
    """The reachable nodes that are new, or run what the definition says. The others change by an upgrade only."""
    return [node for node in context.reachable if not is_outdated(context, node)]


def _address(context: Context) -> tuple[str, ...]:
    """What members wait for to be reached under one address, where it does not come with them."""
    vip = context.cluster.network.virtual_ip
    return ("endpoint/*",) if vip is not None and vip.provider is VipProvider.KEEPALIVED else ()


def _door(context: Context) -> tuple[str, ...]:
    """What those who join wait for to be let in by."""
    new = not context.started and not _platform(context).bootstrap_kubeconfig
    if new and kube_vip.serves(context.cluster.network.virtual_ip):
        return (f"endpoint/{context.first.name}",)  # else it is served, or the start has waited for it
    return _address(context)


def _platform(context: Context) -> Platform:
    return platform_of(context.cluster)


def _joining(context: Context, nodes: Iterable[Node]) -> list[Node]:
    """Those that are to become members. The first one is, when it starts the cluster."""
    starts = None if context.started else context.first.name
    return [node for node in nodes if node.facts is not None and not node.joined and node.name != starts]


def _label_changes(
    node: Node, live: NodeState | None, labels: dict[str, str], taints: list[dict[str, str]]
) -> Iterable[Change]:
    thing = f"node {node.name}"
    have = dict(live.labels) if live else {}
    for key, value in labels.items():
        if have.get(key) != value:
            yield Change(thing, f"label {key}", have.get(key, "absent"), value)
    for key in live.managed_labels if live else ():
        if key not in labels and key in have:
            yield Change(thing, f"label {key}", have[key], "absent")
    present = {(t.key, t.effect): t.value for t in live.taints} if live else {}
    wanted = {(t["key"], t["effect"]): t.get("value", "") for t in taints}
    for (key, effect), value in wanted.items():
        if present.get((key, effect)) != value:
            yield Change(thing, f"taint {key}:{effect}", present.get((key, effect), "absent"), value or "set")
    for key, effect in live.managed_taints if live else ():
        if (key, effect) not in wanted and (key, effect) in present:
            yield Change(thing, f"taint {key}:{effect}", "set", "absent")
