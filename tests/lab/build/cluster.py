"""The default part: Kubernetes and what runs beneath it, as files and images."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from common import BuildError, run
from components import CONTROL_PLANE, IMAGE_REGISTRY, NODE_BINARIES, Companions
from debian import ensure_installed, package_version
from oci import Image, base_tree
from output import Artifact, Material
from userland import busybox, packet_filter_tree, with_busybox

PAUSE_SOURCE = Path(__file__).resolve().with_name("pause.c")


def artifacts(material: Material) -> Iterable[Artifact]:
    """The files hosts install, named and laid out as their projects release them."""
    arch = material.arch
    for name in NODE_BINARIES:
        yield material.binary(name, "kubernetes")
    yield material.binary("runc", "runc")
    number = material.version("containerd").removeprefix("v")
    containerd = material.programs("containerd", below="bin/")
    yield material.archive("containerd", f"containerd-{number}-linux-{arch}.tar.gz", containerd)
    plugins = f"cni-plugins-linux-{arch}-{material.version('cni-plugins')}.tgz"
    yield material.archive("cni-plugins", plugins, material.programs("cni-plugins"), prefix="./")
    yield material.archive(
        "crictl", f"crictl-{material.version('crictl')}-linux-{arch}.tar.gz", material.programs("crictl")
    )
    folder = f"etcd-{material.version('etcd')}-linux-{arch}"
    yield material.archive("etcd", f"{folder}.tar.gz", material.programs("etcd", below=f"{folder}/"))
    helm = material.programs("helm", below=f"linux-{arch}/")
    yield material.archive("helm", f"helm-{material.version('helm')}-linux-{arch}.tar.gz", helm)


def images(material: Material, beside: Companions) -> list[Image]:
    made = [*_control_plane(material), _etcd(material, beside)]
    proxy = packet_filter_tree(material).file("usr/local/bin/kube-proxy", material.program("kubernetes", "kube-proxy"))
    version = material.version("kubernetes")
    made.append(Image(f"{IMAGE_REGISTRY}/kube-proxy:{version}", proxy, ("/usr/local/bin/kube-proxy",)))
    coredns = base_tree().file("coredns", material.program("coredns", "coredns"))
    made.append(Image(f"{IMAGE_REGISTRY}/coredns/coredns:{material.version('coredns')}", coredns, ("/coredns",)))
    pause = base_tree().file("pause", _pause(material.cache, beside.pause))
    made.append(Image(f"{IMAGE_REGISTRY}/pause:{beside.pause}", pause, ("/pause",), user="65535:65535"))
    made += _flannel(material)
    vip = base_tree().file("kube-vip", material.program("kube-vip", "kube-vip"))
    made.append(Image(f"ghcr.io/kube-vip/kube-vip:{material.version('kube-vip')}", vip, ("/kube-vip",)))
    # glibc's resolver modules stand beside the static busybox, which looks names up through them.
    workload = with_busybox(material, packet_filter_tree(material))
    tag = package_version("busybox-static", busybox(material))
    made.append(Image(f"docker.io/library/busybox:{tag}", workload, command=("sh",)))
    _check_against_kubeadm(material, {image.ref for image in made})
    return made


def _control_plane(material: Material) -> Iterable[Image]:
    for name in CONTROL_PLANE:
        path = f"usr/local/bin/{name}"
        tree = base_tree().file(path, material.program("kubernetes", name))
        yield Image(f"{IMAGE_REGISTRY}/{name}:{material.version('kubernetes')}", tree, (f"/{path}",))


def _etcd(material: Material, beside: Companions) -> Image:
    tree = base_tree()
    for name in material.components["etcd"].programs:
        tree.file(f"usr/local/bin/{name}", material.program("etcd", name))
    return Image(f"{IMAGE_REGISTRY}/etcd:{beside.etcd_tag}", tree, ("/usr/local/bin/etcd",))


def _flannel(material: Material) -> Iterable[Image]:
    home = "ghcr.io/flannel-io"
    daemon = with_busybox(material, packet_filter_tree(material))
    daemon.file("opt/bin/flanneld", material.program("flannel", "flanneld"))
    yield Image(f"{home}/flannel:{material.version('flannel')}", daemon, ("/opt/bin/flanneld",))
    plugin = with_busybox(material, base_tree())
    plugin.file("flannel", material.program("flannel-cni", "flannel"))
    yield Image(f"{home}/flannel-cni-plugin:{material.version('flannel-cni')}", plugin)


def _pause(cache: Path, version: str) -> Path:
    ensure_installed(("gcc", "libc6-dev"))
    target = cache / "components" / f"pause-{version}"
    warnings = ("-Wall", "-Wextra", "-Werror")
    define = f'-DVERSION="{version}"'
    run(["gcc", "-Os", "-static", "-s", *warnings, define, str(PAUSE_SOURCE), "-o", str(target)])
    return target


def _check_against_kubeadm(material: Material, made: set[str]) -> None:
    """The images must be the very ones that the kubeadm just built will ask for."""
    kubeadm = str(material.program("kubernetes", "kubeadm"))
    command = [kubeadm, "config", "images", "list", "--kubernetes-version", material.version("kubernetes")]
    if missing := set(run(command).split()) - made:
        message = f"kubeadm asks for images that were not made: {', '.join(sorted(missing))}"
        raise BuildError(message)
