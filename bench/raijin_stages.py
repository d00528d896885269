"""The stages of the benchmark's verb: one program per host, with the 25 tasks as Raijin's own operations."""

from __future__ import annotations

from raijin.operations.claim import Claim
from raijin.operations.command import Command
from raijin.operations.directory import Directory
from raijin.operations.file import File
from raijin.operations.group import Group
from raijin.operations.hostname import Hostname
from raijin.operations.kernelmodule import KernelModule
from raijin.operations.line import Line
from raijin.operations.package import Package
from raijin.operations.program import Program
from raijin.operations.swap import Swap
from raijin.operations.sysctl import Sysctl
from raijin.operations.unit import Unit
from raijin.operations.user import User
from raijin.plan.draft import Draft
from raijin.platforms.base import Context
from workload import (
    DIRECTORIES,
    FILES,
    GUARDED,
    HOSTS_LINE,
    MARKER,
    MODULES,
    MODULES_FILE,
    PACKAGES,
    SETTINGS,
    SETTINGS_FILE,
    UNIT,
    UNIT_FILE,
    content,
    wanted_name,
)

CONTENTS = {path: (content(file), mode) for path, (file, mode) in FILES.items()}


def program(node: str, scope: str) -> Program:
    operations = (
        Claim(scope),  # every first program of the product begins so
        Hostname(wanted_name(node)),
        Swap(enabled=False),
        KernelModule(MODULES, path=MODULES_FILE),
        Sysctl(SETTINGS, path=SETTINGS_FILE),
        *(Directory(path, mode) for path, mode in DIRECTORIES.items()),
        *(File(path, text, mode) for path, (text, mode) in CONTENTS.items()),
        Package(PACKAGES),
        Group("kube-ops", gid=1801),
        Group("etcd", gid=1802),
        User("etcd", uid=1802, group="etcd", groups=("kube-ops",), home="/var/lib/etcd-data"),
        Line("/etc/hosts", HOSTS_LINE),
        Unit(UNIT, watches=(UNIT_FILE,)),
        Command("prepare once", GUARDED, creates=MARKER),
    )
    return Program("prepare the node", scope, operations)


def drafts(context: Context) -> list[Draft]:
    scope = context.cluster.name
    return [
        Draft("prepare", node.name, "prepare the operating system", program(node.name, scope), timeout=900)
        for node in context.reachable
    ]
