"""The authorities of a kubeadm cluster, replaced. After "Manual Rotation of CA Certificates" of kubernetes.io.

What everybody trusts is the bundle in `ca.crt`; kubeadm and whoever signs take the first of it. The controller manager
signs with a file of one certificate (kube-controller-manager refuses a bundle there), so that it has one of its own
meanwhile. The new authorities wait in a folder of the control plane hosts from the first turn on: whoever goes on later
finds them there. The key of service accounts (`sa.key`) is no authority, and stays as it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from raijin.errors import PlanRefused
from raijin.model.cluster import Cluster
from raijin.operations.absent import Absent, unmarked
from raijin.operations.base import Operation, SecretRef
from raijin.operations.command import Command
from raijin.operations.credential import Credential
from raijin.operations.directory import Directory
from raijin.operations.kubeconfig import KubeconfigTrust
from raijin.operations.program import Program
from raijin.operations.wait import Wait
from raijin.plan.model import Call, Change, Json
from raijin.platforms.access import access_to
from raijin.platforms.base import Context, Node
from raijin.platforms.kubeadm import apiserver, external
from raijin.platforms.kubeadm.certificates import (
    CONTROLLER_CONF,
    KUBELET_CLIENT,
    READMITTED,
    SCHEDULER_CONF,
    KubeadmCertificates,
    made_anew,
    period_days,
    readmitted,
    static_pods,
)
from raijin.platforms.kubeadm.paths import (
    ADMIN_CONF,
    CONFIG_FILE,
    ETCD_PKI,
    KUBELET_CONF,
    KUBELET_PKI,
    MANIFESTS,
    PKI,
    ROTATION,
    SUPER_ADMIN_CONF,
)
from raijin.platforms.turns import MARKER, TITLES, Rotation, Turn, authority_secret, keys_in, marked, members

KUBERNETES_CA, ETCD_CA, FRONT_PROXY_CA = "kubernetes", "etcd", "front-proxy"
FILES = {KUBERNETES_CA: f"{PKI}/ca", ETCD_CA: f"{ETCD_PKI}/ca", FRONT_PROXY_CA: f"{PKI}/front-proxy-ca"}
"""Of each authority, without `.crt` and `.key`."""
SIGNING = f"{ROTATION}/signing.crt"
TEXTS = {Turn.TRUST: "both", Turn.SIGN: "turned", Turn.FORGET: "new"}
"""What of an authority lies in its file after each turn: the old one and the new one, the reverse, the new one."""
TOLD = {Turn.TRUST: "the old one and a new one", Turn.SIGN: "both, and the new one signs", Turn.FORGET: "the new one"}
_MANAGER = f"{MANIFESTS}/kube-controller-manager.yaml"
_SIGNS_WITH = "--cluster-signing-cert-file="
# The kubelet reads every file of the folder whose name does not begin with a dot: so the new one is written under one.
_POINT = (
    f'n="${{0%/*}}/.raijin"; sed "s|{_SIGNS_WITH}.*|{_SIGNS_WITH}$1|" "$0" >"$n" && chmod 600 "$n" && mv -f "$n" "$0"'
)
# The kubelet keeps the certificates that it had before; the link tells which is the one that it uses.
_OLD_CLIENTS = (
    'u=$(readlink -f "$1") || exit 1; for f in "$0"/kubelet-client-[0-9]*.pem; do '
    '[ ! -f "$f" ] || [ "$f" = "$u" ] || rm -f "$f" || exit 1; done'
)
_OWN_CLIENT = (
    "umask 077; "
    'k=$(kubeadm kubeconfig user --org system:nodes --client-name "system:node:$0" --config "$1") || exit 1; '
    'for part in certificate key; do printf "%s\\n" "$k" | sed -n "s/^ *client-$part-data: *//p" | base64 -d; '
    'done >"$2.new"; grep -q "PRIVATE KEY" "$2.new" && mv -f "$2.new" "$2" && ln -sfn "$2" "$3" && '
    "systemctl restart kubelet"
)
"""A client certificate for the kubelet of a control plane host. $0: its node; kubeadm's file, the new file, and the
link that the kubelet reads."""
_SYSTEM = ("kube-system", "kube-flannel", "calico-system", "calico-apiserver", "tigera-operator", "cilium")
"""Namespaces of what a cluster itself is made of: its workloads are started anew without asking."""


class KubeadmRotation:
    """See `platforms.rotation.Rotating`."""

    turns = tuple(Turn)

    def authorities(self, cluster: Cluster) -> tuple[str, ...]:
        return tuple(name for name in FILES if name != ETCD_CA or external.outside(cluster) is None)

    def reasons(self, context: Context) -> Iterable[str]:
        settings = context.cluster.kubernetes.kubeadm.cluster_configuration
        manager, period = settings.get("controllerManager"), settings.get("caCertificateValidityPeriod")
        if period and not period_days(period, 0.0):
            yield (
                f"{context.cluster.name}: its caCertificateValidityPeriod {period} cannot be read here: write it in "
                "whole hours, as in 87600h"
            )
        if _SIGNS_WITH.strip("-=") in json.dumps(manager or {}):
            yield (
                f"{context.cluster.name}: the definition has its controller manager sign with a file of its own "
                "(cluster-signing-cert-file): replace that authority yourself, or take the argument out"
            )
        ids = marked(members(context))
        if len(ids) > 1:
            yield (
                f"{context.cluster.name}: its hosts are in the middle of different rotations ({', '.join(ids)}): take "
                f"the hosts of one of them out and let them join anew"
            )

    def rotation(self, context: Context) -> Rotation:
        nodes = members(context)
        begun = next(iter(marked(nodes)), "")
        if not begun:
            return _left(context, nodes) or self._fresh(context)
        keys, names = dict(context.authorities.get(begun, {})), tuple(begun.split(".")[:-1])
        for name in names:
            waiting = (key for node in nodes for key in keys_in(node, f"{ROTATION}/{name}.crt"))
            # Where nothing waits any more it has ended but for its traces: what comes first is the new one.
            first = (key for n in nodes if _trusts(n, name) for key in keys_in(n, f"{FILES[name]}.crt")[:1])
            key = next(waiting, "") or next(first, "")
            if name not in keys and key:
                keys[name] = key
        found = Rotation(begun, names, keys, begun=True, kept=begun in context.authorities)
        levels = [_level(found, node, name) for node in nodes for name in names if _trusts(node, name)]
        return replace(found, turn=Turn(max((Turn.TRUST, *levels))))

    def _fresh(self, context: Context) -> Rotation:
        every = self.authorities(context.cluster)
        names = tuple(name for name in every if name in (context.asked.authorities or every))
        facts = context.first.facts
        held = [
            [c.path, c.key, c.begins, c.ends]
            for name in names
            for c in (facts.certificates if facts else ())
            if c.path == f"{FILES[name]}.crt"
        ]
        named = ".".join((*names, hashlib.sha256(json.dumps(held).encode()).hexdigest()[:8]))
        keys = context.authorities.get(named, {})
        return Rotation(named, names, keys, kept=bool(keys))

    def concerns(self, rotation: Rotation, node: Node, turn: Turn) -> bool:
        del turn
        return any(_trusts(node, name) for name in rotation.authorities)

    def has_done(self, rotation: Rotation, node: Node, turn: Turn) -> bool:
        return all(_level(rotation, node, name) >= turn for name in rotation.authorities if _trusts(node, name))

    def make(self, context: Context, rotation: Rotation) -> Call:
        settings = context.cluster.kubernetes.kubeadm.cluster_configuration
        return Call(
            "kubeadm.authorities",
            {
                "rotation": rotation.id,
                "authorities": list(rotation.authorities),
                "hosts": [node.name for node in context.started],
                "algorithm": str(settings.get("encryptionAlgorithm") or "RSA-2048"),
                "validity": str(settings.get("caCertificateValidityPeriod") or ""),
            },
        )

    def readmit(self, context: Context, node: Node, turn: Turn) -> Call | None:
        return KubeadmCertificates().readmit(context, node) if _by_new_client(node, turn) else None

    def discard(self, context: Context, node: Node, turn: Turn) -> Call | None:
        return KubeadmCertificates().discard(context, node) if _by_new_client(node, turn) else None

    def changes(self, rotation: Rotation, node: Node, turn: Turn) -> Sequence[Change]:
        before = {Turn.TRUST: "the old one", Turn.SIGN: TOLD[Turn.TRUST], Turn.FORGET: TOLD[Turn.SIGN]}[turn]
        concerned = [name for name in rotation.authorities if _trusts(node, name)]
        return [Change(f"authority {FILES[name]}.crt", "trusted", before, TOLD[turn]) for name in concerned]

    def turned(self, context: Context, rotation: Rotation, node: Node, turn: Turn) -> Program:
        kubernetes = KUBERNETES_CA in rotation.authorities
        operations: list[Operation] = []
        if turn is Turn.TRUST:
            operations += _begun(context, rotation, node)
        operations += _files(context, rotation, node, turn)
        if turn is Turn.SIGN and node.control_plane:
            operations += made_anew(
                context, node, "sign everything anew", marker="authorities-signed", value=rotation.id
            )
        if kubernetes:
            own = (ADMIN_CONF, SUPER_ADMIN_CONF, CONTROLLER_CONF, SCHEDULER_CONF) if node.control_plane else ()
            operations += [KubeconfigTrust(path, f"{FILES[KUBERNETES_CA]}.crt") for path in (*own, KUBELET_CONF)]
            operations += _kubelet(context, rotation, node, turn)
        if node.control_plane:
            operations += [*static_pods(node), apiserver.answers(context)]
        return Program(TITLES[turn], context.cluster.name, tuple(operations))

    def publish(self, context: Context, rotation: Rotation, turn: Turn) -> Call:
        names: list[Json] = [*rotation.authorities]
        arguments: dict[str, Json] = {"rotation": rotation.id, "authorities": names, "text": TEXTS[turn]}
        return Call("kubeadm.publish", {**access_to(context, ADMIN_CONF), **arguments})

    def is_estranged(self, context: Context, node: Node) -> bool:
        wanted = context.snapshot.authority if context.snapshot else ""
        held = keys_in(node, f"{FILES[KUBERNETES_CA]}.crt")
        return bool(wanted and held) and held != (wanted,)

    def reconciled(self, context: Context, node: Node) -> Program:
        path, snapshot = f"{FILES[KUBERNETES_CA]}.crt", context.snapshot
        if snapshot is None:
            raise PlanRefused("there is no snapshot to restore from")
        operations: tuple[Operation, ...] = (
            Credential(path, SecretRef(snapshot.files[path]), mode="644"),
            KubeconfigTrust(KUBELET_CONF, path),
            *readmitted(context, node, f"restored.{snapshot.restoration}"),
        )
        return Program("register the node again", context.cluster.name, operations)

    def tells_pods(self, rotation: Rotation) -> bool:
        return KUBERNETES_CA in rotation.authorities

    def restart(self, context: Context, mark: str) -> Call:
        namespaces: list[Json] = [] if context.asked.workloads else [*_SYSTEM]
        return Call("kube.restart", {**access_to(context, ADMIN_CONF), "mark": mark, "namespaces": namespaces})

    def tidy(self, context: Context, rotation: Rotation, node: Node) -> Program:
        markers = ("authorities-kubelet", "authorities-signed", "authorities-clients", f"{MARKER}{rotation.id}")
        operations: list[Operation] = [Absent(ROTATION, recursive=True)] if node.control_plane else []
        operations += unmarked(*markers)
        return Program("end the rotation", context.cluster.name, tuple(operations))


def _begun(context: Context, rotation: Rotation, node: Node) -> Iterable[Operation]:
    if node.control_plane:
        yield Directory(ROTATION, mode="700")
        for name in rotation.authorities:
            yield Credential(f"{ROTATION}/{name}.crt", _text(context, rotation, name, "new"))
            yield Credential(f"{ROTATION}/{name}.key", _text(context, rotation, name, "key"))
    yield Command("note that it has begun", ("true",), marker=f"{MARKER}{rotation.id}")


def _files(context: Context, rotation: Rotation, node: Node, turn: Turn) -> Iterable[Operation]:
    """The authorities of a node. One killed between a key and its certificate goes on here before anybody signs."""
    signs = node.control_plane and KUBERNETES_CA in rotation.authorities
    if signs and turn is not Turn.FORGET:
        part = "old" if turn is Turn.TRUST else "new"
        yield Credential(SIGNING, _text(context, rotation, KUBERNETES_CA, part))
        yield _signing_with(SIGNING)
    for name in rotation.authorities:
        if not _trusts(node, name):
            continue
        if node.control_plane and turn is Turn.SIGN:
            yield Credential(f"{FILES[name]}.key", _text(context, rotation, name, "key"))
        yield Credential(f"{FILES[name]}.crt", _text(context, rotation, name, TEXTS[turn]), mode="644")
    if signs and turn is Turn.FORGET:
        yield _signing_with(f"{FILES[KUBERNETES_CA]}.crt")


def _signing_with(path: str) -> Command:
    return Command(
        f"have the controller manager sign with {path}",
        ("sh", "-c", _POINT, _MANAGER, path),
        unless=("grep", "-q", "--", f"{_SIGNS_WITH}{path}$", _MANAGER),
    )


def _kubelet(context: Context, rotation: Rotation, node: Node, turn: Turn) -> Iterable[Operation]:
    value = f"{turn.name.lower()}.{rotation.id}"
    if _by_new_client(node, turn):
        yield from readmitted(context, node, value)
        return
    if turn is Turn.SIGN:
        own = ("sh", "-c", _OWN_CLIENT, node.name, CONFIG_FILE, READMITTED, KUBELET_CLIENT)
        yield Command("sign the kubelet anew", own, marker="kubelet-client", value=value, timeout=120)
        yield Wait("the kubelet answers", port=10248, timeout=120, after=True)
        return
    again = ("systemctl", "restart", "kubelet")
    yield Command("have the kubelet take it up", again, marker="authorities-kubelet", value=value, timeout=120)
    yield Wait("the kubelet answers", port=10248, timeout=120, after=True)
    if turn is Turn.FORGET:
        clean = ("sh", "-c", _OLD_CLIENTS, KUBELET_PKI, KUBELET_CLIENT)
        yield Command("delete the kubelet's old certificates", clean, marker="authorities-clients", value=value)


def _text(context: Context, rotation: Rotation, name: str, part: str) -> SecretRef:
    return SecretRef(authority_secret(context.cluster.name, rotation.id, name, part))


def _by_new_client(node: Node, turn: Turn) -> bool:
    """A worker's kubelet is let in by a client certificate that a control plane host has signed."""
    return turn is Turn.SIGN and not node.control_plane


def _trusts(node: Node, name: str) -> bool:
    """Workers know of one authority only."""
    return node.control_plane or name == KUBERNETES_CA


def _level(rotation: Rotation, node: Node, name: str) -> int:
    """How far the file of an authority is on a host: a Turn, or 0."""
    held, new = keys_in(node, f"{FILES[name]}.crt"), rotation.keys.get(name, "")
    if not new or new not in held:
        return 0
    if held[0] != new:
        return Turn.TRUST
    return Turn.FORGET if set(held) == {new} else Turn.SIGN


def _left(context: Context, members: Sequence[Node]) -> Rotation | None:
    """One that has ended on all hosts, and of which something is kept here."""
    for named, keys in context.authorities.items():
        found = Rotation(named, tuple(keys), keys, Turn.FORGET, kept=True, begun=True, over=True)
        levels = [_level(found, node, name) for node in members for name in keys if _trusts(node, name)]
        if levels and min(levels) == Turn.FORGET:
            return found
    return None


ROTATING = KubeadmRotation()
