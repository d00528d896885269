"""The workload by Raijin: `raijin apply` as a person types it, except that the definition cannot say this work.

by_raijin.py DEFINITION.YAML          (RAIJIN_HOME from the environment)

Everything between the command line and the hosts is the product's own: the definition is read and checked, hosts are
connected, facts gathered, the program checked on every host, the plan built and printed, and when it is not empty,
members remembered and the durable engine run with its journal. Only the drafts of the verb are replaced by the 25
tasks; with them goes what the tasks do not need: the lock file of artifacts and kubeadm's preflight.
"""

from __future__ import annotations

import sys
from pathlib import Path

from raijin.app import planning
from raijin.app.session import Session
from raijin.cli.commands.apply import execute, report
from raijin.cli.options import home
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


if __name__ == "__main__":
    planning.VERBS["apply"] = drafts
    planning.CHANGING.discard("apply")
    session = Session(home(), (Path(sys.argv[1]),))
    report(session, execute(session, "apply", output="text", yes=True), "text")
