"""What the lab builds: the one table of components, their versions and how each is compiled.

Everything that follows from the Kubernetes minor (etcd, CoreDNS and pause) is read from the Kubernetes module itself,
so that another minor needs no more than another version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

KUBERNETES = "v1.34.10"
CONTAINERD = "v2.2.9"
RUNC = "v1.3.6"
CNI_PLUGINS = "v1.9.1"
FLANNEL = "v0.28.4"
FLANNEL_CNI = "v0.9.1"
CRICTL = "v1.36.0"
HELM = "v4.3.1"
KUBE_VIP = "v0.9.2"
TALOS = "v1.12.0"

KUBERNETES_MODULE = "k8s.io/kubernetes"
IMAGE_REGISTRY = "registry.k8s.io"
CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
NODE_BINARIES = ("kubeadm", "kubelet", "kubectl")
STATIC_CGO = ("-linkmode external", "-extldflags -static")


@dataclass(frozen=True)
class Component:
    """One Go module (or modules released together) and the programs built from it."""

    name: str
    version: str
    modules: tuple[str, ...]
    programs: dict[str, str]
    """Name of the binary: its Go package."""
    tag: str = field(default="", kw_only=True)
    """The release, where its tag is no version of a Go module."""
    ldflags: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    cgo: bool = False
    raised: tuple[str, ...] = ()
    """Dependencies to take newer than the component asks for: `module version`."""
    replaced: tuple[str, ...] = ()
    """Modules that the component keeps beside itself, and where they can be fetched: `module => module version`."""
    sums: tuple[str, ...] = ()
    """Lines of go.sum for a component that the checksum database does not know; each says where it is from."""
    apt: tuple[str, ...] = field(default=(), compare=False)
    """Debian packages the compiler needs."""

    @property
    def release(self) -> str:
        """The version as the project names it: of images, files and in the index."""
        return self.tag or self.version


@dataclass(frozen=True)
class Companions:
    """Versions that a Kubernetes release expects beside itself, as kubeadm prints them."""

    etcd_tag: str
    coredns: str
    pause: str

    @property
    def etcd(self) -> str:
        return "v" + self.etcd_tag.rsplit("-", 1)[0]


def companions(kubernetes_source: Path) -> Companions:
    """Read kubeadm's constants in the source of one Kubernetes release."""
    constants = kubernetes_source / "cmd/kubeadm/app/constants/constants.go"
    text = constants.read_text(encoding="utf-8")

    def constant(name: str) -> str:
        found = re.search(rf'^\s*{name}\s*=\s*"([^"]+)"', text, re.MULTILINE)
        if found is None:
            message = f"{constants}: no constant {name}; this Kubernetes release needs a change in components.py"
            raise LookupError(message)
        return found.group(1)

    return Companions(constant("DefaultEtcdVersion"), constant("CoreDNSVersion"), constant("PauseVersion"))


def kubernetes(version: str) -> Component:
    """Kubernetes itself, stamped with its version: kubeadm refuses to work without."""
    major, minor = version.removeprefix("v").split(".")[:2]
    stamp = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    names = (*CONTROL_PLANE, "kube-proxy", *NODE_BINARIES)
    return Component(
        "kubernetes",
        version,
        (KUBERNETES_MODULE,),
        {name: f"{KUBERNETES_MODULE}/cmd/{name}" for name in names},
        tuple(f"-X {package}.{key}={value}" for package in packages for key, value in stamp.items()),
    )


def etcd(version: str) -> Component:
    """etcd's server and both of its tools, which are modules of their own with one version."""
    tools = {"etcd": "server", "etcdctl": "etcdctl", "etcdutl": "etcdutl"}
    packages = {name: f"go.etcd.io/etcd/{folder}/v3" for name, folder in tools.items()}
    return Component("etcd", version, tuple(packages.values()), packages)


def coredns(version: str) -> Component:
    module = "github.com/coredns/coredns"
    return Component("coredns", version, (module,), {"coredns": module})


def containerd() -> Component:
    module = "github.com/containerd/containerd/v2"
    names = ("containerd", "ctr", "containerd-shim-runc-v2")
    return Component(
        "containerd",
        CONTAINERD,
        (module,),
        {name: f"{module}/cmd/{name}" for name in names},
        (f"-X {module}/version.Version={CONTAINERD}",),
        ("netgo", "osusergo", "static_build", "no_btrfs"),
    )


def runc() -> Component:
    module = "github.com/opencontainers/runc"
    return Component(
        "runc",
        RUNC,
        (module,),
        {"runc": module},
        STATIC_CGO,
        ("seccomp", "netgo", "osusergo"),
        cgo=True,
        apt=("gcc", "libc6-dev", "libseccomp-dev", "pkg-config"),
    )


def cni_plugins() -> Component:
    module = "github.com/containernetworking/plugins"
    main = ("bridge", "dummy", "host-device", "ipvlan", "loopback", "macvlan", "ptp", "tap", "vlan")
    meta = ("bandwidth", "firewall", "portmap", "sbr", "tuning", "vrf")
    ipam = ("dhcp", "host-local", "static")
    folders = {name: kind for kind, names in (("main", main), ("meta", meta), ("ipam", ipam)) for name in names}
    return Component(
        "cni-plugins",
        CNI_PLUGINS,
        (module,),
        {name: f"{module}/plugins/{kind}/{name}" for name, kind in folders.items()},
        (f"-X {module}/pkg/utils/buildversion.BuildVersion={CNI_PLUGINS}",),
    )


def flannel() -> Component:
    """flanneld; its udp backend is C."""
    module = "github.com/flannel-io/flannel"
    return Component(
        "flannel",
        FLANNEL,
        (module,),
        {"flanneld": module},
        (f"-X {module}/pkg/version.Version={FLANNEL}", *STATIC_CGO),
        ("netgo", "osusergo"),
        cgo=True,
        # v1.3.79, which flannel asks for, cannot be fetched
        raised=("github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common v1.3.81",),
        apt=("gcc", "libc6-dev"),
    )


def flannel_cni() -> Component:
    """The flannel CNI plugin, as the CNI project carried it: its present home is not a module that can be fetched."""
    module = "github.com/containernetworking/plugins"
    return Component(
        "flannel-cni",
        FLANNEL_CNI,
        (module,),
        {"flannel": f"{module}/plugins/meta/flannel"},
        (f"-X {module}/pkg/utils/buildversion.BuildVersion={FLANNEL_CNI}",),
    )


def crictl() -> Component:
    module = "sigs.k8s.io/cri-tools"
    return Component(
        "crictl",
        CRICTL,
        (module,),
        {"crictl": f"{module}/cmd/crictl"},
        (f"-X {module}/pkg/version.Version={CRICTL}",),
    )


def helm() -> Component:
    module = "helm.sh/helm/v4"
    return Component(
        "helm",
        HELM,
        (module,),
        {"helm": f"{module}/cmd/helm"},
        (f"-X {module}/internal/version.version={HELM}",),
    )


def kube_vip() -> Component:
    module = "github.com/kube-vip/kube-vip"
    return Component(
        "kube-vip",
        KUBE_VIP,
        (module,),
        {"kube-vip": module},
        (f"-X main.Version={KUBE_VIP}",),
        # The checksum database has no entry for it. Computed from the project's tag v0.9.2 (commit b56b80cd3049).
        sums=(
            f"{module} {KUBE_VIP} h1:LAvGmK34svcNhTxXNyDoV7s1bHYEgXrM3ff2FxfH6Us=",
            f"{module} {KUBE_VIP}/go.mod h1:xt5AR9SOxcQhClhr5F++zwFT4K6OyFQ1n8azAm9V1CU=",
        ),
    )


def talosctl() -> Component:
    module = "github.com/siderolabs/talos"
    return Component(
        "talosctl",
        TALOS,
        (module,),
        {"talosctl": f"{module}/cmd/talosctl"},
        (f"-X {module}/pkg/machinery/version.Tag={TALOS}",),
        ("grpcnotrace",),
    )


def all_components(kubernetes_version: str, beside: Companions) -> list[Component]:
    """Everything to compile for the default part with one Kubernetes release, the longest first."""
    return [
        kubernetes(kubernetes_version),
        etcd(beside.etcd),
        containerd(),
        runc(),
        cni_plugins(),
        flannel(),
        flannel_cni(),
        coredns(beside.coredns),
        crictl(),
        helm(),
        kube_vip(),
    ]
