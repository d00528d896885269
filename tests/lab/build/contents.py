"""The output directory: which files and images are made of what was compiled, and the index that names them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common import BuildError, run, say
from components import CONTROL_PLANE, IMAGE_REGISTRY, NODE_BINARIES, Companions, Component
from debian import ensure_installed, package_version, unpack_closure
from golang import Built
from oci import Image, Tree, base_tree, write_archive, write_image

PAUSE_SOURCE = Path(__file__).resolve().with_name("pause.c")
PACKET_FILTER_PACKAGES = ("iptables", "nftables", "conntrack")
IPTABLES_COMMANDS = ("", "-save", "-restore")


@dataclass(frozen=True)
class Material:
    """Everything that goes into one output directory."""

    components: dict[str, Component]
    built: dict[str, Built]
    beside: Companions
    cache: Path
    arch: str

    def version(self, component: str) -> str:
        return self.components[component].version

    def program(self, component: str, name: str) -> Path:
        return self.built[component].folder / name

    def programs(self, component: str, *, below: str = "") -> Tree:
        tree = Tree()
        for name in self.components[component].programs:
            tree.file(below + name, self.program(component, name))
        return tree


def write_output(material: Material, out: Path) -> None:
    """Fill an empty directory with files/, images/ and artifacts.yaml."""
    (out / "files").mkdir(parents=True)
    (out / "images").mkdir()
    images = _images(material)
    _check_against_kubeadm(material, {image.ref for image in images})
    lines = ["artifacts:", *(_line(entry) for entry in _artifacts(material, out)), "images:"]
    for image in images:
        file = f"images/{image.file_name}"
        say(f"writing {file}")
        write_image(image, material.arch, out / file)
        lines.append(_line({"ref": image.ref, "arch": material.arch, "file": file}))
    (out / "artifacts.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _line(entry: dict[str, str]) -> str:
    return "  - {" + ", ".join(f"{key}: {json.dumps(value)}" for key, value in entry.items()) + "}"


def _artifacts(material: Material, out: Path) -> list[dict[str, str]]:
    """The files hosts install, named and laid out as their projects release them."""
    entries = []

    def add(name: str, component: str, kind: str, file: str, write: Callable[[Path], object]) -> None:
        write(out / "files" / file)
        version = material.version(component)
        entries.append({"name": name, "version": version, "arch": material.arch, "kind": kind, "file": f"files/{file}"})

    def add_binary(name: str, component: str) -> None:
        add(name, component, "binary", name, lambda target: shutil.copy2(material.program(component, name), target))

    def add_archive(component: str, file: str, tree: Tree, prefix: str = "") -> None:
        add(component, component, "archive", file, lambda target: write_archive(tree, target, prefix=prefix))

    arch = material.arch
    for name in NODE_BINARIES:
        add_binary(name, "kubernetes")
    add_binary("runc", "runc")
    version = material.version("containerd").removeprefix("v")
    add_archive(
        "containerd", f"containerd-{version}-linux-{arch}.tar.gz", material.programs("containerd", below="bin/")
    )
    plugins = material.programs("cni-plugins")
    add_archive("cni-plugins", f"cni-plugins-linux-{arch}-{material.version('cni-plugins')}.tgz", plugins, "./")
    add_archive("crictl", f"crictl-{material.version('crictl')}-linux-{arch}.tar.gz", material.programs("crictl"))
    folder = f"etcd-{material.version('etcd')}-linux-{arch}"
    add_archive("etcd", f"{folder}.tar.gz", material.programs("etcd", below=f"{folder}/"))
    helm = material.programs("helm", below=f"linux-{arch}/")
    add_archive("helm", f"helm-{material.version('helm')}-linux-{arch}.tar.gz", helm)
    return entries


def _images(material: Material) -> list[Image]:
    version = material.version("kubernetes")
    packet_filter = _cached_packages(material, "packet-filter", PACKET_FILTER_PACKAGES)
    busybox = _cached_packages(material, "busybox", ("busybox-static",))
    images = []
    for name in CONTROL_PLANE:
        path = f"usr/local/bin/{name}"
        tree = base_tree().file(path, material.program("kubernetes", name))
        images.append(Image(f"{IMAGE_REGISTRY}/{name}:{version}", tree, (f"/{path}",)))
    proxy = _packet_filter_tree(packet_filter / "root").file(
        "usr/local/bin/kube-proxy", material.program("kubernetes", "kube-proxy")
    )
    images.append(Image(f"{IMAGE_REGISTRY}/kube-proxy:{version}", proxy, ("/usr/local/bin/kube-proxy",)))
    images.append(_etcd_image(material))
    coredns = base_tree().file("coredns", material.program("coredns", "coredns"))
    images.append(Image(f"{IMAGE_REGISTRY}/coredns/coredns:{material.version('coredns')}", coredns, ("/coredns",)))
    pause = base_tree().file("pause", _pause(material))
    images.append(Image(f"{IMAGE_REGISTRY}/pause:{material.beside.pause}", pause, ("/pause",), user="65535:65535"))
    images += _flannel_images(material, packet_filter / "root", busybox / "root")
    # glibc's resolver modules stand beside the static busybox, which looks names up through them.
    workload = _with_busybox(_packet_filter_tree(packet_filter / "root"), busybox / "root", merged=True)
    tag = package_version("busybox-static", busybox)
    images.append(Image(f"docker.io/library/busybox:{tag}", workload, command=("sh",)))
    return images


def _etcd_image(material: Material) -> Image:
    tree = base_tree()
    for name in material.components["etcd"].programs:
        tree.file(f"usr/local/bin/{name}", material.program("etcd", name))
    return Image(f"{IMAGE_REGISTRY}/etcd:{material.beside.etcd_tag}", tree, ("/usr/local/bin/etcd",))


def _flannel_images(material: Material, packet_filter: Path, busybox: Path) -> list[Image]:
    daemon = _with_busybox(_packet_filter_tree(packet_filter), busybox, merged=True)
    daemon.file("opt/bin/flanneld", material.program("flannel", "flanneld"))
    plugin = _with_busybox(base_tree(), busybox, merged=False)
    plugin.file("flannel", material.program("flannel-cni", "flannel"))
    home = "ghcr.io/flannel-io"
    return [
        Image(f"{home}/flannel:{material.version('flannel')}", daemon, ("/opt/bin/flanneld",)),
        Image(f"{home}/flannel-cni-plugin:{material.version('flannel-cni')}", plugin),
    ]


def _packet_filter_tree(root: Path) -> Tree:
    """iptables, nft and conntrack with their libraries; `iptables` is the nft variant, as on Debian."""
    tree = base_tree().copy_of(root)
    for folder in ("bin", "sbin", "lib", "lib64"):
        tree.link(folder, f"usr/{folder}")
    for family in ("iptables", "ip6tables"):
        for suffix in IPTABLES_COMMANDS:
            tree.link(f"usr/sbin/{family}{suffix}", f"{family}-nft{suffix}")
    return tree


def _with_busybox(tree: Tree, root: Path, *, merged: bool) -> Tree:
    """busybox and a link for each of its applets, except where the tree has the real program."""
    binary = root / "usr/bin/busybox"
    top = "usr/" if merged else ""
    tree.file(f"{top}bin/busybox", binary)
    for applet in run([str(binary), "--list-full"]).split():
        path = top + applet.removeprefix("usr/") if merged else applet
        if "/" in applet and path not in tree.entries:
            tree.link(path, "/bin/busybox")
    return tree


def _cached_packages(material: Material, name: str, packages: tuple[str, ...]) -> Path:
    folder = material.cache / "packages" / name
    finished = folder / ".finished"
    if not finished.exists():
        say(f"downloading {', '.join(packages)}")
        unpack_closure(packages, folder)
        finished.touch()
    return folder


def _pause(material: Material) -> Path:
    ensure_installed(("gcc", "libc6-dev"))
    version = material.beside.pause
    target = material.cache / "components" / f"pause-{version}"
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
