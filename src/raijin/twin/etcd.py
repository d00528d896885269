"""The etcd of a simulated cluster, as its members answer to etcdctl: who they are, taking one out, giving room back."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from raijin.facts import etcd
from raijin.facts.etcd import EtcdAccess
from raijin.platforms.addresses import joined
from raijin.transport.base import Completed
from raijin.transport.document import Document
from raijin.twin.cluster import Member
from raijin.twin.host import Host

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite

VERSION = "3.6.5"
_NO_ANSWER = "Error: context deadline exceeded\n"
_SILENT = Completed(1, "", _NO_ANSWER, 5.0)


def answer(site: TwinSite, host: Host, script: str, access: EtcdAccess) -> Completed | None:
    """What the member on a host says to a script; None when it is none that Raijin asks an etcd."""
    start = f"{etcd.ETCDCTL}\nrun_etcdctl "
    if script == etcd.script(access):
        return told(site, host)
    if not script.startswith(start):
        return None
    socket, *words = shlex.split(script[len(start) :])
    if socket != access.socket:
        return None
    if "defrag" in words:
        return Completed(0, "Finished defragmenting etcd member\n", "", 3.0) if _runs(site, host) else _SILENT
    if "member" not in words or words[words.index("member") + 1] != "remove":
        return None
    return removed(site, host, words[-1])


def told(site: TwinSite, host: Host) -> Completed:
    """What the three questions of facts/etcd.py are answered with, one JSON document a line."""
    if not _runs(site, host):
        return Completed(0, "null\n", _NO_ANSWER, 5.0)
    members = list(site.cluster.members.values()) if site.cluster else []
    alive = [member for member in members if site.member_runs(member)]
    listed = [_listed(member) for member in members]
    status = [_status(member, alive[0].id) for member in alive]
    lines = [json.dumps({"members": listed}), json.dumps(status), json.dumps({"alarms": []})]
    return Completed(0, "\n".join([*lines, ""]), "", 0.2)


def _runs(site: TwinSite, host: Host) -> bool:
    return site.cluster is not None and site.platform.member_runs(host) and site.has_quorum()


def removed(site: TwinSite, host: Host, identity: str) -> Completed:
    """etcdctl member remove ID."""
    if site.cluster is None or not _runs(site, host):
        return _SILENT
    gone = next((name for name, member in site.cluster.members.items() if f"{member.id:x}" == identity), None)
    if gone is None:
        return Completed(1, "", "Error: etcdserver: member not found\n", 0.1)
    del site.cluster.members[gone]
    return Completed(0, f"Member {identity} removed\n", "", 0.5)


def _listed(member: Member) -> Document:
    peers, clients = f"https://{joined(member.address, 2380)}", f"https://{joined(member.address, 2379)}"
    return {"ID": member.id, "name": member.host, "peerURLs": [peers], "clientURLs": [clients]}


def _status(member: Member, leader: int) -> Document:
    header = {"member_id": member.id, "revision": 1000}
    size = {"dbSize": 20480, "dbSizeInUse": 20480}
    return {
        "Endpoint": f"https://{joined(member.address, 2379)}",
        "Status": {"header": header, "version": VERSION, "leader": leader, **size},
    }
