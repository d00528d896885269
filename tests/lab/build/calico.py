"""The part `calico`: Calico for clusters whose pods it connects, over VXLAN or without encapsulation, without BGP.

From source and from what else is in Calico's module: the start scripts of calico-node and the manifests.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from functools import partial

from components import Component
from oci import SEARCH_PATH, Image, Tree, base_tree
from output import Artifact, Material
from userland import debian_tree, with_busybox

MODULE = "github.com/projectcalico/calico"
TAG = "v3.28.5"
# The commit of the release, less two lines of a makefile: Calico's tags are no versions of a Go module.
VERSION = "v1.11.0-cni-plugin.0.20250813170300-a0db560f0520"
API = "github.com/projectcalico/api"
STAMPED = (
    f"{MODULE}/node/pkg/lifecycle/startup.VERSION",
    f"{MODULE}/node/buildinfo.GitVersion",
    f"{MODULE}/felix/buildinfo.GitVersion",
    f"{MODULE}/calicoctl/calicoctl/commands.VERSION",
    f"{MODULE}/calicoctl/calicoctl/commands/common.VERSION",
    "main.VERSION",
)
PROGRAMS = {
    "calico-node": "node/cmd/calico-node",
    "mountns": "node/cmd/mountns",
    "calico": "cni-plugin/cmd/calico",
    "install": "cni-plugin/cmd/install",
    "kube-controllers": "kube-controllers/cmd/kube-controllers",
    "check-status": "kube-controllers/cmd/check-status",
    "calico-typha": "typha/cmd/calico-typha",
    "calicoctl": "calicoctl/calicoctl",
}
MANIFESTS = ("calico", "calico-vxlan", "calico-typha")
NODE_PACKAGES = ("iptables", "nftables", "conntrack", "ipset", "iproute2", "runit", "bash")
PLUGINS = ("bandwidth", "host-local", "loopback", "portmap", "tuning")
UNPRIVILEGED = "999"


def component() -> Component:
    """All programs. calico-node is built without C, hence without its eBPF data plane."""
    return Component(
        "calico",
        VERSION,
        (MODULE,),
        {name: f"{MODULE}/{package}" for name, package in PROGRAMS.items()},
        tuple(f"-X {name}={TAG}" for name in STAMPED),
        tag=TAG,
        replaced=(
            f"{API} => {API} v0.0.0-20240708202104-e3f70b269c2c",
            # v0.11.8 cannot be fetched; only Windows uses it
            "github.com/Microsoft/hcsshim => github.com/Microsoft/hcsshim v0.11.7",
        ),
    )


def artifacts(material: Material) -> Iterable[Artifact]:
    yield material.binary("calicoctl", "calico", f"calicoctl-linux-{material.arch}")
    for name in MANIFESTS:
        path = material.source("calico") / "manifests" / f"{name}.yaml"
        yield Artifact(f"{name}-manifest", TAG, "binary", path.name, partial(shutil.copy, path))


def images(material: Material) -> list[Image]:
    home = "docker.io/calico"
    controllers = base_tree().directory("status", 0o777).file("status/status.json", b"", 0o666)
    controllers.directory("profiles", 0o777)
    for name in ("kube-controllers", "check-status"):
        controllers.file(f"usr/bin/{name}", material.program("calico", name))
    typha = base_tree().file("usr/bin/calico-typha", material.program("calico", "calico-typha"))
    environment = (f"PATH={SEARCH_PATH}", "SVDIR=/etc/service/enabled")
    return [
        Image(f"{home}/node:{TAG}", _node(material), command=("start_runit",), environment=environment),
        Image(f"{home}/cni:{TAG}", _plugins(material), command=("/opt/cni/bin/install",)),
        Image(f"{home}/kube-controllers:{TAG}", controllers, ("/usr/bin/kube-controllers",), user=UNPRIVILEGED),
        Image(f"{home}/typha:{TAG}", typha, command=("/usr/bin/calico-typha",), user=UNPRIVILEGED),
    ]


def _node(material: Material) -> Tree:
    """As node/Dockerfile.amd64 lays it out, without BIRD."""
    source = material.source("calico")
    tree = with_busybox(material, debian_tree(material, "calico-node", NODE_PACKAGES))
    for path in (source / "node/filesystem").rglob("*"):
        if path.is_file():
            target = path.relative_to(source / "node/filesystem").as_posix()
            executable = target.startswith("sbin/") or target == "etc/rc.local" or path.name == "run"
            tree.file(f"usr/{target}" if target.startswith("sbin/") else target, path, 0o755 if executable else 0o644)
    for path in (source / "confd/etc/calico/confd").rglob("*"):
        if path.is_file():
            tree.file(path.relative_to(source / "confd").as_posix(), path, 0o644)
    for name in ("calico-node", "mountns"):
        tree.file(f"usr/bin/{name}", material.program("calico", name))
    return tree


def _plugins(material: Material) -> Tree:
    """The container network plugins that the image copies onto its host, Calico's and those of the CNI project."""
    tree = base_tree()
    for name in ("calico", "install"):
        tree.file(f"opt/cni/bin/{name}", material.program("calico", name))
    tree.link("opt/cni/bin/calico-ipam", "calico")
    for name in PLUGINS:
        tree.file(f"opt/cni/bin/{name}", material.program("cni-plugins", name))
    return tree.file("opt/cni/bin/flannel", material.program("flannel-cni", "flannel"))
