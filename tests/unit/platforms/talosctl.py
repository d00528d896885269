"""Stands in for talosctl: a site of machines that answer as the real ones do, and every command line written down.

A machine boots at once. What the real program prints was read in cmd/talosctl of v1.12.0.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from raijin.transport.base import Completed

BUNDLE = """cluster: {id: an-id-of-a-cluster, secret: a-secret-of-a-cluster}
secrets: {bootstraptoken: abcdef.0123456789abcdef, secretboxencryptionsecret: a-secret-for-the-box}
trustdinfo: {token: abcdef.fedcba9876543210}
certs:
  etcd: {crt: crt-of-etcd, key: key-of-etcd-0123456789}
  k8s: {crt: crt-of-k8s, key: key-of-k8s-0123456789}
  k8saggregator: {crt: crt-of-front, key: key-of-front-0123456789}
  k8sserviceaccount: {key: key-of-accounts-0123456789}
  os: {crt: crt-of-os, key: key-of-os-0123456789}
"""
STATUS = [
    "NODE",
    "MEMBER",
    "DB_SIZE",
    "IN_USE",
    "LEADER",
    "RAFT_INDEX",
    "RAFT_TERM",
    "APPLIED",
    "LEARNER",
    "PROTOCOL",
    "STORAGE",
    "ERRORS",
]


class Failed(Exception):
    """What it says on standard error, with status 1."""


@dataclass
class Talosctl:
    """site: by address, {stage, version, config, data, member, foreign, dead}."""

    site: dict[str, dict[str, Any]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    async def run(self, argv: Sequence[str], **_: object) -> Completed:
        words = list(argv[1:])
        self.lines.append(" ".join("FILE" if word.startswith("/proc/") else word for word in words))
        try:
            return Completed(0, self.said(words), "", 0.0)
        except Failed as failed:
            return Completed(1, "", f"{failed}\n", 0.0)

    def said(self, words: list[str]) -> str:
        if words[:2] == ["gen", "secrets"]:
            return BUNDLE
        if words[:2] == ["gen", "config"]:
            return "context: demo\n"
        address = words[words.index("--nodes") + 1]
        machine = self.site.get(address)
        if machine is None:
            raise Failed("rpc error: code = Unavailable desc = connection error: dial tcp: connect: no route to host")
        maintenance = machine["stage"] == "maintenance"
        if "--insecure" in words and not maintenance:
            raise Failed("rpc error: code = Unavailable desc = remote error: tls: certificate required")
        if "--insecure" not in words and (maintenance or machine.get("foreign")):
            raise Failed("code = Unavailable: tls: failed to verify certificate: x509: unknown authority")
        return str(getattr(self, words[0].replace("-", "_"))(words, address, machine) or "")

    def version(self, _: list[str], address: str, machine: dict[str, Any]) -> str:
        return f"Client:\n\tTag: v0\nServer:\n\tNODE: {address}\n\tTag:  {machine['version']}\n"

    def get(self, words: list[str], _: str, machine: dict[str, Any]) -> str:
        told = {"machinestatus": ("machine", {"stage": machine["stage"]})}
        told["machineconfig"] = ("v1alpha1", machine.get("config", ""))
        if words[1] not in told:
            return ""
        name, spec = told[words[1]]
        return json.dumps({"metadata": {"id": name}, "spec": spec}, indent=4) + "\n"

    def list(self, _: list[str], __: str, machine: dict[str, Any]) -> str:
        return ".\n" + ("member\n" if machine.get("data") else "") + "NODE   NAME\n"

    def apply_config(self, words: list[str], _: str, machine: dict[str, Any]) -> str:
        machine |= {"stage": "running", "config": Path(words[words.index("--file") + 1]).read_text()}
        return "Applied configuration without a reboot\n"

    def bootstrap(self, _: list[str], __: str, machine: dict[str, Any]) -> None:
        if machine.get("data"):
            raise Failed("rpc error: code = AlreadyExists desc = etcd data directory is not empty")
        machine |= {"data": True, "member": f"{1:016x}"}

    def upgrade(self, words: list[str], _: str, machine: dict[str, Any]) -> None:
        machine["version"] = words[words.index("--image") + 1].rpartition(":")[2]

    def reset(self, words: list[str], _: str, machine: dict[str, Any]) -> None:
        machine |= {"data": False, "member": ""}
        if "STATE" in words:
            machine |= {"stage": "maintenance", "config": ""}

    def service(self, _: list[str], __: str, ___: dict[str, Any]) -> None:
        return

    def etcd(self, words: list[str], address: str, machine: dict[str, Any]) -> str:
        members = {at: each["member"] for at, each in self.site.items() if each.get("member")}
        if words[1] == "members":
            heading = ("NODE", "ID", "HOSTNAME", "PEER URLS", "CLIENT URLS", "LEARNER")
            rows = [
                (address, member, f"host-{at}", f"https://{at}:2380", f"https://{at}:2379", "false")
                for at, member in members.items()
            ]
            return "".join("   ".join(row) + "\n" for row in (heading, *rows))
        if words[1] == "status":
            if machine.get("dead") or not machine.get("member"):
                raise Failed("rpc error: code = Unknown desc = etcd is not running")
            leader = next(iter(members.values()))
            row = (
                address,
                machine["member"],
                "3 MB",
                "1 MB (50.00%)",
                leader,
                "9",
                "2",
                "9",
                "false",
                "3.6",
                "3.6",
                "",
            )
            heading = tuple(word.replace("_", " ") for word in STATUS)
            return "   ".join(heading) + "\n" + "   ".join(row) + "\n"
        if words[1] == "leave":
            machine |= {"member": "", "data": False}
        elif words[1] == "remove-member":
            for each in self.site.values():
                each["member"] = "" if each.get("member") == words[2] else each.get("member", "")
        elif words[1] == "snapshot":
            Path(words[2]).write_bytes(b"a snapshot")
        return ""
