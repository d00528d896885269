"""What a simulated host answers to the script of the facts: text, which the real parsers read."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from raijin.facts import ABILITIES, LEFT_OUT
from raijin.facts.security import FLAGS, KUBELET_CONFIG, MANIFESTS, PRIVATE
from raijin.twin.access import LEAF_DAYS, issued
from raijin.twin.host import KERNEL, OWNER, STAMPS, Host
from raijin.twin.installed import stamp_of

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite

_ARCH = {"amd64": "x86_64", "arm64": "aarch64", "arm": "armv7l"}
_ID = "1.2.3"
"""Inode, size and change time of every file, as `stat` would print them: what was stamped has not been touched."""
_MARK = re.compile(r"echo; echo (raijin-facts-[0-9a-f]+) ")
_RELEASES = {
    "debian": ('PRETTY_NAME="Debian GNU/Linux 13 (rehearsed)"', "ID=debian", 'VERSION_ID="13"'),
    "rhel": (
        'PRETTY_NAME="Rocky Linux 9.6 (rehearsed)"',
        "ID=rocky",
        'ID_LIKE="rhel centos fedora"',
        'VERSION_ID="9.6"',
    ),
}
_ACCESS = {"debian": "packages:apt\napparmor:Y", "rhel": "packages:dnf\nselinux:1"}
_MEMORY_KIB = 8 * 2**20
_PARTS = (
    "kubelet", "kubeadm", "kubectl", "containerd", "crictl", "runc", "crio", "docker", "k3s", "rke2", "k0s", "etcd",
    "etcdctl", "helm",
)  # fmt: skip
_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin")


def is_asked(script: str) -> bool:
    return script.startswith("raijin_facts() {")


def answer(site: TwinSite, host: Host, script: str) -> str:
    """The output of the script: the sections that it asks for, in its own order."""
    found = _MARK.search(script)
    mark = found[1] if found else ""
    told = ""
    for ability in ABILITIES:
        if f"echo {mark} {ability.name}\n" not in script:
            continue
        condition = LEFT_OUT.get(ability.name)
        # For a plan, ports are asked of hosts that no cluster has claimed; units are not asked at all.
        if condition and f"if {condition}; then" in script and host.exists(OWNER):
            continue
        told += f"\n{mark} {ability.name}\n{_SECTIONS[ability.name](site, host)}\n"
    return f"{told}\n{mark} files\n{_files(host)}\n\n{mark} end\n"


def _files(host: Host) -> str:
    """The lines of the files that facts read, as `PATH:LINE`."""
    name = "eth0"
    lines = [
        *(f"/etc/os-release:{line}" for line in _RELEASES[host.family]),
        "/etc/resolv.conf:nameserver 192.0.2.1",
        f"/sys/class/net/{name}/address:{host.mac}",
        f"/sys/class/net/{name}/mtu:1500",
        f"/sys/class/net/{name}/operstate:up",
        f"/sys/class/net/{name}/device/uevent:DRIVER=virtio_net",
        "/proc/net/route:Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT",
        f"/proc/net/route:{name} 00000000 010200C0 0003 0 0 0 00000000 0 0 0",
        "/proc/filesystems:\text4",
        "/sys/block/vda/size:209715200",
        "/sys/block/vda/queue/rotational:0",
        "/proc/self/mounts:/dev/vda1 / ext4 rw 0 0",
    ]
    for cpu in range(4):
        lines.append(f"/sys/devices/system/cpu/cpu{cpu}/topology/core_id:{cpu}")
        lines.append(f"/sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id:0")
    return "\n".join(lines)


def _kernel(site: TwinSite, host: Host) -> str:
    del site
    loaded = [f"module {name}" for kind, name in host.things if kind == "module"]
    return "\n".join([f"{KERNEL} {_ARCH.get(host.arch, host.arch)}", *loaded, "loadable"])


def _swap(site: TwinSite, host: Host) -> str:
    del site
    return "/swapfile file 2097148 0 here" if ("swap", "") in host.things else ""


def _disks(site: TwinSite, host: Host) -> str:
    del site, host
    return "\n".join(f"free {path} 4096 24000000 20000000 6000000 5900000" for path in ("/", "/var", "/var/lib"))


def _network(site: TwinSite, host: Host) -> str:
    own = f"{host.address}/24" if ":" not in host.address else f"{host.address}/64"
    family = "inet" if ":" not in host.address else "inet6"
    lines = ["1: lo    inet 127.0.0.1/8 scope host lo"]
    if host.address:
        lines.append(f"2: eth0    {family} {own} scope global eth0")
    lines += [f"2: eth0    inet {address}/32 scope global eth0" for address in site.carried(host)]
    return "\n".join(lines)


def _clock(site: TwinSite, host: Host) -> str:
    del site
    return f"epoch:{host.epoch:.9f}\nzone:UTC\nsynchronised:yes"


def _ports(site: TwinSite, host: Host) -> str:
    listening = {22: "sshd", **site.platform.ports(site, host)}
    return "\n".join(
        f'tcp LISTEN 0 128 0.0.0.0:{port} 0.0.0.0:* users:(("{name}",pid=1,fd=3))' for port, name in listening.items()
    )


def _identity(site: TwinSite, host: Host) -> str:
    del site
    name = host.text("/etc/hostname").strip()
    return f"machine:{host.machine_id}\nboot:{host.name}-{host.boot}\nhostname:{name}\nuid:0"


def _units(site: TwinSite, host: Host) -> str:
    del site
    blocks = []
    for kind, name in host.things:
        unit = host.unit(name) if kind == "unit" else None
        if unit is not None:
            boot = "masked" if unit.masked else "enabled" if unit.enabled else "disabled"
            state = "active" if unit.running else "inactive"
            blocks.append(f"Id={name}\nLoadState=loaded\nActiveState={state}\nUnitFileState={boot}")
    return "\n\n".join(blocks)


def _kubernetes(site: TwinSite, host: Host) -> str:
    """The stamps of what Raijin installed, the parts that are there, and the well-known files of a node."""
    lines: list[str] = []
    for path in _parts(host):
        name, sha256 = stamp_of(host, path)
        if name:
            lines += [f"= {name}", f"{sha256 or '-'} {_ID}|{path}"]
        lines.append(f"part {_ID}|{path}")
    lines += [f"file {path}" for path in site.platform.known_files(host)]
    for path in sorted(host.below("/etc/kubernetes/manifests")):
        found = re.findall(r"^\s+(?:- )?image: (\S+)", host.text(path), re.MULTILINE)
        lines += [f"image {image}" for image in found]
    return "\n".join(lines)


def _certificates(site: TwinSite, host: Host) -> str:
    """All of them made today: a rehearsal lasts for minutes. One that was renewed ends a day later for each time."""
    told = []
    for path, days in site.platform.certificates(host).items():
        text = issued(days + (host.renewals if days == LEAF_DAYS else 0))
        kubeconfig = not path.endswith((".crt", ".pem"))
        told.append(f"file {path}\n" + (f"data {base64.b64encode(text.encode()).decode()}\n" if kubeconfig else text))
    return "".join(told)


def _security(site: TwinSite, host: Host) -> str:
    """The modes of what is for root alone, and settings of the static pods and the kubelet."""
    del site
    lines = []
    for path, entry in ((key, host.entry(key)) for kind, key in host.things if kind == "path"):
        if entry is not None and any(fnmatch(path, pattern) for pattern in PRIVATE):
            lines.append(f"mode {entry.mode} {entry.owner} {path}")
    for path in (f"{folder}/{part}.yaml" for folder in MANIFESTS for part in ("kube-apiserver", "etcd")):
        name = path.rpartition("/")[2].removesuffix(".yaml")
        if host.exists(path):
            flags = re.findall(rf"^ +- (--(?:{'|'.join(FLAGS)})\b.*)$", host.text(path), re.MULTILINE)
            lines += [f"pod {name}", *(f"flag {name} {flag}" for flag in flags)]
    return "\n".join([*lines, *(f"kubelet {line}" for line in host.text(KUBELET_CONFIG).splitlines())])


def _parts(host: Host) -> list[str]:
    paths = (f"{folder}/{name}" for name in _PARTS for folder in _FOLDERS)
    cni = ("/opt/cni/bin/bridge", "/opt/cni/bin/flannel")
    return [path for path in (*paths, *cni) if host.entry(path) is not None]


def _raijin(site: TwinSite, host: Host) -> str:
    del site
    lines = [f"owner {owner}"] if (owner := host.text(OWNER).strip()) else []
    lines += [f"scope {len(kept)} {scope}" for scope, kept in host.receipts.items()]
    start = f"{STAMPS}/command:"
    return "\n".join([*lines, *(f"marker {p[len(start) :]}" for p in host.below(STAMPS) if p.startswith(start))])


def _constant(text: str) -> Callable[[TwinSite, Host], str]:
    return lambda site, host: text


_SECTIONS: Mapping[str, Callable[[TwinSite, Host], str]] = {
    "os": _constant(""),
    "kernel": _kernel,
    "cpu": _constant("name:Simulated processor"),
    "memory": _constant(f"total: {_MEMORY_KIB}\navailable: {_MEMORY_KIB - 2**20}"),
    "swap": _swap,
    "disks": _disks,
    "network": _network,
    "gpus": _constant(""),
    "hardware": _constant("sys_vendor:Raijin\nproduct_name:rehearsal twin\nvirtual:none"),
    "cgroup": _constant("2"),
    "board": _constant("memory=yes"),
    "clock": _clock,
    "ports": _ports,
    "identity": _identity,
    "system": lambda site, host: f"init:systemd\n{_ACCESS[host.family]}",
    "units": _units,
    "resolver": _constant(""),
    "kubernetes": _kubernetes,
    "certificates": _certificates,
    "security": _security,
    "raijin": _raijin,
}
