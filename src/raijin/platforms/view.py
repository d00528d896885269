"""The facts of a host as a platform asks for them: plain answers, with a plain answer too for what is unknown."""

from __future__ import annotations

import re
from dataclasses import dataclass

from raijin.facts.base import Unknown, known
from raijin.facts.certificates import Certificate
from raijin.facts.gather import HostFacts, parse
from raijin.facts.kubernetes import Kubernetes
from raijin.facts.raijin import Ownership

_NOTHING = Kubernetes((), ())
_NOBODY = Ownership("", {}, ())


@dataclass(frozen=True, slots=True)
class HostView:
    """skew: seconds that the host's clock is ahead of ours, as far as one exchange can tell.

    own: what only the platform of the host asks and reads (see `Platform.look`).
    """

    facts: HostFacts
    skew: float = 0.0
    own: object = None

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

    def address_beside(self, address: str, version: int) -> str:
        """The first address of an IP version on the interface that has `address`, else on that of the default route."""
        network = self.facts.network
        interfaces = list(getattr(network, "interfaces", ()))
        plain = {item.name: [a.partition("/")[0] for a in item.addresses] for item in interfaces}
        bearer = next(
            (name for name, own in plain.items() if address in own), getattr(network, "default_interface", "")
        )
        return next((own for own in plain.get(bearer, []) if (6 if ":" in own else 4) == version), "")

    @property
    def families(self) -> frozenset[int]:
        """The IP versions of which the interface with the default route has an address; empty when that is unknown."""
        network = self.facts.network
        default = getattr(network, "default_interface", "")
        addresses = [a for i in getattr(network, "interfaces", ()) if i.name == default for a in i.addresses]
        return frozenset(6 if ":" in address else 4 for address in addresses)

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
    def owner(self) -> str:
        """The cluster that claimed the host; empty when none has."""
        return known(self.facts.raijin, _NOBODY).owner

    @property
    def markers(self) -> frozenset[str]:
        """The marked commands that have ended well on the host."""
        return frozenset(known(self.facts.raijin, _NOBODY).markers)

    @property
    def files(self) -> frozenset[str]:
        """Those of the well-known files of Kubernetes that are there (see facts/kubernetes.py)."""
        return frozenset(known(self.facts.kubernetes, _NOTHING).files)

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        return known(self.facts.certificates, ())

    @property
    def foreign(self) -> str:
        """A file by which one sees that a node of some cluster runs, or ran, here; empty when there is none."""
        kubernetes = known(self.facts.kubernetes, _NOTHING)
        return next((path for path in kubernetes.files if kubernetes.present and "/cni/" not in path), "")

    def version_of(self, part: str) -> str:
        """The installed version of a part of Kubernetes, without its v; empty when it is not there or does not tell."""
        found = known(self.facts.kubernetes, _NOTHING).part(part)
        return found.version if found else ""

    def image_tag(self, name: str) -> str:
        """The tag of an image, by its last name (`kube-apiserver`), in the static pods; empty when there is none."""
        images = known(self.facts.kubernetes, _NOTHING).images
        found = (image.rpartition("/")[2].partition(":") for image in images)
        return next((tag for last, _, tag in found if last == name), "")

    def summary(self) -> list[str]:
        """System, kernel, architecture, CPU, memory, GPU, machine and Kubernetes, for a table."""
        facts = self.facts
        gpus = [gpu.model for gpu in known(facts.gpus, ()) if gpu.accelerator]
        hardware = facts.hardware
        machine = " ".join(
            filter(None, (getattr(hardware, name, "") for name in ("vendor", "product", "board")))
        ) or str(getattr(hardware, "virtual", ""))
        kubelet = self.version_of("kubelet")
        return [
            str(getattr(facts.os, "name", "?")),
            self.kernel_release,
            self.architecture,
            str(self.cpus),
            f"{self.memory / 2**30:.1f} GiB",
            ", ".join(gpus) or "-",
            machine,
            f"kubelet {kubelet}" if kubelet else "-",
        ]


def viewed(output: str, sent: float, heard: float) -> HostView:
    """What a host answered to the script of the facts. sent, heard: seconds since the epoch by our clock."""
    facts, middle = parse(output), (sent + heard) / 2
    return HostView(facts, 0.0 if isinstance(facts.clock, Unknown) else facts.clock.epoch - middle)
