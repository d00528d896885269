"""The workload by pyinfra: `pyinfra -y INVENTORY by_pyinfra.py`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from pyinfra import host
from pyinfra.facts.files import File
from pyinfra.facts.server import Command, LinuxDistribution
from pyinfra.operations import apt, files, server, systemd

sys.path.insert(0, str(Path(__file__).parent))
from workload import (
    DIRECTORIES,
    FILES,
    GUARDED,
    HERE,
    HOSTS_LINE,
    MARKER,
    MODULES_FILE,
    PACKAGES,
    SETTINGS,
    SETTINGS_FILE,
    UNIT,
    UNIT_FILE,
    wanted_name,
)

host.get_fact(LinuxDistribution)
server.hostname(name="hostname", hostname=wanted_name(host.name))
if host.get_fact(Command, command="tail -n +2 /proc/swaps"):
    server.shell(name="swap off", commands=["swapoff -a"])
files.replace(
    name="swap off after a boot",
    path="/etc/fstab",
    text=r"^([^#[:space:]]+[[:space:]]+[^[:space:]]+[[:space:]]+swap[[:space:]])",
    replace=r"# off for Kubernetes (raijin): \1",
    extended_regex=True,
)
files.put(name="modules at boot", src=str(HERE / "files/modules.conf"), dest=MODULES_FILE, mode="644")
# server.modprobe takes a module that is built into the kernel for a missing one.
if host.get_fact(Command, command="[ -d /sys/module/overlay ] && [ -d /proc/sys/net/bridge ] || echo missing"):
    server.modprobe(name="modules", module=["overlay", "br_netfilter"])
files.put(name="settings at boot", src=str(HERE / "files/sysctl.conf"), dest=SETTINGS_FILE, mode="644")
for key, value in SETTINGS:
    server.sysctl(name=f"setting {key}", key=key, value=value)
for path, mode in DIRECTORIES.items():
    files.directory(name=path, path=path, mode=mode, user="root", group="root")
placed = {}
for path, (file, mode) in FILES.items():
    source = str(HERE / "files" / file)
    placed[path] = files.put(name=path, src=source, dest=path, mode=mode, user="root", group="root")
apt.packages(name="packages", packages=list(PACKAGES))
server.group(name="group kube-ops", group="kube-ops", gid=1801)
server.group(name="group etcd", group="etcd", gid=1802)
server.user(  # noqa: S604  (pyinfra means the login shell)
    name="user etcd",
    user="etcd",
    uid=1802,
    group="etcd",
    groups=["kube-ops"],
    home="/var/lib/etcd-data",
    shell="/usr/sbin/nologin",
    system=True,
    create_home=False,
    ensure_home=False,
)
files.line(name="name of the API", path="/etc/hosts", line=HOSTS_LINE)
unit = placed[UNIT_FILE]
systemd.service(name="unit", service=UNIT, running=True, enabled=True, daemon_reload=unit.will_change)
if host.get_fact(File, path=MARKER) is None:
    server.shell(name="a guarded command", commands=[shlex.join(GUARDED)])
