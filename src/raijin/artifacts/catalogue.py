"""The artifacts that Raijin knows: how upstream names them, and where it publishes their checksums.

One line in CATALOGUE is all that one more artifact costs. A template may use
    {tag}      the version as in upstream's tag, quoted for a URL (v1.36.4%2Bk3s1)
    {number}   the version without the leading v
    {arch}     upstream's own word for the architecture (see `arch_names`), {plain}: ours
    {file}     the file name made from `file`
Where each pattern was read is said in `source`; checksum files have one of the forms that `checksums` reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args
from urllib.parse import quote

from raijin.errors import ArtifactError

Kind = Literal["binary", "archive", "images"]
KINDS: tuple[str, ...] = get_args(Kind)

ARCH_ALIASES: Mapping[str, str] = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv7l": "arm",
    "armv6l": "arm",
    "armhf": "arm",
}


def normal_arch(arch: str) -> str:
    """Go's name of an architecture for what `uname -m` or a distribution says (x86_64 -> amd64)."""
    return ARCH_ALIASES.get(arch.lower(), arch.lower())


def normal_version(version: str) -> str:
    """The version with its leading v, as all upstreams here tag it: 1.34.10 -> v1.34.10."""
    text = version.strip()
    return text if text.startswith("v") or not text[:1].isdigit() else f"v{text}"


@dataclass(frozen=True, slots=True)
class ArtifactKind:
    """One artifact.

    kind: binary = the file itself is installed; archive = `members` of a tar are; images = a tar of container images.
    members: the paths inside the archive that matter ("" at the end of a path: the whole folder).
    """

    name: str
    kind: Kind
    base: str
    file: str
    checksums: str
    source: str
    members: tuple[str, ...] = ()
    archs: tuple[str, ...] = ("amd64", "arm64")
    arch_names: Mapping[str, str] = field(default_factory=dict)

    def url(self, version: str, arch: str) -> str:
        """Where upstream keeps the file. Raises ArtifactError for an architecture that upstream does not build."""
        return self._filled(f"{self.base}/{{file}}", version, arch)

    def checksum_url(self, version: str, arch: str) -> str:
        """Where upstream publishes the sha256 of that file."""
        return self._filled(f"{self.base}/{self.checksums}", version, arch)

    def file_name(self, version: str, arch: str) -> str:
        return self._filled(self.file, version, arch)

    def archive_members(self, version: str, arch: str) -> tuple[str, ...]:
        return tuple(self._filled(member, version, arch) for member in self.members)

    def _filled(self, template: str, version: str, arch: str) -> str:
        arch, version = normal_arch(arch), normal_version(version)
        if arch not in self.archs:
            raise ArtifactError(
                f"{self.name} is not published for {arch} (only {', '.join(self.archs)})",
                remedy="leave hosts of that architecture out, or bring the file in a bundle of your own",
            )
        words = {
            "tag": quote(version, safe="."),
            "number": version.removeprefix("v"),
            "arch": self.arch_names.get(arch, arch),
            "plain": arch,
        }
        return template.format_map(words | {"file": self.file.format_map(words)})


_KUBERNETES = "https://dl.k8s.io/release/{tag}/bin/linux/{arch}"
_KUBERNETES_SOURCE = "kubernetes.io install-kubeadm and install-kubectl pages; kubespray defaults/main/download.yml"
_GITHUB = "https://github.com/{project}/releases/download/{{tag}}"


def _github(project: str) -> str:
    return _GITHUB.format(project=project)


def _kubernetes(name: str) -> ArtifactKind:
    return ArtifactKind(name, "binary", _KUBERNETES, name, "{file}.sha256", _KUBERNETES_SOURCE)


def _okd(name: str, file: str) -> ArtifactKind:
    """Tags without a v; the file for amd64 does not say so."""
    return ArtifactKind(
        name,
        "archive",
        "https://github.com/okd-project/okd/releases/download/{number}",
        f"{file}-linux{{arch}}-{{number}}.tar.gz",
        "sha256sum.txt",
        "releases of okd-project/okd (one sha256sum.txt for all files)",
        members=(name,),
        arch_names={"amd64": "", "arm64": "-arm64"},
    )


CATALOGUE: tuple[ArtifactKind, ...] = (
    _kubernetes("kubeadm"),
    _kubernetes("kubelet"),
    _kubernetes("kubectl"),
    ArtifactKind(
        "containerd",
        "archive",
        _github("containerd/containerd"),
        "containerd-{number}-linux-{arch}.tar.gz",
        "{file}.sha256sum",
        "kubespray component_hash_update/components.py",
        members=("bin/",),
    ),
    ArtifactKind(
        "runc",
        "binary",
        _github("opencontainers/runc"),
        "runc.{arch}",
        "runc.sha256sum",
        "kubespray components.py and download.py (one clear-signed file for all architectures)",
        archs=("amd64", "arm64", "arm"),
        arch_names={"arm": "armhf"},
    ),
    ArtifactKind(
        "cni-plugins",
        "archive",
        _github("containernetworking/plugins"),
        "cni-plugins-linux-{arch}-v{number}.tgz",
        "{file}.sha256",
        "kubespray components.py",
        members=("./",),
        archs=("amd64", "arm64", "arm"),
    ),
    ArtifactKind(
        "crictl",
        "archive",
        _github("kubernetes-sigs/cri-tools"),
        "crictl-v{number}-linux-{arch}.tar.gz",
        "{file}.sha256",
        "kubespray components.py",
        members=("crictl",),
        archs=("amd64", "arm64", "arm"),
    ),
    ArtifactKind(
        "etcd",
        "archive",
        _github("etcd-io/etcd"),
        "etcd-v{number}-linux-{arch}.tar.gz",
        "SHA256SUMS",
        "kubespray components.py and download.py (one SHA256SUMS for all files)",
        members=("etcd-v{number}-linux-{arch}/etcdctl", "etcd-v{number}-linux-{arch}/etcdutl"),
    ),
    ArtifactKind(
        "helm",
        "archive",
        "https://get.helm.sh",
        "helm-{tag}-linux-{arch}.tar.gz",
        "{file}.sha256sum",
        "helm scripts/get-helm-4 and Makefile",
        members=("linux-{arch}/helm",),
        archs=("amd64", "arm64", "arm"),
    ),
    ArtifactKind(
        "k3s",
        "binary",
        _github("k3s-io/k3s"),
        "k3s{arch}",
        "sha256sum-{plain}.txt",
        "k3s install.sh, setup_verify_arch and download_hash",
        archs=("amd64", "arm64", "arm"),
        arch_names={"amd64": "", "arm64": "-arm64", "arm": "-armhf"},
    ),
    ArtifactKind(
        "k3s-images",
        "images",
        _github("k3s-io/k3s"),
        "k3s-airgap-images-{arch}.tar.zst",
        "sha256sum-{plain}.txt",
        "docs.k3s.io installation/airgap",
        archs=("amd64", "arm64", "arm"),
    ),
    ArtifactKind(
        "rke2",
        "archive",
        _github("rancher/rke2"),
        "rke2.linux-{arch}.tar.gz",
        "sha256sum-{plain}.txt",
        "docs.rke2.io install/airgap",
        members=("bin/", "lib/", "share/"),
    ),
    ArtifactKind(
        "rke2-images",
        "images",
        _github("rancher/rke2"),
        "rke2-images.linux-{arch}.tar.zst",
        "sha256sum-{plain}.txt",
        "docs.rke2.io install/airgap",
    ),
    ArtifactKind(
        "talosctl",
        "binary",
        _github("siderolabs/talos"),
        "talosctl-linux-{arch}",
        "sha256sum.txt",
        "talos.dev install script (validate_checksum)",
    ),
    _okd("openshift-install", "openshift-install"),
    _okd("oc", "openshift-client"),
)


def kind_of(name: str) -> ArtifactKind:
    """The catalogue's entry. Raises ArtifactError with the names that exist."""
    for entry in CATALOGUE:
        if entry.name == name:
            return entry
    raise ArtifactError(
        f"there is no artifact named {name!r} in the catalogue",
        remedy=f"use one of: {', '.join(entry.name for entry in CATALOGUE)}",
    )
