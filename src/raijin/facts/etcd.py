"""The members of an etcd cluster, as one of them tells: who they are, who answers, who leads.

Read with etcdctl: the one on the host, else the one in the running etcd container (every etcd image has it).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from raijin.transport.quoting import word

SECONDS = 5
"""How long a member may take to answer before it counts as dead."""
VOTE_SECONDS = 300.0
"""How long a new member may take until it votes."""


@dataclass(frozen=True, slots=True)
class EtcdAccess:
    """How etcd is reached on its host: client endpoint, certificates and key by path. socket: of the runtime."""

    endpoint: str
    ca: str
    cert: str
    key: str
    socket: str

    @property
    def calls(self) -> str:
        """How the names of the calls begin that look after it."""
        return "etcd"

    @property
    def seconds(self) -> float:
        """How long a new member may take until it votes."""
        return VOTE_SECONDS

    def arguments(self) -> tuple[str, ...]:
        return (
            f"--endpoints={self.endpoint}",
            f"--cacert={self.ca}",
            f"--cert={self.cert}",
            f"--key={self.key}",
        )


@dataclass(frozen=True, slots=True)
class EtcdByCalls:
    """An etcd that only the platform's own calls reach: `{calls}.remove-member` and `{calls}.wait-member`.

    seconds: how long a new member may take until it votes.
    """

    calls: str
    seconds: float = VOTE_SECONDS


# Finds an etcdctl, then runs it with what is given.
ETCDCTL = r"""
export ETCDCTL_API=3
run_etcdctl() { # socket arguments...
  e_socket=$1; shift
  if command -v etcdctl >/dev/null 2>&1; then etcdctl "$@"; return; fi
  e_id=$(crictl --runtime-endpoint "$e_socket" ps --name '^etcd$' -q 2>/dev/null | head -n 1)
  [ -n "$e_id" ] || { echo 'there is no etcdctl on this host, and no etcd container runs' >&2; return 69; }
  crictl --runtime-endpoint "$e_socket" exec "$e_id" etcdctl "$@"
}
"""


@dataclass(frozen=True, slots=True)
class EtcdMember:
    """One member. id in hexadecimal. name is empty until it has started. revision and size (bytes) of its store.

    quota: how many bytes it may have, 0 where etcd does not tell. applied: the last entry of the log that it has taken
    over, of `index` that it knows of.
    """

    id: str
    name: str
    peers: tuple[str, ...]
    clients: tuple[str, ...]
    learner: bool
    healthy: bool
    leader: bool = False
    version: str = ""
    size: int = 0
    in_use: int = 0
    revision: int = 0
    failure: str = ""
    quota: int = 0
    index: int = 0
    applied: int = 0

    def has_peer(self, address: str) -> bool:
        """Whether it is reached by its peers at this IP address."""
        return any(_host(url) == address for url in self.peers)


@dataclass(frozen=True, slots=True)
class EtcdState:
    """All members. alarms: `member id: NOSPACE` and the like."""

    members: tuple[EtcdMember, ...]
    alarms: tuple[str, ...] = ()

    @property
    def voters(self) -> tuple[EtcdMember, ...]:
        return tuple(member for member in self.members if not member.learner)

    @property
    def quorum(self) -> int:
        """How many voting members must answer."""
        return len(self.voters) // 2 + 1

    @property
    def has_quorum(self) -> bool:
        return sum(member.healthy for member in self.voters) >= self.quorum

    @property
    def spare(self) -> int:
        """How many more voting members may fail."""
        return sum(member.healthy for member in self.voters) - self.quorum

    @property
    def healthy(self) -> bool:
        return not self.alarms and all(member.healthy and not member.learner for member in self.members)

    @property
    def leader(self) -> EtcdMember | None:
        return next((member for member in self.members if member.leader), None)

    def lag(self, member: EtcdMember) -> int:
        """How many entries of the log a member is behind the one that knows most."""
        return max((other.index for other in self.members), default=0) - member.applied

    def at(self, address: str) -> EtcdMember | None:
        """The member whose peer URL has this address."""
        return next((member for member in self.members if member.has_peer(address)), None)


def script(access: EtcdAccess) -> str:
    """Asks for members, their status and alarms; one line of JSON each, `null` where one is not to be had."""
    common = " ".join(map(word, (access.socket, *access.arguments(), f"--command-timeout={SECONDS}s", "-w", "json")))
    asks = (
        f"run_etcdctl {common} member list || echo null",
        # Its own time-out per member: a dead one must not hide the others.
        f"run_etcdctl {common} endpoint status --cluster 2>/dev/null || :",
        "echo",
        f"run_etcdctl {common} alarm list || echo null",
    )
    return "\n".join([ETCDCTL, *asks, "exit 0", ""])


def parse(output: str) -> EtcdState | None:
    """None when the members are not to be had: no quorum, or no etcd runs there."""
    documents = [json.loads(line) for line in output.splitlines() if line.strip()]
    if not documents or documents[0] is None:
        return None
    listed = documents[0].get("members") or []
    status: list[dict[str, Any]] = next((d for d in documents[1:] if isinstance(d, list)), [])
    alarms = next((d for d in reversed(documents[1:]) if isinstance(d, dict)), None) or {}
    return EtcdState(tuple(_member(m, status) for m in listed), tuple(_alarms(alarms)))


def _member(data: dict[str, Any], status: Sequence[dict[str, Any]]) -> EtcdMember:
    clients = tuple(data.get("clientURLs") or ())
    own = next((s["Status"] for s in status if s.get("Endpoint") in clients), None)
    identity = format(int(data["ID"]), "x")
    if own is None:
        failure = "it does not answer" if data.get("name") else "it has never started"
        return EtcdMember(
            identity, data.get("name", ""), tuple(data["peerURLs"]), clients, _learner(data), False, failure=failure
        )
    errors = own.get("errors") or []
    return EtcdMember(
        id=identity,
        name=data.get("name", ""),
        peers=tuple(data["peerURLs"]),
        clients=clients,
        learner=_learner(data),
        healthy=not errors,
        leader=own.get("leader") == own.get("header", {}).get("member_id"),
        version=own.get("version", ""),
        size=int(own.get("dbSize", 0)),
        in_use=int(own.get("dbSizeInUse", 0)),
        revision=int(own.get("header", {}).get("revision", 0)),
        failure="; ".join(map(str, errors)),
        quota=int(own.get("dbSizeQuota", 0)),
        index=int(own.get("raftIndex", 0)),
        applied=int(own.get("raftAppliedIndex", 0)),
    )


def _learner(data: dict[str, Any]) -> bool:
    return bool(data.get("isLearner"))


def _alarms(data: dict[str, Any]) -> list[str]:
    names = {1: "NOSPACE", 2: "CORRUPT"}
    return [
        f"{int(a.get('memberID', 0)):x}: {names.get(a.get('alarm'), a.get('alarm'))}" for a in data.get("alarms") or []
    ]


def _host(url: str) -> str:
    """The host of a URL, without port and brackets."""
    rest = url.partition("://")[2]
    return rest.partition("]")[0].lstrip("[") if rest.startswith("[") else rest.rpartition(":")[0] or rest
