"""The catalogue's URLs, the versions table, and what a cluster needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from raijin.artifacts.catalogue import CATALOGUE, kind_of, normal_arch, normal_version
from raijin.artifacts.checksums import published_sha256
from raijin.artifacts.images import ImageRef, image_file_name, kubeadm_images
from raijin.artifacts.lock import ImageEntry, Lock, LockEntry
from raijin.artifacts.needs import ArtifactNeed, Choice, ImageNeed, resolve
from raijin.artifacts.versions import KUBEADM_IMAGE_TAGS, default_version, image_tags
from raijin.errors import ArtifactError, Unsupported

GITHUB = "https://github.com"
A, B = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    ("name", "version", "arch", "url", "checksums"),
    [
        (
            "kubeadm",
            "1.34.10",
            "x86_64",
            "https://dl.k8s.io/release/v1.34.10/bin/linux/amd64/kubeadm",
            "https://dl.k8s.io/release/v1.34.10/bin/linux/amd64/kubeadm.sha256",
        ),
        (
            "containerd",
            "v2.3.4",
            "arm64",
            f"{GITHUB}/containerd/containerd/releases/download/v2.3.4/containerd-2.3.4-linux-arm64.tar.gz",
            f"{GITHUB}/containerd/containerd/releases/download/v2.3.4/containerd-2.3.4-linux-arm64.tar.gz.sha256sum",
        ),
        (
            "runc",
            "v1.4.3",
            "armv7l",
            f"{GITHUB}/opencontainers/runc/releases/download/v1.4.3/runc.armhf",
            f"{GITHUB}/opencontainers/runc/releases/download/v1.4.3/runc.sha256sum",
        ),
        (
            "cni-plugins",
            "v1.9.1",
            "amd64",
            f"{GITHUB}/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-amd64-v1.9.1.tgz",
            f"{GITHUB}/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-amd64-v1.9.1.tgz.sha256",
        ),
        (
            "etcd",
            "v3.6.8",
            "amd64",
            f"{GITHUB}/etcd-io/etcd/releases/download/v3.6.8/etcd-v3.6.8-linux-amd64.tar.gz",
            f"{GITHUB}/etcd-io/etcd/releases/download/v3.6.8/SHA256SUMS",
        ),
        (
            "helm",
            "v4.2.4",
            "amd64",
            "https://get.helm.sh/helm-v4.2.4-linux-amd64.tar.gz",
            "https://get.helm.sh/helm-v4.2.4-linux-amd64.tar.gz.sha256sum",
        ),
        (
            "k3s",
            "v1.36.4+k3s1",
            "arm",
            f"{GITHUB}/k3s-io/k3s/releases/download/v1.36.4%2Bk3s1/k3s-armhf",
            f"{GITHUB}/k3s-io/k3s/releases/download/v1.36.4%2Bk3s1/sha256sum-arm.txt",
        ),
        (
            "rke2",
            "v1.36.3+rke2r1",
            "amd64",
            f"{GITHUB}/rancher/rke2/releases/download/v1.36.3%2Brke2r1/rke2.linux-amd64.tar.gz",
            f"{GITHUB}/rancher/rke2/releases/download/v1.36.3%2Brke2r1/sha256sum-amd64.txt",
        ),
    ],
)
def test_urls_are_upstreams(name: str, version: str, arch: str, url: str, checksums: str) -> None:
    kind = kind_of(name)
    assert kind.url(version, arch) == url
    assert kind.checksum_url(version, arch) == checksums
    assert url.endswith(kind.file_name(version, arch))


def test_every_kind_makes_urls_for_every_architecture_it_names() -> None:
    for kind in CATALOGUE:
        for arch in kind.archs:
            assert kind.url("v1.2.3", arch).startswith("https://")
            assert "{" not in kind.url("v1.2.3", arch) + kind.checksum_url("v1.2.3", arch)
            assert bool(kind.archive_members("v1.2.3", arch)) == (kind.kind == "archive")


def test_names_are_unique_and_an_unknown_one_says_which_exist() -> None:
    assert len({kind.name for kind in CATALOGUE}) == len(CATALOGUE)
    with pytest.raises(ArtifactError, match="no artifact named 'kubelt'") as caught:
        kind_of("kubelt")
    assert "kubelet" in (caught.value.remedy or "")


def test_an_architecture_that_upstream_does_not_build_is_refused() -> None:
    with pytest.raises(ArtifactError, match="kubelet is not published for arm"):
        kind_of("kubelet").url("v1.34.10", "armv7l")


def test_normal_forms() -> None:
    assert (normal_arch("aarch64"), normal_arch("AMD64"), normal_arch("riscv64")) == ("arm64", "amd64", "riscv64")
    assert (normal_version("1.34.10"), normal_version("v1.34.10")) == ("v1.34.10", "v1.34.10")


@pytest.mark.parametrize(
    ("kubernetes", "etcd", "coredns", "pause"),
    [
        ("v1.29.0", "3.5.10-0", "v1.11.1", "3.9"),
        ("v1.29.8", "3.5.12-0", "v1.11.1", "3.9"),
        ("v1.30.4", "3.5.12-0", "v1.11.1", "3.9"),
        ("v1.30.14", "3.5.15-0", "v1.11.3", "3.9"),
        ("v1.31.13", "3.5.15-0", "v1.11.3", "3.10"),
        ("v1.31.14", "3.5.24-0", "v1.11.3", "3.10"),
        ("v1.32.9", "3.5.16-0", "v1.11.3", "3.10"),
        ("v1.33.13", "3.5.24-0", "v1.12.0", "3.10"),
        ("v1.34.1", "3.6.4-0", "v1.12.1", "3.10.1"),
        ("1.34.10", "3.6.5-0", "v1.12.1", "3.10.1"),
        ("v1.35.4", "3.6.6-0", "v1.13.1", "3.10.1"),
        ("v1.36.4", "3.6.8-0", "v1.14.2", "3.10.2"),
    ],
)
def test_image_tags_are_those_of_kubeadm(kubernetes: str, etcd: str, coredns: str, pause: str) -> None:
    tags = image_tags(kubernetes)
    assert (tags.etcd, tags.coredns, tags.pause) == (etcd, coredns, pause)


def test_the_tags_table_is_in_order_and_begins_at_patch_zero() -> None:
    order = [(line.minor, line.patch) for line in KUBEADM_IMAGE_TAGS]
    assert order == sorted(order)
    assert {line.minor for line in KUBEADM_IMAGE_TAGS if line.patch == 0} == set(range(29, 37))


@pytest.mark.parametrize("version", ["v1.28.9", "v1.37.0", "1.34", "latest", "v2.0.0"])
def test_a_kubernetes_version_outside_the_range_is_refused(version: str) -> None:
    with pytest.raises(Unsupported):
        image_tags(version)


def test_default_versions_follow_the_minor() -> None:
    assert default_version("kubelet", "1.34.10") == "v1.34.10"
    assert default_version("crictl", "v1.34.10") == "v1.34.0"
    assert default_version("etcd", "v1.34.10") == "v3.6.5"


def test_the_tools_of_etcd_go_with_a_distribution_that_is_older_than_kubeadms_range() -> None:
    assert default_version("etcd", "v1.28.9+k3s1") == "v3.5.10"
    with pytest.raises(Unsupported):
        default_version("kubelet", "v1.28.9")


def test_kubeadm_images_as_kubeadm_lists_them() -> None:
    assert kubeadm_images("1.34.10") == (
        "registry.k8s.io/kube-apiserver:v1.34.10",
        "registry.k8s.io/kube-controller-manager:v1.34.10",
        "registry.k8s.io/kube-scheduler:v1.34.10",
        "registry.k8s.io/kube-proxy:v1.34.10",
        "registry.k8s.io/coredns/coredns:v1.12.1",
        "registry.k8s.io/pause:3.10.1",
        "registry.k8s.io/etcd:3.6.5-0",
    )
    own = kubeadm_images("v1.36.4", repository="harbor.lab/k8s", kube_proxy=False)
    assert "harbor.lab/k8s/coredns:v1.14.2" in own
    assert not any("kube-proxy" in ref for ref in own)


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
        ("busybox", "docker.io/library/busybox:latest"),
        ("flannel/flannel:v1", "docker.io/flannel/flannel:v1"),
        ("localhost/x:1", "localhost/x:1"),
        ("10.0.0.1:5000/a/b_c:V1", "10.0.0.1:5000/a/b_c:V1"),
        (f"ghcr.io/a/b@sha256:{A}", f"ghcr.io/a/b@sha256:{A}"),
        (f"ghcr.io/a/b:v1@sha256:{A}", f"ghcr.io/a/b:v1@sha256:{A}"),
    ],
)
def test_references_are_normalised(text: str, full: str) -> None:
    assert str(ImageRef.parse(text)) == full
    assert str(ImageRef.parse(full)) == full


@pytest.mark.parametrize(
    "text", ["", "UPPER/case:1", "a b", "reg.io/x:", "reg.io/x@md5:1", "reg.io//x", "reg.io/x:t:u"]
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(ArtifactError, match="not an image reference"):
        ImageRef.parse(text)


def test_file_names_of_images_are_plain() -> None:
    assert image_file_name("registry.k8s.io/pause:3.10.1", "amd64") == "registry.k8s.io_pause_3.10.1_amd64.tar"


@pytest.mark.parametrize(
    "text",
    [
        A,
        f"{A.upper()}\n",
        f"{A}  kubelet\n{B}  other",
        f"{B} *dist/other\n{A} *dist/kubelet",
        f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{A} *kubelet\n{B} *x\n-----BEGIN PGP SIGNATURE-----\nabc",
    ],
)
def test_checksum_files_in_use_are_read(text: str) -> None:
    assert published_sha256(text, "kubelet", "u") == A


@pytest.mark.parametrize(
    "text", ["<html>not found</html>", "", f"{A}  kubelet2", f"{A}\n{B}", f"{A}  kubelet\n{B}  x/kubelet"]
)
def test_a_checksum_file_without_one_clear_answer_is_refused(text: str) -> None:
    with pytest.raises(ArtifactError, match="http://m/x gives"):
        published_sha256(text, "kubelet", "http://m/x")


def entry(name: str, version: str, arch: str = "amd64") -> LockEntry:
    return LockEntry(name, version, arch, "binary", name, A)


def test_what_is_held_decides_where_the_definition_says_nothing() -> None:
    held = Lock(
        (entry("crictl", "1.36.0"), entry("containerd", "v2.2.9"), entry("runc", "v1.3.6"), entry("runc", "v1.10.0")),
        (ImageEntry("registry.k8s.io/etcd:3.6.4-0", "amd64", "e.tar", A),),
    )
    choice = Choice("v1.34.10", held, {"cni-plugins": "1.7.1"})
    assert choice.version("crictl") == "v1.36.0"
    assert choice.version("containerd") == "v2.2.9"
    assert choice.version("runc") == "v1.10.0", "two are held: the newest"
    assert choice.version("helm") == "v4.2.4", "none is held: the catalogue's"
    assert choice.version("cni-plugins") == "v1.7.1", "the definition's word"
    assert choice.tag("registry.k8s.io/etcd", "3.6.5-0") == "3.6.4-0"
    assert choice.tag("registry.k8s.io/pause", "3.10") == "3.10"
    both = held.merged(Lock((), (ImageEntry("registry.k8s.io/etcd:3.6.5-0", "amd64", "e5.tar", A),)))
    assert Choice("v1.34.10", both).tag("registry.k8s.io/etcd", "3.6.4-0") == "3.6.4-0", "its own is held"


def test_resolve_reports_all_that_is_missing_at_once() -> None:
    held = Lock((entry("kubelet", "1.34.10"),), (ImageEntry("registry.k8s.io/pause:3.10.1", "amd64", "p.tar", B),))
    found = resolve(
        [ArtifactNeed("kubelet", "v1.34.10", "amd64"), ImageNeed("registry.k8s.io/pause:3.10.1", "amd64")], held
    )
    assert [item.sha256 for item in found.artifacts] == [A]
    assert [item.sha256 for item in found.images] == [B]
    with pytest.raises(ArtifactError) as caught:
        resolve(
            [
                ArtifactNeed("kubeadm", "v1.34.10", "amd64"),
                ArtifactNeed("etcd", "v3.6.5", "amd64", optional=True),
                ImageNeed("registry.k8s.io/etcd:3.6.5-0", "amd64"),
            ],
            held,
        )
    assert "raijin.lock.yaml does not hold 2 artifacts: kubeadm v1.34.10 (amd64)" in str(caught.value)
    assert "image registry.k8s.io/etcd:3.6.5-0 (amd64)" in (caught.value.detail or "")
    assert "raijin artifacts lock" in (caught.value.remedy or "")


def test_planning_loads_no_http_client() -> None:
    modules = ["lock", "needs", "catalogue", "cache", "bundle", "locking", "store"]
    imports = "; ".join(f"import raijin.artifacts.{name}" for name in modules)
    code = f"import sys; {imports}; print('httpx2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
