"""openshift-install and oc in a rehearsal, and what is around the machines: ports, names, who fetches what is offered.

No process is started, no port is opened and no name is looked up. What is not known here is an error that names it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import yaml

from raijin.platforms.okd.assets import KUBECONFIG, PASSWORD
from raijin.platforms.okd.etcd import NAMESPACE, QUESTION
from raijin.platforms.okd.install import SCHEDULER
from raijin.transport.base import Completed
from raijin.transport.ignition import Offer
from raijin.transport.okd import INSTALLER_SECONDS, SECONDS, OkdAccess
from raijin.transport.twin import Inside
from raijin.twin import etcd, okd
from raijin.twin.access import certificate, kubeconfig
from raijin.twin.okdobjects import pointer_of
from raijin.twin.run import unknown

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite

_REMOVE = "etcdctl member remove "
_INSTALLING = ".openshift_install_state.json"


@dataclass
class Openshift(OkdAccess):
    """The programs as they are on one machine of people, in front of a simulated site."""

    site: TwinSite | None = None

    @property
    def around(self) -> TwinSite:
        if self.site is None:
            raise AssertionError("it has no site")
        return self.site

    async def oc(self, *arguments: str, timeout: float = SECONDS) -> Completed:
        """`oc exec` in the pods of etcd."""
        del timeout
        start = ("exec", "-n", NAMESPACE)
        if arguments[:3] != start or arguments[4:9] != ("-c", "etcdctl", "--", "sh", "-c"):
            raise unknown(f"`oc {' '.join(arguments)}`")
        host = self.around.hosts.get(arguments[3].removeprefix("etcd-"))
        if host is None or not self.around.served() or not self.around.platform.member_runs(host):
            return Completed(1, "", "error: unable to upgrade connection: the pod does not run\n", 1.0)
        command = arguments[9]
        if command == QUESTION:
            return etcd.told(self.around, host)
        if command.startswith(_REMOVE):
            return etcd.removed(self.around, host, command.removeprefix(_REMOVE))
        raise unknown(f"`oc exec ... {command}`")

    async def install(
        self, *arguments: str, env: Mapping[str, str] | None = None, timeout: float = INSTALLER_SECONDS
    ) -> Completed:
        """`create manifests` and `create ignition-configs` (openshift/installer, cmd/openshift-install/create.go)."""
        del env, timeout
        verb, what, *options = arguments
        folder = Path(next(word.removeprefix("--dir=") for word in options if word.startswith("--dir=")))
        steps = {("create", "manifests"): _manifests, ("create", "ignition-configs"): _configurations}
        step = steps.get((verb, what))
        if step is None:
            raise unknown(f"`openshift-install {verb} {what}`")
        await asyncio.to_thread(step, folder)
        return Completed(0, "", "", 0.0)

    async def open_ports(self, address: str, ports: Iterable[int]) -> frozenset[int]:
        """Of a machine those at which it answers; a load balancer takes connections, whoever is behind it."""
        site = self.around
        host = next((host for host in site.hosts.values() if host.address == address), None)
        if host is None:
            return frozenset(ports)
        return frozenset(ports) & site.platform.ports(site, host).keys() if host.seconds >= host.cut else frozenset()

    async def resolved(self, name: str) -> tuple[tuple[str, ...], str]:
        found = self.around.names.get(name, ())
        return found, "" if found else "Name or service not known"

    def way(self, address: tuple[str, int]) -> tuple[str, int]:
        """The load balancer leads to a machine that serves; to any, which refuses, while none does."""
        site = self.around
        hosts = [host for host in site.hosts.values() if host.up] or list(site.hosts.values())
        serving = next((host for host in hosts if site.platform.serves(site, host)), hosts[0])
        return Inside(site.machine(serving.name), address[1])

    @asynccontextmanager
    async def offering(self, port: int, offers: Mapping[str, Offer]) -> AsyncIterator[int]:
        """Whoever shall boot does so at once, as soon as people were told to see to it."""
        asyncio.get_running_loop().call_soon(self._boot, offers)
        yield port

    def _boot(self, offers: Mapping[str, Offer]) -> None:
        site = self.around
        for name, offer in offers.items():
            host = site.hosts[name]
            if okd.boot(site, host, offer.content.decode()):
                offer.fetched(host.address)
        okd.begin(site)


def _manifests(folder: Path) -> None:
    """The installer consumes install-config.yaml: it is gone afterwards, and what it said is in a file of its own."""
    config = folder / "install-config.yaml"
    (folder / _INSTALLING).write_text(config.read_text(encoding="utf-8"), encoding="utf-8")
    config.unlink()
    for name in ("manifests", "openshift"):
        (folder / name).mkdir()
    scheduler = {
        "apiVersion": "config.openshift.io/v1",
        "kind": "Scheduler",
        "metadata": {"name": "cluster"},
        "spec": {"mastersSchedulable": True},
    }
    (folder / SCHEDULER).write_text(yaml.safe_dump(scheduler), encoding="utf-8")


def _configurations(folder: Path) -> None:
    config: dict[str, Any] = yaml.safe_load((folder / _INSTALLING).read_text(encoding="utf-8"))
    scheduler = yaml.safe_load((folder / SCHEDULER).read_text(encoding="utf-8"))
    name, domain = str(config["metadata"]["name"]), str(config["baseDomain"])
    decided = {
        "name": name,
        "domain": domain,
        "schedulable": bool(scheduler["spec"]["mastersSchedulable"]),
        "masters": int(config["controlPlane"]["replicas"]),
    }
    contents = {"source": f"data:,{quote(json.dumps(decided))}"}
    files = [{"path": okd.MADE, "mode": 0o600, "contents": contents}]
    bootstrap = {"ignition": {"version": "3.2.0"}, "storage": {"files": files}}
    written = {
        "bootstrap.ign": json.dumps(bootstrap),
        "master.ign": pointer_of(name, domain, "master"),
        "worker.ign": pointer_of(name, domain, "worker"),
        KUBECONFIG: kubeconfig(certificate(), f"https://api.{name}.{domain}:6443"),
        PASSWORD: "rehearsed-password-of-nobody",
        "metadata.json": json.dumps({"clusterName": name}),
    }
    (folder / "auth").mkdir()
    for path, text in written.items():
        (folder / path).write_text(text, encoding="utf-8")
