"""OKD on simulated machines: what a machine is by the Ignition configuration that it fetched, and what a cluster makes
of its machines by itself.

After "Installing a user-provisioned cluster on bare metal" and "Replacing an unhealthy etcd member" of the OKD
documentation. openshift.py has the programs by which it is done, okdobjects.py what the cluster says of itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from raijin.model.cluster import Cluster as Defined
from raijin.model.cluster import ClusterType
from raijin.platforms.okd import backup
from raijin.platforms.okd.look import API, CONFIG_SERVER, ETCD, KUBELET, SSH
from raijin.platforms.okd.settings import faults, names_of, wanted_addresses
from raijin.transport.base import Completed
from raijin.transport.okd import OkdTarget
from raijin.transport.pool import Target
from raijin.twin import addons, okdobjects
from raijin.twin.access import certificate
from raijin.twin.bycalls import ByCallsTwin
from raijin.twin.cluster import CONTROL_PLANE_TAINT, KUBELET_SERVING, Cluster
from raijin.twin.commands import succeeds
from raijin.twin.host import Host

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite

IGNITION = "/etc/.ignition-result.json"
ETCD_MEMBER = "/var/lib/etcd/member"
KUBELET_CONF = "/var/lib/kubelet/kubeconfig"
BOOTKUBE_DONE = "/opt/openshift/.bootkube.done"
MADE = "/opt/openshift/rehearsed.json"
"""In the configuration of the bootstrap machine: what the installer decided."""
INSTALL_SECONDS = 600.0
ELSEWHERE = ("192.0.2.250",)
"""Where a load balancer is of which the definition says nothing."""
_SWITCH_OFF = re.compile(r"(?P<proof>test .*) \|\| exit 65\nsystemctl --no-block poweroff\n")
_ROLE = re.compile(r"/config/(master|worker)")


class OkdTwin(ByCallsTwin):
    """OKD."""

    type = ClusterType.OKD

    def names(self, cluster: Defined) -> Mapping[str, tuple[str, ...]]:
        if any(faults(cluster)):
            return {}  # the plan refuses it
        return {name: wanted_addresses(cluster, which) or ELSEWHERE for which, name in names_of(cluster).items()}

    def lives(self, host: Host) -> bool:
        return host.up and host.entry(KUBELET_CONF) is not None

    def holds(self, host: Host) -> bool:
        return host.exists(ETCD_MEMBER)

    def member_runs(self, host: Host) -> bool:
        return self.lives(host) and self.holds(host)

    def serves(self, site: TwinSite, host: Host) -> bool:
        return self.member_runs(host) and site.has_quorum()

    def api_version(self, site: TwinSite) -> str:
        return okdobjects.kubernetes_of(site.version)

    def keeps(self, host: Host) -> bool:
        return host.entry(IGNITION) is not None

    def ports(self, site: TwinSite, host: Host) -> Mapping[int, str]:
        found: dict[int, str] = {}
        if host.up and host.entry(IGNITION) is not None:
            found[SSH] = "sshd"
        if self.lives(host):
            found[KUBELET] = "kubelet"
        if self.member_runs(host):
            found[ETCD] = "etcd"
        if self.serves(site, host):
            found |= {API: "kube-apiserver", CONFIG_SERVER: "machine-config-server"}
        return found

    def outside(self, site: TwinSite, targets: Mapping[str, Target]) -> Mapping[str, Target]:
        from raijin.twin.openshift import Openshift  # noqa: PLC0415  (it is about machines of this kind)

        made: dict[str, Target] = {}
        access: Openshift | None = None
        for name, target in targets.items():
            if isinstance(target, OkdTarget):
                real = target.access
                access = access or Openshift(
                    real.cluster, real.tool, real.kubeconfig, real.kept, real.names, site=site
                )  # one for all: the API is asked once
                address = site.hosts[name].address
                made[name] = replace(target, access=access, machine=site.machine(name), address=address)
        return made

    def script(self, site: TwinSite, host: Host, script: str) -> Completed | None:
        """What Raijin does over SSH: a machine is switched off, a backup is made and taken away."""
        off = _SWITCH_OFF.fullmatch(script)
        if off is not None:
            if not succeeds(site, host, off["proof"].split()):
                return Completed(65, "", "", 0.1)
            host.up, host.off = False, True
            return Completed(0, "", "", 1.0)
        if script == backup.MAKE:
            return okdobjects.back_up(site, host)
        if script == f"rm -rf {backup.FOLDER}\n":
            host.remove(backup.FOLDER)
            return Completed(0, "", "", 0.1)
        return None

    def moved(self, site: TwinSite) -> None:
        """What follows by itself from a change that came by the API."""
        cluster = site.cluster
        if cluster is None:
            return
        for node, serving in okdobjects.signed(cluster):
            host = site.hosts.get(node)
            if host is None or not host.up:
                continue
            if serving:
                _serve_kubelet(host)
            else:
                _become_node(site, cluster, host)
                okdobjects.ask(cluster, host, serving=True)
        if okdobjects.upgraded(cluster, site.version):
            for host in site.hosts.values():
                if self.lives(host):
                    _register(site, cluster, host)
        okdobjects.report(site, cluster)


def role_of(host: Host) -> str:
    """bootstrap, master or worker, by the configuration that it fetched; empty without."""
    text = host.text(IGNITION)
    found = _ROLE.search(text)
    return found[1] if found else "bootstrap" if text else ""


def boot(site: TwinSite, host: Host, configuration: str) -> bool:
    """Somebody boots a machine, which fetches its configuration and installs itself; False where it cannot be."""
    if host.off:
        host.up, host.off = True, False
    if not host.up or host.seconds < host.cut:
        return False
    if host.entry(IGNITION) is not None and (host.entry(KUBELET_CONF) is not None or site.cluster is None):
        return True  # it is what it is: nothing is installed twice
    host.wipe()
    host.boot += 1
    host.seconds += INSTALL_SECONDS * host.slow
    host.write(IGNITION, configuration, mode="600")
    if site.cluster is not None:
        okdobjects.ask(site.cluster, host, serving=False)
    return True


def begin(site: TwinSite) -> None:
    """The bootstrap: with a majority of the control plane machines it makes etcd and the cluster, and ends."""
    hosts = [host for host in site.hosts.values() if host.up]
    first = next((host for host in hosts if role_of(host) == "bootstrap"), None)
    masters = [host for host in hosts if role_of(host) == "master"]
    if site.cluster is not None or first is None:
        return
    decided = _decided(first)
    if len(masters) <= int(decided["masters"]) // 2:
        return
    cluster = site.cluster = Cluster(str(decided["name"]), API, certificate())
    cluster.settings |= decided
    addons.namespaces(cluster, okdobjects.NAMESPACES)
    addons.network(cluster, "ovnkube-node", "openshift-ovn-kubernetes")
    okdobjects.found(cluster, site.version)
    for host in masters:
        _become_node(site, cluster, host)
        _serve_kubelet(host)
    first.write(BOOTKUBE_DONE)
    okdobjects.report(site, cluster)


def _decided(bootstrap: Host) -> dict[str, Any]:
    files = json.loads(bootstrap.text(IGNITION))["storage"]["files"]
    source = next(file["contents"]["source"] for file in files if file["path"] == MADE)
    found: dict[str, Any] = json.loads(unquote(str(source).removeprefix("data:,")))
    return found


def _become_node(site: TwinSite, cluster: Cluster, host: Host) -> None:
    host.write(KUBELET_CONF, "rehearsed\n", mode="600")
    if role_of(host) == "master":
        cluster.join_etcd(host)
        host.write(ETCD_MEMBER, kind="directory", mode="700")
    _register(site, cluster, host)


def _serve_kubelet(host: Host) -> None:
    host.write(KUBELET_SERVING, "rehearsed\n", mode="600")


def _register(site: TwinSite, cluster: Cluster, host: Host) -> None:
    plane = role_of(host) == "master"
    taints = [CONTROL_PLANE_TAINT] if plane and not cluster.settings["schedulable"] else []
    version = okdobjects.kubernetes_of(okdobjects.running(cluster))
    cluster.register(site, host, version, control_plane=plane, taints=taints)


TWIN = OkdTwin()
