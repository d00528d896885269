"""What every node of a kubeadm cluster is like, as programs: prepared, equipped, with a runtime and its images."""

from __future__ import annotations

from raijin.artifacts.versions import image_tags
from raijin.operations.archive import Archive
from raijin.operations.base import Operation
from raijin.operations.claim import Claim
from raijin.operations.command import Command
from raijin.operations.directory import Directory
from raijin.operations.file import File
from raijin.operations.image import Image
from raijin.operations.install import Install
from raijin.operations.package import Package
from raijin.operations.program import Program
from raijin.operations.swap import Swap
from raijin.operations.unit import Unit
from raijin.platforms.base import BinaryFile, Context, Node, Supply
from raijin.platforms.kernel import kernel
from raijin.platforms.kubeadm.paths import CRI_SOCKET, JOIN_MARKER
from raijin.platforms.kubeadm.runtime import (
    CONTAINERD_CONFIG,
    CONTAINERD_UNIT,
    KUBELET_UNIT,
    containerd_files,
    kubelet_files,
)
from raijin.platforms.kubeadm.supply import PAUSE
from raijin.platforms.tools import etcd_tools

# What the kubelet, kube-proxy and kubeadm's preflight call on the host (kubeadm: "required host utilities").
PACKAGES = ("conntrack", "ethtool", "iproute2", "iptables", "socat")
RPM_PACKAGES = ("conntrack-tools", "ethtool", "iproute-tc", "iptables", "socat")
SUSE_PACKAGES = ("conntrack-tools", "ethtool", "iproute2", "iptables", "socat")
CONTROL_PLANE_IMAGES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "kube-vip")


def _taken_over(node: Node) -> tuple[Operation, ...]:
    """A control plane that somebody else has started here is noted as started, before the host becomes ours: from then
    on only these notes tell (see `parts`).
    """
    if not node.parts.started or node.parts.owner:
        return ()
    return (Command("note: its control plane runs already", ("true",), marker=JOIN_MARKER),)


def prepare(context: Context, node: Node) -> Program:
    """The operating system as Kubernetes wants it. A host of another cluster is refused here, before any change."""
    swap = (Swap(enabled=False),) if _must_switch_swap_off(context) else ()
    operations: tuple[Operation, ...] = (
        *_taken_over(node),
        Claim(context.cluster.name),
        Package(_packages(node)),
        *swap,
        *kernel(context),
        *(Directory(path) for path in ("/etc/kubernetes", "/opt/cni", "/opt/cni/bin", "/etc/cni", "/etc/cni/net.d")),
    )
    return Program("prepare the node", context.cluster.name, operations)


def equip(context: Context, node: Node) -> Program:
    """The binaries: container runtime, CNI plugins, kubelet, kubeadm; kubectl and etcd's tools on control planes."""
    return Program("install the binaries", context.cluster.name, binaries_of(context.supply(node), node))


def binaries_of(supply: Supply, node: Node) -> tuple[Operation, ...]:
    binaries = supply.binaries
    operations: list[Operation] = [
        _containerd(binaries["containerd"]),
        _install(binaries["runc"], "/usr/local/sbin/runc"),
        _archive(binaries["cni-plugins"], "/opt/cni/bin"),
        _archive(binaries["crictl"], "/usr/local/bin"),
        kubeadm_of(supply),
        _kubelet(binaries["kubelet"]),
    ]
    if node.control_plane:
        operations.append(_install(binaries["kubectl"], "/usr/local/bin/kubectl"))
    operations.extend(etcd_tools(supply, node))
    return tuple(operations)


def kubeadm_of(supply: Supply) -> Install:
    return _install(supply.binaries["kubeadm"], "/usr/local/bin/kubeadm")


def run_services(context: Context, node: Node) -> Program:
    """containerd running, the kubelet enabled; it runs once the node has joined."""
    return Program("run the services", context.cluster.name, services_of(context, context.supply(node), node))


def services_of(context: Context, supply: Supply, node: Node) -> tuple[Operation, ...]:
    """Each is restarted when its configuration or its binary has changed since its start."""
    binaries, mirrors = supply.binaries, context.cluster.kubernetes.container_runtime.registry_mirrors
    containerd = (CONTAINERD_CONFIG, CONTAINERD_UNIT, *_containerd(binaries["containerd"]).stamps())
    kubelet = (KUBELET_UNIT, *_kubelet(binaries["kubelet"]).stamps())
    return (
        *containerd_files(binaries["containerd"].version, _pause(supply), mirrors),
        File("/etc/crictl.yaml", f"runtime-endpoint: {CRI_SOCKET}\nimage-endpoint: {CRI_SOCKET}\n"),
        Unit("containerd", running=True, enabled=True, watches=containerd),
        *kubelet_files(),
        Unit("kubelet", running=True if node.parts.joined else None, enabled=True, watches=kubelet),
    )


def load_images(context: Context, node: Node, supply: Supply | None = None) -> Program | None:
    """The images that were bundled, so that nothing is pulled; None when there are none."""
    supply = supply or context.supply(node)
    control_plane = node.control_plane
    wanted = [image for image in supply.images if control_plane or not _control_plane_image(image.ref)]
    if not wanted:
        return None
    operations = tuple(Image(ref=image.ref, sha256=image.sha256, name=image.file) for image in wanted)
    return Program("load the images", context.cluster.name, operations)


def _packages(node: Node) -> tuple[str, ...]:
    manager = node.facts.package_manager if node.facts else "apt"
    return {"dnf": RPM_PACKAGES, "yum": RPM_PACKAGES, "zypper": SUSE_PACKAGES}.get(manager, PACKAGES)


def _control_plane_image(ref: str) -> bool:
    return ref.rpartition("/")[2].partition(":")[0] in CONTROL_PLANE_IMAGES


def _pause(supply: Supply) -> str:
    held = next((image.ref for image in supply.images if image.ref.startswith(f"{PAUSE}:")), None)
    return held or f"{PAUSE}:{image_tags(supply.binaries['kubelet'].version).pause}"


def _must_switch_swap_off(context: Context) -> bool:
    """Unless the definition tells the kubelet to live with swap (failSwapOn: false)."""
    return context.cluster.kubernetes.kubeadm.kubelet_configuration.get("failSwapOn") is not False


def _install(binary: BinaryFile, path: str) -> Install:
    # The name is written on the host beside the sum, and facts read the version from it.
    return Install(path=path, sha256=binary.sha256, name=f"{binary.name}-{binary.version}")


def _containerd(binary: BinaryFile) -> Archive:
    return _archive(binary, "/usr/local")


def _kubelet(binary: BinaryFile) -> Install:
    return _install(binary, "/usr/local/bin/kubelet")


def _archive(binary: BinaryFile, destination: str) -> Archive:
    return Archive(destination=destination, sha256=binary.sha256, name=binary.file)
