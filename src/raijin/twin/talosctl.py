"""talosctl in a rehearsal: the commands that Raijin gives, answered as v1.12.0 answers them (cmd/talosctl), no process.

A command that is not known here is an error that names it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from raijin.errors import HostUnreachable
from raijin.platforms.addresses import joined
from raijin.transport.base import Completed
from raijin.transport.talos import SECONDS, TalosAccess
from raijin.twin import saves, talos
from raijin.twin.access import certificate, kubeconfig
from raijin.twin.cluster import Member
from raijin.twin.host import Host
from raijin.twin.run import Failed, unknown

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite

NEW = "v1.12.0"
"""What a machine boots that was never installed: the image on its medium."""
INSTALL_SECONDS, BOOT_SECONDS, ETCD_SECONDS = 120.0, 60.0, 20.0
_OFF = "rpc error: code = Unavailable desc = connection error: dial tcp: connect: no route to host"
_UNKNOWN_AUTHORITY = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
_KNOWN_ALREADY = "rpc error: code = Unavailable desc = remote error: tls: certificate required"
_NO_ETCD = "rpc error: code = Unknown desc = etcd is not running"
_STATUS = ("NODE", "MEMBER", "DB SIZE", "IN USE", "LEADER", "RAFT INDEX", "RAFT TERM", "APPLIED", "LEARNER", "ERRORS")


@dataclass
class Talosctl(TalosAccess):
    """The program as it is on one machine of people, in front of a simulated site."""

    site: TwinSite | None = None

    async def run(self, *arguments: str, text: str | None = None, timeout: float = SECONDS) -> Completed:
        del timeout
        if self.site is None:
            raise AssertionError("it has no site")
        words, site = list(arguments), self.site
        if words[:1] == ["gen"]:
            return Completed(0, _generated(words, text or ""), "", 0.0)
        address = words[words.index("--nodes") + 1]
        host = next((host for host in site.hosts.values() if host.address == address), None)
        try:
            told = await _told(site, host, words)
        except Failed as failed:
            return Completed(1, "", f"{failed.output or failed}\n", 0.0)
        return Completed(0, told, "", 0.0)


async def _told(site: TwinSite, host: Host | None, words: Sequence[str]) -> str:
    """What a command about one machine prints. Raises Failed."""
    if host is None:
        raise Failed(_OFF)
    await _reach(site, host)
    _admit(host, words)
    told = _COMMANDS.get(words[0], _unknown)(site, host, words)
    site.forget_dead_cluster()
    return told


async def _reach(site: TwinSite, host: Host) -> None:
    try:
        await site.machine(host.name).reach()
    except HostUnreachable as error:
        raise Failed(_OFF) from error


def _admit(host: Host, words: Sequence[str]) -> None:
    """Who may ask: anybody one in maintenance mode, else who has the keys of its cluster."""
    configured = host.entry(talos.CONFIG) is not None
    if "--insecure" in words:
        if configured:
            raise Failed(_KNOWN_ALREADY)
        return
    shown = _file(words, "--talosconfig")
    own = _fingerprint(str(talos.main_of(host).get("cluster", {}).get("id", "")))
    if not configured or own not in shown:
        raise Failed(_UNKNOWN_AUTHORITY)


def _fingerprint(cluster: str) -> str:
    return sha256(f"rehearsed {cluster}".encode()).hexdigest()


def _file(words: Sequence[str], option: str) -> str:
    return Path(_option(words, option)).read_text(encoding="utf-8")


def _option(words: Sequence[str], name: str) -> str:
    return words[words.index(name) + 1]


def _generated(words: Sequence[str], text: str) -> str:
    """`gen secrets`, and `gen config` for the credentials of an administrator."""
    if words[1] == "config":
        cluster = str(yaml.safe_load(text)["cluster"]["id"])
        return f"context: rehearsed\nfingerprint: {_fingerprint(cluster)}\n"
    if words[1] != "secrets":
        raise unknown(f"`talosctl {' '.join(words)}`")
    crt = base64.b64encode(certificate().encode()).decode()
    pair = {"crt": crt, "key": "the key of an authority that is rehearsed"}
    bundle = {
        "cluster": {"id": "rehearsed-cluster-id", "secret": "rehearsed-cluster-secret"},
        "secrets": {"bootstraptoken": "rehear.sed0123456789abc", "secretboxencryptionsecret": "rehearsed-secretbox"},
        "trustdinfo": {"token": "rehear.sed9876543210abc"},
        "certs": {"etcd": pair, "k8s": pair, "k8saggregator": pair, "k8sserviceaccount": pair, "os": pair},
    }
    return yaml.safe_dump(bundle)


def _unknown(site: TwinSite, host: Host, words: Sequence[str]) -> str:
    del site, host
    raise unknown(f"`talosctl {' '.join(words[:3])}`")


def _version(site: TwinSite, host: Host, words: Sequence[str]) -> str:
    del site, words
    return f"Client:\n\tTag: {NEW}\nServer:\n\tNODE: {host.address}\n\tTag: {host.release or NEW}\n"


def _get(site: TwinSite, host: Host, words: Sequence[str]) -> str:
    """Resources, one JSON document after the other."""
    length = 64 if ":" in host.address else 24
    addresses = [host.address, *site.carried(host)]
    told: Mapping[str, list[tuple[str, Any]]] = {
        "machinestatus": [("machine", {"stage": talos.stage(host)})],
        "machineconfig": [("persistent", host.text(talos.CONFIG))] if host.entry(talos.CONFIG) else [],
        "cpus": [("CPU-0", {"productName": "Simulated processor", "coreCount": 4, "threadCount": 4})],
        "ram": [("DIMM-0", {"sizeMiB": 8192})],
        "links": [
            ("eth0", {"type": "ether", "hardwareAddr": host.mac, "mtu": 1500, "operationalState": "up", "kind": ""})
        ],
        "addresses": [
            (f"eth0/{at}", {"linkName": "eth0", "scope": "global", "address": f"{at}/{length}"}) for at in addresses
        ],
    }
    if words[1] not in told:
        raise unknown(f"`talosctl get {words[1]}`")
    return "".join(json.dumps({"metadata": {"id": name}, "spec": spec}) + "\n" for name, spec in told[words[1]])


def _list(site: TwinSite, host: Host, words: Sequence[str]) -> str:
    del site
    if not host.exists(words[1]):
        raise Failed(f"rpc error: code = Unknown desc = lstat {words[1]}: no such file or directory")
    names = {path[len(words[1]) + 1 :].partition("/")[0] for path in host.below(words[1])}
    return "".join(f"{name}\n" for name in (".", *sorted(names), "NODE   NAME"))


def _apply_config(site: TwinSite, host: Host, words: Sequence[str]) -> str:
    """In maintenance mode it installs itself with what it is given; one that runs takes another one over."""
    fresh = host.entry(talos.CONFIG) is None
    host.write(talos.CONFIG, _file(words, "--file"), mode="600")
    if fresh:
        host.release = str(talos.main_of(host)["machine"]["install"]["image"]).rpartition(":")[2]
        host.boot += 1
        _spend(host, INSTALL_SECONDS)
    talos.settle(site, host)
    return "Applied configuration\n"


def _spend(host: Host, seconds: float) -> None:
    host.seconds += seconds * host.slow


def _bootstrap(site: TwinSite, host: Host, words: Sequence[str]) -> str:
    if host.exists(talos.ETCD_MEMBER):
        raise Failed("rpc error: code = AlreadyExists desc = etcd data directory is not empty")
    if not talos.control_plane(host):
        raise Failed(
            "rpc error: code = FailedPrecondition desc = bootstrap can only be performed on a control plane node"
        )
    if "--recover-from" in words:
        saves.restore(site, host, _file(words, "--recover-from"))
    elif site.cluster is not None:
        raise Failed("a second cluster would begin here (this is a rehearsal: a real one would begin)")
    _spend(host, ETCD_SECONDS)
    talos.found(site, host)
    return ""


def _kubeconfig(site: TwinSite, host: Host, words: Sequence[str]) -> str:
    del words
    if site.cluster is None or not talos.control_plane(host):
        raise Failed("rpc error: code = Unimplemented desc = kubeconfig is only available on control plane nodes")
    endpoint = talos.main_of(host)["cluster"]["controlPlane"]["endpoint"]
    return kubeconfig(site.cluster.ca, str(endpoint))


def _upgrade(site: TwinSite, host: Host, words: Sequence[str]) -> str:
    host.release = _option(words, "--image").rpartition(":")[2]
    host.boot += 1
    _spend(host, INSTALL_SECONDS)
    talos.settle(site, host)
    return ""


def _upgrade_kubernetes(site: TwinSite, host: Host, words: Sequence[str]) -> str:
    del host
    version = f"v{_option(words, '--to')}"
    for other in (other for other in site.hosts.values() if other.up and other.entry(talos.CONFIG) is not None):
        other.write(talos.CONFIG, talos.with_kubernetes(other.text(talos.CONFIG), version), mode="600")
        _spend(other, ETCD_SECONDS)
        talos.settle(site, other)
    return f"updated Kubernetes to {version}\n"


def _service(site: TwinSite, host: Host, words: Sequence[str]) -> str:
    if words[1:3] != ["kubelet", "restart"]:
        raise unknown(f"`talosctl service {' '.join(words[1:3])}`")
    talos.settle(site, host)
    return ""


def _reset(site: TwinSite, host: Host, words: Sequence[str]) -> str:
    """Partitions are wiped, and the machine boots: into maintenance mode, or with its configuration.

    Then it comes back to etcd at a bootstrap, as one does whose cluster was wiped while it booted.
    """
    del site
    kept = "" if "STATE" in words else host.text(talos.CONFIG)
    host.wipe()
    host.boot += 1
    _spend(host, BOOT_SECONDS)
    if kept:
        host.write(talos.CONFIG, kept, mode="600")
    return ""


def _etcd(site: TwinSite, host: Host, words: Sequence[str]) -> str:
    cluster = site.cluster
    if cluster is None or not site.platform.member_runs(host) or host.name not in cluster.members:
        raise Failed(_NO_ETCD)
    if not site.has_quorum():
        raise Failed("rpc error: code = DeadlineExceeded desc = context deadline exceeded")
    members = cluster.members
    match words[1]:
        case "members":
            rows = [("NODE", "ID", "HOSTNAME", "PEER URLS", "CLIENT URLS", "LEARNER")]
            return _table([*rows, *(_listed(host, member) for member in members.values())])
        case "status":
            leader = next(member for member in members.values() if site.member_runs(member))
            own = f"{members[host.name].id:016x}"
            row = (host.address, own, "3 MB", "1 MB (50.00%)", f"{leader.id:016x}", "9", "2", "9", "false", "")
            return _table([_STATUS, row])
        case "forfeit-leadership":
            return ""
        case "leave":
            del members[host.name]
            host.remove("/var/lib/etcd")
            return ""
        case "remove-member":
            gone = next((name for name, member in members.items() if f"{member.id:016x}" == words[2]), None)
            if gone is None:
                raise Failed("rpc error: code = NotFound desc = etcdserver: member not found")
            del members[gone]
            return ""
        case "snapshot":
            Path(words[2]).write_text(saves.taken(site, host), encoding="utf-8")
            return ""
    raise unknown(f"`talosctl etcd {words[1]}`")


def _listed(host: Host, member: Member) -> tuple[str, ...]:
    urls = (f"https://{joined(member.address, port)}" for port in (2380, 2379))
    return (host.address, f"{member.id:016x}", member.host, *urls, "false")


def _table(rows: Sequence[Sequence[str]]) -> str:
    return "".join("   ".join(row) + "\n" for row in rows)


_COMMANDS: Mapping[str, Callable[[TwinSite, Host, Sequence[str]], str]] = {
    "version": _version,
    "get": _get,
    "list": _list,
    "apply-config": _apply_config,
    "bootstrap": _bootstrap,
    "kubeconfig": _kubeconfig,
    "upgrade": _upgrade,
    "upgrade-k8s": _upgrade_kubernetes,
    "service": _service,
    "reset": _reset,
    "etcd": _etcd,
}
