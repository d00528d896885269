"""The facts of a host as a platform asks for them: plain answers, with a plain answer too for what is unknown."""

from __future__ import annotations

import re
from dataclasses import dataclass

from raijin.facts.base import known
from raijin.facts.gather import HostFacts
from raijin.facts.kubernetes import Kubernetes
from raijin.facts.raijin import Ownership

API_MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"
ADMIN_CONF = "/etc/kubernetes/admin.conf"
KUBELET_CONF = "/etc/kubernetes/kubelet.conf"
INIT_MARKER = "kubeadm-init"

_NOTHING = Kubernetes((), ())
_NOBODY = Ownership("", {}, ())


@dataclass(frozen=True, slots=True)
class Parts:
    """What of a kubeadm cluster is on a host.

    started: a control plane was started here to the end. begun: an init or join was begun. foreign: what runs here
    although no cluster of ours owns the host.
    """

    owner: str
    kubelet_conf: bool
    started: bool
    begun: bool
    foreign: str


@dataclass(frozen=True, slots=True)
class HostView:
    """skew: seconds that the host's clock is ahead of ours, as far as one exchange can tell."""

    facts: HostFacts
    skew: float = 0.0

    @property
    def architecture(self) -> str:
        kernel = self.facts.kernel
        return getattr(kernel, "arch", "amd64")

    @property
    def init(self) -> str:
        return str(getattr(self.facts.system, "init", "an unknown init system"))

    @property
    def package_manager(self) -> str:
        return str(getattr(self.facts.system, "packages", ""))

    @property
    def kernel_release(self) -> str:
        return str(getattr(self.facts.kernel, "release", ""))

    @property
    def kernel_version(self) -> tuple[int, int]:
        """(6, 1) of 6.1.0-28-amd64; very new when unknown, so that an unknown kernel is not refused for its age."""
        found = re.match(r"(\d+)\.(\d+)", self.kernel_release)
        return (int(found[1]), int(found[2])) if found else (999, 0)

    @property
    def cpus(self) -> int:
        """Threads; 0 when unknown."""
        return int(getattr(self.facts.cpu, "threads", 0))

    @property
    def memory(self) -> int:
        """Bytes; 0 when unknown."""
        return int(getattr(self.facts.memory, "total", 0))

    @property
    def cgroup_v1(self) -> bool:
        return self.facts.cgroup in {"1", "hybrid"}

    @property
    def free(self) -> dict[str, int]:
        """Bytes that are free, by path."""
        return {space.path: space.free for space in getattr(self.facts.disks, "space", ())}

    @property
    def address(self) -> str:
        """The first address of the interface with the default route, else of any; empty when there is none."""
        network = self.facts.network
        interfaces = list(getattr(network, "interfaces", ()))
        interfaces.sort(key=lambda item: item.name != getattr(network, "default_interface", ""))
        return next((a.partition("/")[0] for item in interfaces for a in item.addresses), "")

    @property
    def mac(self) -> str:
        network = self.facts.network
        default = getattr(network, "default_interface", "")
        return next((item.mac for item in getattr(network, "interfaces", ()) if item.name == default), "")

    @property
    def machine_id(self) -> str:
        return str(getattr(self.facts.identity, "machine_id", ""))

    def listener(self, port: int) -> str | None:
        """The program that listens on a TCP port (empty when the host does not tell), None when nobody does."""
        ports = known(self.facts.ports, ())
        return next((item.process for item in ports if item.protocol == "tcp" and item.port == port), None)

    @property
    def parts(self) -> Parts:
        kubernetes = known(self.facts.kubernetes, _NOTHING)
        ours = known(self.facts.raijin, _NOBODY)
        files = set(kubernetes.files)
        foreign = next((path for path in kubernetes.files if kubernetes.present and "/cni/" not in path), "")
        return Parts(
            owner=ours.owner,
            kubelet_conf=KUBELET_CONF in files,
            started=INIT_MARKER in ours.markers and ADMIN_CONF in files,
            begun=bool(files & {API_MANIFEST, ADMIN_CONF, KUBELET_CONF, "/var/lib/etcd/member"}),
            foreign=foreign,
        )

    def summary(self) -> list[str]:
        """System, kernel, architecture, CPU, memory, GPU, machine and Kubernetes, for a table."""
        facts = self.facts
        gpus = [gpu.model for gpu in known(facts.gpus, ()) if gpu.accelerator]
        hardware = facts.hardware
        machine = " ".join(
            filter(None, (getattr(hardware, name, "") for name in ("vendor", "product", "board")))
        ) or str(getattr(hardware, "virtual", ""))
        kubelet = known(facts.kubernetes, _NOTHING).part("kubelet")
        return [
            str(getattr(facts.os, "name", "?")),
            self.kernel_release,
            self.architecture,
            str(self.cpus),
            f"{self.memory / 2**30:.1f} GiB",
            ", ".join(gpus) or "-",
            machine,
            f"kubelet {kubelet.version}" if kubelet else "-",
        ]
