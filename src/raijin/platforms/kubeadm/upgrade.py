"""One node of a kubeadm cluster from one version to the next. After "Upgrading kubeadm clusters" of kubernetes.io."""

from __future__ import annotations

from raijin.facts.cluster import ClusterState
from raijin.model.version import Version
from raijin.operations.base import Operation
from raijin.operations.command import Command
from raijin.operations.program import Program
from raijin.operations.wait import Wait
from raijin.platforms.base import Context, Hop, Node
from raijin.platforms.kubeadm import apiserver
from raijin.platforms.kubeadm.node import binaries_of, kubeadm_of, services_of
from raijin.platforms.kubeadm.paths import ADMIN_CONF
from raijin.platforms.kubeadm.settings import file_at

UPGRADE_SECONDS = 1200
KUBELET_HEALTH_PORT = 10248
FIRST_WITH_PHASES = 32
"""The first minor whose `kubeadm upgrade` takes `--skip-phases` (kubeadm#1318)."""


LOCALLY = (
    'umask 077; f=/run/raijin-admin.conf; trap \'rm -f "$f"\' EXIT; c="kubectl --kubeconfig $f config"; '
    'cp "$0" "$f" && name=$($c view -o "jsonpath={.clusters[0].name}") && '
    '$c set-cluster "$name" --server "$1" --tls-server-name kubernetes >/dev/null && shift && "$@" --kubeconfig "$f"'
)
"""$0: the administrator's kubeconfig, $1: the API server to use in place of the one that it names; then the command."""


def upgrade(context: Context, node: Node, hop: Hop, *, leads: bool) -> Program:
    """kubeadm first, by which the control plane (or the node's configuration) moves; then the kubelet and its runtime.

    `kubeadm upgrade` keeps a copy of the manifests and puts them back when a component of the new version does not come
    up. It may be run again after it was interrupted.
    """
    supply, version = hop.supply(node), str(hop.version)
    operations: tuple[Operation, ...] = (
        kubeadm_of(supply),
        *file_at(context, node, hop.version),
        _kubeadm(context, node, hop.version, leads=leads),
        *(operation for operation in binaries_of(supply, node) if operation != kubeadm_of(supply)),
        *services_of(context, supply, node),
        Wait("the kubelet answers", port=KUBELET_HEALTH_PORT, timeout=120),
    )
    if node.control_plane:
        operations += (apiserver.answers(context),)
    return Program(f"upgrade to {version}", context.cluster.name, operations)


def _kubeadm(context: Context, node: Node, version: Version, *, leads: bool) -> Command:
    marker = f"kubeadm-upgrade-{str(version).lower()}"
    flags = (*_ignored(context, node), *_skipped(context, version))
    if node.control_plane and leads:
        command = locally(context, ("kubeadm", "upgrade", "apply", "--yes", *flags, str(version)))
        return Command("upgrade the control plane", command, marker=marker, timeout=UPGRADE_SECONDS)
    command = ("kubeadm", "upgrade", "node", *flags)
    command = locally(context, command) if node.control_plane else command
    return Command("upgrade the node", command, marker=marker, timeout=UPGRADE_SECONDS)


def locally(context: Context, command: tuple[str, ...]) -> tuple[str, ...]:
    """kubeadm asks the API server of its own host: the address of all may move while control planes are restarted."""
    return ("sh", "-c", LOCALLY, ADMIN_CONF, apiserver.own(context), *command)


def _ignored(context: Context, node: Node) -> tuple[str, ...]:
    """The checks that the definition says shall not stop a node from starting or joining: nor from being upgraded."""
    settings = context.cluster.kubernetes.kubeadm
    found: dict[str, None] = {}
    for part in (settings.init_configuration, settings.join_configuration)[0 if node.control_plane else 1 :]:
        registration = part.get("nodeRegistration")
        checks = registration.get("ignorePreflightErrors") if isinstance(registration, dict) else None
        if isinstance(checks, list):
            found.update(dict.fromkeys(map(str, checks)))
    return (f"--ignore-preflight-errors={','.join(found)}",) if found else ()


def _skipped(context: Context, version: Version) -> tuple[str, ...]:
    """So that kube-proxy does not come (back) where the container network stands in for it.

    From 1.32 on the upgrade has phases, and no longer looks whether there was a kube-proxy; 1.32.0 overlooks also that
    the cluster's configuration says there is none (kubeadm#3137).
    """
    replaced = context.cluster.network.cni.replaces_kube_proxy
    return ("--skip-phases=addon/kube-proxy",) if replaced and version.minor >= FIRST_WITH_PHASES else ()


def version_of(node: Node, state: ClusterState | None) -> Version | None:
    """The oldest of the kubelet and the API server; the kubelet as the API shows it, else the one that is installed."""
    known = [version for version in (_kubelet(node, state), control_plane_version(node)) if version is not None]
    return min(known, default=None)


def control_plane_version(node: Node) -> Version | None:
    """That of the API server in the static pods."""
    return Version.parse(node.facts.image_tag("kube-apiserver")) if node.facts and node.control_plane else None


def _kubelet(node: Node, state: ClusterState | None) -> Version | None:
    live = state.nodes.get(node.name) if state else None
    if live is not None and live.version:
        return Version.parse(live.version)
    return Version.parse(node.facts.version_of("kubelet")) if node.facts else None
