"""The part `cilium`: Cilium's agent, operator and chart, without Envoy, which is no Go program.

The agent compiles its BPF programs on the node, so its image carries clang and their source.
"""

from __future__ import annotations

from collections.abc import Iterable

from components import Component
from oci import Image, Tree, base_tree
from output import Artifact, Material
from userland import debian_tree, with_busybox

MODULE = "github.com/cilium/cilium"
VERSION = "v1.20.2"
HOME = "quay.io/cilium"
PROGRAMS = {
    "cilium-agent": "daemon",
    "cilium-dbg": "cilium-dbg",
    "cilium-health": "cilium-health",
    "cilium-health-responder": "cilium-health/responder",
    "cilium-bugtool": "bugtool",
    "cilium-mount": "tools/mount",
    "cilium-sysctlfix": "tools/sysctlfix",
    "cilium-cni": "plugins/cilium-cni",
    "cilium-operator-generic": "operator",
}
NOT_IN_AGENT = ("cilium-cni", "cilium-operator-generic")
# images/runtime/Dockerfile has clang 19.1.7 too.
CLANG = "clang-19"
AGENT_PACKAGES = (CLANG, "iproute2", "iptables", "ipset", "kmod", "bpftool", "bash", "util-linux")
SCRIPTS = (
    "images/cilium/init-container.sh",
    "plugins/cilium-cni/install-plugin.sh",
    "plugins/cilium-cni/cni-uninstall.sh",
)
BPF_SOURCES = frozenset({".c", ".h"})


def component() -> Component:
    return Component(
        "cilium",
        VERSION,
        (MODULE,),
        {name: f"{MODULE}/{package}" for name, package in PROGRAMS.items()},
        (f"-X {MODULE}/pkg/version.ciliumVersion={VERSION.removeprefix('v')}",),
        ("osusergo", "ipam_provider_operator"),
        # v4.6.1-0.20260630022313-d6dee8360046, which Cilium asks for, cannot be fetched
        raised=("github.com/osrg/gobgp/v4 v4.7.0",),
        replaced=("sigs.k8s.io/mcs-api/controllers => ./mcs-api-controllers",),
    )


def artifacts(material: Material) -> Iterable[Artifact]:
    """The chart, packed as `helm package` does."""
    chart = Tree()
    source = material.source("cilium") / "install/kubernetes/cilium"
    for path in source.rglob("*"):
        if path.is_file():
            chart.file(f"cilium/{path.relative_to(source).as_posix()}", path, 0o644)
    file = f"cilium-{VERSION.removeprefix('v')}.tgz"
    yield material.archive("cilium", file, chart, named="cilium-chart")


def images(material: Material) -> list[Image]:
    operator = base_tree().file(
        "usr/bin/cilium-operator-generic", material.program("cilium", "cilium-operator-generic")
    )
    return [
        Image(f"{HOME}/cilium:{VERSION}", _agent(material), command=("/usr/bin/cilium-dbg",)),
        Image(f"{HOME}/operator-generic:{VERSION}", operator, command=("/usr/bin/cilium-operator-generic",)),
    ]


def _agent(material: Material) -> Tree:
    """As images/cilium/Dockerfile and `make install-bpf` lay it out."""
    source = material.source("cilium")
    tree = with_busybox(material, debian_tree(material, "cilium", AGENT_PACKAGES))
    tree.link("usr/local/bin/clang", f"/usr/bin/{CLANG}")
    for name in PROGRAMS:
        if name not in NOT_IN_AGENT:
            tree.file(f"usr/bin/{name}", material.program("cilium", name))
    tree.file("opt/cni/bin/cilium-cni", material.program("cilium", "cilium-cni"))
    tree.file("cni/loopback", material.program("cni-plugins", "loopback"))
    for script in SCRIPTS:
        tree.file(script.rsplit("/", 1)[-1], source / script)
    for path in (source / "bpf").rglob("*"):
        if path.suffix in BPF_SOURCES or path.name.startswith("Makefile"):
            tree.file(f"var/lib/cilium/{path.relative_to(source).as_posix()}", path, 0o644)
    return tree.directory("home/cilium")
