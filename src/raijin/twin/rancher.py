"""K3s and RKE2 on simulated hosts: one program that is server or agent, by its unit and the files of its configuration.

After the documentation of both ("Server configuration", "Datastore", "k3s token", "Backup and restore") and what
platforms/rancher/ says of their sources. What a start refuses is refused here too: a token that does not fit, a server
to join that does not answer, a second cluster beside one that is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from raijin.model.cluster import Cluster as Defined
from raijin.model.cluster import ClusterType
from raijin.model.names import split_endpoint
from raijin.model.version import Version
from raijin.platforms.rancher.certificates import RancherCertificates
from raijin.platforms.rancher.layout import API_PORT, NODE_FOLDER, Distribution
from raijin.transport.base import Completed
from raijin.transport.document import Document
from raijin.transport.yamls import read_yaml
from raijin.twin import addons, etcd, ranchersaves
from raijin.twin.access import AUTHORITY_DAYS, LEAF_DAYS, certificate, kubeconfig
from raijin.twin.cluster import CNI_FOLDER, Cluster
from raijin.twin.host import Host
from raijin.twin.installed import version_of
from raijin.twin.onlinux import OnLinux
from raijin.twin.run import Failed

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite

START_SECONDS, JOIN_SECONDS, AGENT_SECONDS = 35.0, 25.0, 8.0


@dataclass(frozen=True, slots=True)
class RancherTwin(OnLinux):
    """always_etcd: without a database outside it keeps the cluster in etcd, and never in SQLite."""

    type: ClusterType
    own: Distribution
    always_etcd: bool

    @property
    def static_pods(self) -> str:
        return self.own.static_pods

    def family(self, cluster: Defined) -> str:
        """SELinux is asked for where it is: its policy comes in packages for the RHEL family."""
        settings = cluster.kubernetes.k3s if self.type is ClusterType.K3S else cluster.kubernetes.rke2
        return "rhel" if settings.selinux else "debian"

    def lives(self, host: Host) -> bool:
        runs = host.runs(self.own.server_unit) or host.runs(self.own.agent_unit)
        return host.up and runs and host.entry(self.own.kubelet_kubeconfig) is not None

    def holds(self, host: Host) -> bool:
        return host.exists(self.own.etcd_member) or host.entry(self.own.sqlite) is not None

    def network_ready(self, host: Host) -> bool:
        folders = (f"{self.own.data}/agent{CNI_FOLDER}", CNI_FOLDER)
        return any(True for folder in folders for _ in host.below(folder))

    def certificates(self, host: Host) -> Mapping[str, int]:
        care = RancherCertificates(self.own)
        found = dict.fromkeys(sorted(care.renewed | care.by_itself), LEAF_DAYS)
        found |= dict.fromkeys(sorted(care.authorities), AUTHORITY_DAYS)
        return {path: days for path, days in found.items() if host.entry(path) is not None}

    def member_runs(self, host: Host) -> bool:
        return self.lives(host) and host.runs(self.own.server_unit) and self.holds(host)

    def serves(self, site: TwinSite, host: Host) -> bool:
        server = host.runs(self.own.server_unit) and host.entry(self.own.kubeconfig) is not None
        return self.lives(host) and server and site.has_quorum()

    def api_version(self, site: TwinSite) -> str:
        return next((host.text(_current(self.own)) for host in site.hosts.values() if self.serves(site, host)), "")

    def ports(self, site: TwinSite, host: Host) -> Mapping[int, str]:
        product, found = self.own.product, dict[int, str]()
        if self.lives(host):
            found |= {10248: product, 10250: product}
        if self.member_runs(host) and host.exists(self.own.etcd_member):
            found |= {2379: product, 2380: product}
        if self.serves(site, host) and site.cluster is not None:
            port = site.cluster.port
            found |= {port: product, self.own.port(port): product, 10257: product, 10259: product}
        return found

    def known_files(self, host: Host) -> Iterable[str]:
        own = self.own
        paths = (own.kubeconfig, own.data, own.etcd_member, own.sqlite, own.kubelet_kubeconfig)
        more = (own.address_pod, "/etc/systemd/system/raijin-backup.timer")
        yield from (path for path in (*paths, *more) if host.exists(path))
        yield from sorted(host.below(CNI_FOLDER))

    def perform(self, site: TwinSite, host: Host, argv: tuple[str, ...]) -> float | None:
        return ranchersaves.perform(site, host, self.own, argv)

    def script(self, site: TwinSite, host: Host, script: str) -> Completed | None:
        told = ranchersaves.read(host, script)
        if told is not None:
            return told
        if script.startswith("\n") and not host.exists(self.own.etcd_member):
            return Completed(0, "null\n", "there is no etcdctl on this host, and no etcd container runs\n", 0.2)
        return etcd.answer(site, host, script, self.own.etcd)

    def unit_changed(self, site: TwinSite, host: Host, unit: str) -> None:
        """The program starts with what its files say, or not at all. Raises Failed."""
        own, name = self.own, unit.removesuffix(".service")
        if name not in {own.server_unit, own.agent_unit} or not host.runs(name):
            return
        try:
            version, options = version_of(host, own.program), _options(own, host)
            took = self._serve(site, host, options) if name == own.server_unit else self._follow(site, host, options)
            self._become_node(site, host, options, version, server=name == own.server_unit)
        except Failed as failure:
            host.stop_unit(unit)
            raise Failed(f"{unit} did not become active", failure.output) from failure
        host.seconds += took

    def _serve(self, site: TwinSite, host: Host, options: Document) -> float:
        """A server: it goes on with its data, joins others, or founds a cluster."""
        own, cluster = self.own, site.cluster
        token = _plain(host.text(str(options["token-file"])))
        outside = "datastore-endpoint" in options
        if outside or self.holds(host):
            if cluster is None:
                cluster = self._found(site, host, options, token, outside=outside)
            elif token != cluster.settings["token"]:
                raise _refused("bootstrap data already found and encrypted with different token")
            if options.get("cluster-init") and not host.exists(own.etcd_member):
                host.write(own.etcd_member, kind="directory", mode="700")
            took = START_SECONDS
        elif "server" in options:
            cluster = self._door(site, host, str(options["server"]))
            if host.text(str(options["token-file"])).strip() != self._full_token(cluster, "server"):
                raise _refused("failed to validate token: the authority's hash or the password does not fit")
            cluster.join_etcd(host)
            host.write(own.etcd_member, kind="directory", mode="700")
            took = JOIN_SECONDS
        elif cluster is not None:
            raise _refused("a second cluster would begin here (this is a rehearsal: a real one would begin)")
        else:
            cluster, took = self._found(site, host, options, token, outside=False), START_SECONDS
            keeps = self.always_etcd or options.get("cluster-init")
            host.write(own.etcd_member if keeps else own.sqlite, kind="directory" if keeps else "file", mode="700")
            cluster.join_etcd(host)
        self._write_server(host, options, cluster)
        return took

    def _found(self, site: TwinSite, host: Host, options: Document, token: str, *, outside: bool) -> Cluster:
        port = int(options.get("https-listen-port", API_PORT))
        cluster = site.cluster = Cluster("default", port, certificate(), outside=outside)
        agent = _plain(host.text(str(options["agent-token-file"])))
        cluster.settings |= {"token": token, "agent token": agent}
        addons.namespaces(cluster)
        if "coredns" not in {name.removeprefix("rke2-") for name in options.get("disable") or ()}:
            addons.name_service(cluster, "rke2-coredns-rke2-coredns" if self.always_etcd else "coredns")
        if self.always_etcd:
            name = next(iter(options.get("cni") or ["canal"]))
            if name != "none":
                addons.network(cluster, f"rke2-{name}")
        else:
            cluster.settings["flannel"] = options.get("flannel-backend") != "none"
        return cluster

    def _door(self, site: TwinSite, host: Host, url: str) -> Cluster:
        """The cluster behind the address at which a host joins."""
        address, port = split_endpoint(url.removeprefix("https://"), 443)
        other = site.behind(host, address, port)
        if site.cluster is None or other is None or not self.serves(site, other):
            raise _refused(f"failed to get CA certs: {url}: connection refused")
        if port not in {self.own.port(site.cluster.port), site.port}:
            raise _refused(f"failed to get CA certs: nothing listens on {url}")
        return site.cluster

    def _full_token(self, cluster: Cluster, role: str) -> str:
        password = cluster.settings["token" if role == "server" else "agent token"]
        return f"K10{sha256(cluster.ca.encode()).hexdigest()}::{role}:{password}"

    def _write_server(self, host: Host, options: Document, cluster: Cluster) -> None:
        """What a server writes at each of its starts."""
        own = self.own
        agents = self._full_token(cluster, "node")
        cluster.settings["agent token"] = _plain(host.text(str(options["agent-token-file"])))
        host.write(own.kubeconfig, kubeconfig(cluster.ca, f"https://127.0.0.1:{cluster.port}"), mode="600")
        for path, text in ((own.server_token, self._full_token(cluster, "server")), (own.full_agent_token, agents)):
            host.write(path, f"{text}\n", mode="600")
        care = RancherCertificates(own)
        for path in care.renewed | care.authorities | care.by_itself:
            if path.startswith(f"{own.server_data}/"):
                host.write(path, "rehearsed\n", mode="600")

    def _follow(self, site: TwinSite, host: Host, options: Document) -> float:
        """An agent: who has joined once goes on, whoever answers."""
        if host.entry(self.own.kubelet_kubeconfig) is not None:
            return AGENT_SECONDS
        cluster = self._door(site, host, str(options["server"]))
        token = host.text(str(options["token-file"])).strip()
        if token not in {self._full_token(cluster, "node"), self._full_token(cluster, "server")}:
            raise _refused("failed to validate token: the authority's hash or the password does not fit")
        return AGENT_SECONDS

    def _become_node(self, site: TwinSite, host: Host, options: Document, version: str, *, server: bool) -> None:
        own, cluster = self.own, site.cluster
        before, now = Version.parse(host.text(_current(own))), Version.parse(version)
        if before is not None and now is not None and now.minor > before.minor + 1:
            raise _refused(f"{before} cannot go to {now}: one minor at a time")
        host.write(_current(own), version)
        pairs = (f"{own.data}/agent/{name}-kubelet.crt" for name in ("client", "serving"))
        for path in (own.kubelet_kubeconfig, f"{NODE_FOLDER}/password", f"{own.data}/bin/kubectl", *pairs):
            host.write(path, host.text(path) or "rehearsed\n", mode="600")
        if ("containers", "") not in host.things:  # static pods do not outlive their containers
            host.things |= {thing: host.tick() for thing in host.of_kind("pod")}
        if cluster is None or not site.served():
            return
        if cluster.settings.get("flannel"):
            host.write(f"{own.data}/agent{CNI_FOLDER}/10-flannel.conflist", "rehearsed\n")
            host.things |= {("link", name): True for name in ("cni0", "flannel.1")}
        taints = [_taint(text) for text in options.get("node-taint") or ()]
        cluster.register(site, host, version, control_plane=server, taints=taints)


def _current(own: Distribution) -> str:
    """Where it notes which version of it was unpacked last (there: a link)."""
    return f"{own.data}/data/current"


def _options(own: Distribution, host: Host) -> Document:
    """config.yaml and what lies beside it, in the order of the names: a later value replaces an earlier one."""
    found: Document = {}
    for path in (own.config_file, *sorted(host.below(own.drop_ins))):
        found |= read_yaml(host.text(path)) or {}
    return found


def _plain(token: str) -> str:
    """The password in a token, which may have the authority's hash and a name in front."""
    return token.strip().rpartition(":")[2]


def _taint(text: str) -> dict[str, str]:
    key, _, rest = text.partition("=")
    value, _, effect = rest.partition(":")
    return {"key": key, "value": value, "effect": effect}


def _refused(output: str) -> Failed:
    return Failed("the program ended", output)
