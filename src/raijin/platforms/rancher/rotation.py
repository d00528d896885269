"""The authorities of K3s and RKE2, replaced. After `certificate rotate-ca`, "Rotating Self-Signed CA Certificates" of
docs.k3s.io and docs.rke2.io.

The new ones are signed by those before them too, and loaded into the datastore on one server; servers and agents take
them up when they start, servers first. Tokens hold the hash of the cluster's root: each host is given its own anew
before it starts again. Then `certificate rotate` has every server make its certificates anew. The old root stays in the
bundle, as the distribution has it, until it ends: what it signed is taken until then.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from raijin.errors import Unsupported
from raijin.model.cluster import Cluster
from raijin.operations.absent import Absent, unmarked
from raijin.operations.base import Operation, SecretRef
from raijin.operations.command import Command
from raijin.operations.credential import Credential
from raijin.operations.directory import Directory
from raijin.operations.program import Program
from raijin.plan.model import Call, Change
from raijin.platforms.base import Context, Node
from raijin.platforms.rancher.calls import admission
from raijin.platforms.rancher.certificates import ROTATE, STOP_SECONDS
from raijin.platforms.rancher.layout import AUTHORITY_FILES, Distribution
from raijin.platforms.rancher.members import address, answers, join_secret
from raijin.platforms.turns import MARKER, Rotation, Turn, authority_secret, keys_in, marked, members

LOAD_SECONDS = 120


class RancherRotation:
    """See `platforms.rotation.Rotating`."""

    turns = (Turn.TRUST, Turn.SIGN)

    def __init__(self, distribution: Distribution) -> None:
        self.distribution = distribution
        self.tls = f"{distribution.server_data}/tls"
        self.staged = f"{distribution.server_data}/rotate-ca"

    def authorities(self, cluster: Cluster) -> tuple[str, ...]:
        del cluster
        return tuple(AUTHORITY_FILES)

    def reasons(self, context: Context) -> Iterable[str]:
        wanted = context.asked.authorities
        if wanted and {*wanted} != {*AUTHORITY_FILES}:
            yield f"{context.cluster.name}: {self.distribution.name} replaces all authorities at once: name none"

    def rotation(self, context: Context) -> Rotation:
        nodes, names = members(context), tuple(AUTHORITY_FILES)
        begun = next(iter(marked(nodes)), "")
        if not begun:
            named = ".".join((*names, self._digest(context)))
            keys = context.authorities.get(named, {})
            left = next(iter(context.authorities), "") if not keys else ""
            over = bool(left) and self._holds(nodes, context.authorities[left].get("server", ""))
            if over:
                return Rotation(left, names, context.authorities[left], Turn.SIGN, kept=True, begun=True, over=True)
            return Rotation(named, names, keys, kept=bool(keys))
        keys = dict(context.authorities.get(begun, {}))
        waiting = (key for node in nodes for key in keys_in(node, f"{self.staged}/tls/server-ca.crt"))
        keys.setdefault("server", next(waiting, ""))
        found = Rotation(begun, names, keys, kept=begun in context.authorities, begun=True)
        return replace(found, turn=Turn(max((Turn.TRUST, *(self._level(found, node) for node in nodes)))))

    def _digest(self, context: Context) -> str:
        facts = context.first.facts
        held = [
            [c.path, c.key, c.begins]
            for name in AUTHORITY_FILES.values()
            for c in (facts.certificates if facts else ())
            if c.path == f"{self.tls}/{name}.crt"
        ]
        return hashlib.sha256(json.dumps(held).encode()).hexdigest()[:8]

    def _holds(self, nodes: Sequence[Node], key: str) -> bool:
        planes = [node for node in nodes if node.control_plane]
        return bool(key and planes) and all(key in keys_in(node, f"{self.tls}/server-ca.crt") for node in planes)

    def _level(self, rotation: Rotation, node: Node) -> int:
        new = rotation.keys.get("server", "")
        bundle = f"{self.tls if node.control_plane else f'{self.distribution.data}/agent'}/server-ca.crt"
        if not new or new not in keys_in(node, bundle):
            return 0
        shown = f"{self.tls}/serving-kube-apiserver.crt"
        signed = any(c.path == shown and c.signer == new for c in (node.facts.certificates if node.facts else ()))
        return Turn.SIGN if signed else Turn.TRUST

    def concerns(self, rotation: Rotation, node: Node, turn: Turn) -> bool:
        """Agents are given new certificates each time that they start: the first turn is all that they need."""
        del rotation
        return node.control_plane or turn is Turn.TRUST

    def has_done(self, rotation: Rotation, node: Node, turn: Turn) -> bool:
        return self._level(rotation, node) >= turn

    def make(self, context: Context, rotation: Rotation) -> Call:
        return Call(
            "rancher.authorities",
            {
                "rotation": rotation.id,
                "hosts": [node.name for node in context.started],
                "tls": self.tls,
                "staged": f"{self.staged}/tls",
                "product": self.distribution.product,
            },
        )

    def readmit(self, context: Context, node: Node, turn: Turn) -> Call | None:
        """Its token, with the hash of the new root; not on the server where they are loaded, which knows it first."""
        return admission(context, self.distribution, node) if _by_new_token(context, node, turn) else None

    def discard(self, context: Context, node: Node, turn: Turn) -> Call | None:
        return Call("rancher.revoke", {}) if _by_new_token(context, node, turn) else None

    def turned(self, context: Context, rotation: Rotation, node: Node, turn: Turn) -> Program:
        own, server = self.distribution, node.control_plane
        operations: list[Operation] = []
        if turn is Turn.TRUST:
            operations += self._loaded(context, rotation, node)
            again: tuple[str, ...] = ("systemctl", "restart", own.unit(node))
            marker = "authorities-restarted"
        else:
            again, marker = ("sh", "-c", ROTATE, own.unit(node), own.program), "authorities-signed"
        seconds = own.start_seconds + STOP_SECONDS
        operations.append(Command(_TITLES[turn], again, marker=marker, value=rotation.id, timeout=seconds))
        operations += [*answers(own, server=server), *address(context, own, node)]
        return Program(_TITLES[turn], context.cluster.name, tuple(operations))

    def _loaded(self, context: Context, rotation: Rotation, node: Node) -> Iterable[Operation]:
        cluster, loads = context.cluster.name, node.name == context.first.name
        if loads:
            yield from (Directory(path, mode="700") for path in (f"{self.staged}/tls", f"{self.staged}/tls/etcd"))
            for name, file in AUTHORITY_FILES.items():
                for part, end in (("new", "crt"), ("key", "key")):
                    text = SecretRef(authority_secret(cluster, rotation.id, name, part))
                    yield Credential(f"{self.staged}/tls/{file}.{end}", text)
        yield Command("note that it has begun", ("true",), marker=f"{MARKER}{rotation.id}")
        if loads:
            load = (self.distribution.program, "certificate", "rotate-ca", f"--path={self.staged}")
            marker, value = "authorities-loaded", rotation.id
            yield Command("load the new authorities", load, marker=marker, value=value, timeout=LOAD_SECONDS)
        else:
            yield Credential(self.distribution.token_file, SecretRef(join_secret(cluster, node.name)))

    def changes(self, rotation: Rotation, node: Node, turn: Turn) -> Sequence[Change]:
        del rotation
        if turn is Turn.TRUST:
            return [Change(f"authorities of {node.name}", "root", "the old one", "a new one, and the old one")]
        return [Change(f"certificates of {node.name}", "signed by", "the old root", "the new root")]

    def publish(self, context: Context, rotation: Rotation, turn: Turn) -> None:
        """Servers show the way from the old root to the new one: who has read the old one still trusts them."""
        del context, rotation, turn

    def tells_pods(self, rotation: Rotation) -> bool:
        del rotation
        return False

    def restart(self, context: Context, mark: str) -> Call:
        del context, mark
        raise Unsupported("pods of this distribution follow its authorities by themselves")

    def is_estranged(self, context: Context, node: Node) -> bool:
        """An agent learns of the authorities from the server that it joins."""
        del context, node
        return False

    def reconciled(self, context: Context, node: Node) -> Program:
        del node
        return Program("register the node again", context.cluster.name, ())

    def tidy(self, context: Context, rotation: Rotation, node: Node) -> Program:
        markers = (
            "authorities-loaded",
            "authorities-restarted",
            "authorities-signed",
            f"{MARKER}{rotation.id}",
        )
        operations: list[Operation] = [Absent(self.staged, recursive=True)] if node.control_plane else []
        operations += unmarked(*markers)
        return Program("end the rotation", context.cluster.name, tuple(operations))


_TITLES = {Turn.TRUST: "take up the new authorities", Turn.SIGN: "make all certificates anew"}


def _by_new_token(context: Context, node: Node, turn: Turn) -> bool:
    return turn is Turn.TRUST and node.name != context.first.name
