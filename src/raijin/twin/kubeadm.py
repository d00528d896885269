"""kubeadm on simulated hosts: what its commands check, write and start, and what static pods and kubelets then do.

After the phases of kubeadm 1.34 (`kubeadm init|join|reset|upgrade` in the reference of kubernetes.io). Preflight checks
that Raijin's own programs are there to fulfil are made, so that a plan that forgets one fails here too.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from raijin.model.cluster import ClusterType
from raijin.model.version import Version
from raijin.platforms.kubeadm import external, upgrade
from raijin.platforms.kubeadm.certificates import AUTHORITIES, KUBELET_CLIENT, RENEWED
from raijin.platforms.kubeadm.paths import (
    ADMIN_CONF,
    API_MANIFEST,
    ENCRYPTION_FILE,
    ETCD_ACCESS,
    ETCD_DATA,
    KUBELET_CONF,
    KUBERNETES,
    MANIFESTS,
    PKI,
    SUPER_ADMIN_CONF,
)
from raijin.platforms.kubeconfig import ca_hash
from raijin.transport.base import Completed
from raijin.transport.yamls import read_yamls
from raijin.twin import addons, etcd, saves, staticpods
from raijin.twin.access import AUTHORITY_DAYS, LEAF_DAYS, certificate, kubeconfig
from raijin.twin.cluster import CNI_FOLDER, CONTROL_PLANE_TAINT, Cluster
from raijin.twin.host import Host
from raijin.twin.installed import version_of
from raijin.twin.onlinux import OnLinux
from raijin.twin.run import Failed

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite

Document = dict[str, Any]
KUBELET_UNIT = "kubelet.service"
_UPLOAD = re.compile(
    r"printf '%s' (?P<text>.*) \| kubeadm init phase upload-certs --upload-certs --config /dev/stdin\n", re.S
)
_WELL_KNOWN = (
    ADMIN_CONF, KUBELET_CONF, f"{ETCD_DATA}/member", ENCRYPTION_FILE, "/etc/systemd/system/raijin-backup.timer",
)  # fmt: skip
_KEYS = (
    "ca.crt", "ca.key", "sa.pub", "sa.key", "front-proxy-ca.crt", "front-proxy-ca.key", "front-proxy-client.crt",
    "apiserver.crt", "apiserver.key", "apiserver-kubelet-client.crt", "apiserver-kubelet-client.key",
    "apiserver-etcd-client.crt", "apiserver-etcd-client.key", "etcd/ca.crt", "etcd/ca.key", "etcd/server.crt",
    "etcd/server.key", "etcd/peer.crt", "etcd/peer.key", "etcd/healthcheck-client.crt", "etcd/healthcheck-client.key",
)  # fmt: skip


class KubeadmTwin(OnLinux):
    """Upstream Kubernetes by kubeadm."""

    type = ClusterType.VANILLA
    static_pods = MANIFESTS

    def lives(self, host: Host) -> bool:
        return host.up and host.runs("kubelet") and host.runs("containerd") and host.entry(KUBELET_CONF) is not None

    def certificates(self, host: Host) -> Mapping[str, int]:
        leaves = {path: LEAF_DAYS for path in (KUBELET_CLIENT, *sorted(RENEWED)) if host.entry(path) is not None}
        # A worker has the certificate of an authority without its key: that is no business of its own.
        own = (path for path in AUTHORITIES if host.entry(f"{path.removesuffix('.crt')}.key") is not None)
        return leaves | dict.fromkeys(own, AUTHORITY_DAYS)

    def member_runs(self, host: Host) -> bool:
        manifest = host.entry(f"{MANIFESTS}/etcd.yaml") is not None
        return self.lives(host) and manifest and host.exists(f"{ETCD_DATA}/member")

    def holds(self, host: Host) -> bool:
        return host.exists(f"{ETCD_DATA}/member")

    def serves(self, site: TwinSite, host: Host) -> bool:
        return self.lives(host) and host.entry(API_MANIFEST) is not None and site.has_quorum()

    def api_version(self, site: TwinSite) -> str:
        manifests = (host.text(API_MANIFEST) for host in site.hosts.values() if self.serves(site, host))
        found = re.search(r"image: \S+:(\S+)", next(manifests, ""))
        return found[1] if found else ""

    def ports(self, site: TwinSite, host: Host) -> Mapping[int, str]:
        found: dict[int, str] = {}
        if self.lives(host):
            found |= {10248: "kubelet", 10250: "kubelet"}
        if self.member_runs(host):
            found |= {2379: "etcd", 2380: "etcd"}
        if self.serves(site, host) and site.cluster is not None:
            found |= {site.cluster.port: "kube-apiserver", 10257: "kube-controller-manager", 10259: "kube-scheduler"}
        return found

    def known_files(self, host: Host) -> Iterable[str]:
        yield from (path for path in _WELL_KNOWN if host.exists(path))
        yield from sorted(path for folder in (MANIFESTS, CNI_FOLDER) for path in host.below(folder))

    def unit_changed(self, site: TwinSite, host: Host, unit: str) -> None:
        """A kubelet that starts registers its node; one that stops leaves it behind."""
        if unit != KUBELET_UNIT or site.cluster is None or not self.lives(host) or not site.served():
            return
        role = host.entry(API_MANIFEST) is not None
        node = site.cluster.node(host.name)
        taints = (node["spec"].get("taints") or []) if node else []
        site.cluster.register(site, host, _installed(host, "kubelet"), control_plane=role, taints=taints)

    def perform(self, site: TwinSite, host: Host, argv: tuple[str, ...]) -> float | None:
        program, *words = argv
        if program == "kubeadm":
            return _kubeadm(site, host, words)
        if program == "etcdctl":
            return saves.take(site, host, words[-1]) if words[-3:-1] == ["snapshot", "save"] else None
        if program == "etcdutl" and words[:2] == ["snapshot", "restore"]:
            host.write(f"{_option(words, '--data-dir')}/member", kind="directory", mode="700")
            saves.restore(site, host, host.text(words[2]))
            return 10.0
        if program == "kubectl" and "rollout" in words and "restart" in words:
            return _served_or_fail(site, 2.0)
        return self._shell(site, host, words) if program == "sh" else None

    def _shell(self, site: TwinSite, host: Host, words: list[str]) -> float | None:
        if words[1] == upgrade.LOCALLY:
            return self.perform(site, host, tuple(words[4:]))
        if words[1] == external.EMPTY:
            return _look_outside(site)
        if "kubectl replace -f -" in words[1] and words[2] == ADMIN_CONF:
            return _served_or_fail(site, 10.0)  # encryption at rest: objects are written anew as they are
        return _point(site, host, words) if words[1].startswith("own=") and "server: " in words[1] else None

    def script(self, site: TwinSite, host: Host, script: str) -> Completed | None:
        upload = _UPLOAD.fullmatch(script)
        if upload is not None:
            return _upload(site, shlex.split(upload["text"])[0])
        return etcd.answer(site, host, script, ETCD_ACCESS)


def _look_outside(site: TwinSite) -> float:
    if site.cluster is not None:
        raise Failed("it ended with status 1", "etcd outside holds the data of a cluster already")
    return 0.5


def _served_or_fail(site: TwinSite, seconds: float) -> float:
    if not site.served():
        raise Failed("it ended with status 1", "The connection to the server was refused")
    return seconds


def _installed(host: Host, name: str) -> str:
    return version_of(host, f"/usr/local/bin/{name}")


def _documents(text: str) -> dict[str, Document]:
    return {str(document["kind"]): document for document in read_yamls(text) if document}


def _option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1] if name in words else ""


def _kubeadm(site: TwinSite, host: Host, words: list[str]) -> float | None:
    _installed(host, "kubeadm")
    ignored = next((w.partition("=")[2].split(",") for w in words if w.startswith("--ignore-preflight-errors=")), [])
    config = _option(words, "--config")
    if "phase" in words[:3]:
        return _phase(site, host, words[words.index("phase") + 1 :])
    if words[:3] == ["certs", "renew", "all"]:
        return _renew(host, config)
    if words[0] in {"init", "join"}:
        return (_init if words[0] == "init" else _join)(site, host, config, ignored)
    if words[0] == "reset":
        return _reset(site, host)
    if words[0] == "upgrade":
        leads = words[1] == "apply"
        return _upgrade(site, host, words[-1] if leads else _installed(host, "kubeadm"), leads=leads)
    return None


def _preflight(host: Host, *, control_plane: bool, ignored: list[str]) -> None:
    """kubeadm's own checks, those that Raijin is there to fulfil."""
    errors = []
    if ("swap", "") in host.things:
        errors.append("[ERROR Swap]: running with swap on is not supported")
    if not host.runs("containerd"):
        errors.append("[ERROR CRI]: container runtime is not running")
    if host.things.get(("setting", "net/ipv4/ip_forward")) != "1":
        errors.append("[ERROR FileContent--proc-sys-net-ipv4-ip_forward]: contents are not set to 1")
    absent = [tool for tool in ("conntrack", "socat") if ("package", tool) not in host.things]
    errors += [f"[ERROR FileExisting-{tool}]: {tool} not found in system path" for tool in absent]
    if host.entry(KUBELET_CONF) is not None and "FileAvailable--etc-kubernetes-kubelet.conf" not in ignored:
        errors.append("[ERROR FileAvailable--etc-kubernetes-kubelet.conf]: /etc/kubernetes/kubelet.conf already exists")
    data = host.exists(f"{ETCD_DATA}/member") and "DirAvailable--var-lib-etcd" not in ignored
    if control_plane and data:
        errors.append("[ERROR DirAvailable--var-lib-etcd]: /var/lib/etcd is not empty")
    if errors:
        raise Failed("it ended with status 1", "\n".join(errors))


def _init(site: TwinSite, host: Host, config: str, ignored: list[str]) -> float:
    _preflight(host, control_plane=True, ignored=ignored)
    documents = _documents(host.text(config))
    wanted, registration = documents["ClusterConfiguration"], documents["InitConfiguration"]["nodeRegistration"]
    version = str(wanted["kubernetesVersion"])
    if _installed(host, "kubeadm") != version:
        raise Failed("it ended with status 1", f"this kubeadm is not of the version {version}")
    port = int(documents["InitConfiguration"]["localAPIEndpoint"]["bindPort"])
    cluster = site.cluster
    if cluster is None:
        outside = "external" in wanted.get("etcd", {})
        cluster = site.cluster = Cluster(str(wanted["clusterName"]), port, certificate(), outside=outside)
        cluster.settings["endpoint"] = str(wanted["controlPlaneEndpoint"])
        staticpods.upload(cluster, documents)
        addons.namespaces(cluster)
        _addons(cluster, version)
    cluster.join_etcd(host)
    _control_plane(site, host, version, first=True)
    taints = registration.get("taints", [CONTROL_PLANE_TAINT])
    _become_node(site, host)
    cluster.register(site, host, _installed(host, "kubelet"), control_plane=True, taints=list(taints or []))
    return 40.0


def _addons(cluster: Cluster, version: str) -> None:
    addons.kube_proxy(cluster, version)
    addons.name_service(cluster)


def _control_plane(site: TwinSite, host: Host, version: str, *, first: bool) -> None:
    for name in _KEYS:
        host.write(f"{PKI}/{name}", certificate() if name == "ca.crt" else f"rehearsed {name}\n", mode="600")
    configs = [ADMIN_CONF, f"{KUBERNETES}/controller-manager.conf", f"{KUBERNETES}/scheduler.conf"]
    for path in (*configs, *([SUPER_ADMIN_CONF] if first else [])):
        host.write(path, _kubeconfig(site), mode="600")
    staticpods.write(host, version, staticpods.flags(site))
    if site.cluster is None or not site.cluster.outside:
        staticpods.write_etcd(host)
        host.write(f"{ETCD_DATA}/member", kind="directory", mode="700")


def _kubeconfig(site: TwinSite) -> str:
    cluster = site.cluster
    return kubeconfig(cluster.ca, f"https://{cluster.settings['endpoint']}") if cluster else ""


def _become_node(site: TwinSite, host: Host) -> None:
    """The files of a kubelet that has joined, and its start."""
    host.write(KUBELET_CONF, "rehearsed kubelet.conf\n", mode="600")
    host.write(f"{PKI}/ca.crt", certificate())
    staticpods.write_kubelet(site, host)
    host.write("/var/lib/kubelet/kubeadm-flags.env", "rehearsed\n")
    host.write(KUBELET_CLIENT, "rehearsed\n", mode="600")
    host.start_unit(KUBELET_UNIT)


def _join(site: TwinSite, host: Host, config: str, ignored: list[str]) -> float:
    document = _documents(host.text(config)).get("JoinConfiguration")
    if document is None:
        raise Failed("it ended with status 1", f"there is no JoinConfiguration in {config}")
    control_plane = "controlPlane" in document
    _preflight(host, control_plane=control_plane, ignored=ignored)
    cluster = site.cluster
    if cluster is None or not site.served():
        raise Failed("it ended with status 1", "couldn't validate the identity of the API server: connection refused")
    token = document["discovery"]["bootstrapToken"]
    if f"/api/v1/namespaces/kube-system/secrets/bootstrap-token-{token['token'].split('.')[0]}" not in cluster.objects:
        raise Failed(
            "it ended with status 1", "couldn't validate the identity of the API server: the token is not valid"
        )
    if token["caCertHashes"] != [ca_hash(cluster.ca.encode())]:
        raise Failed("it ended with status 1", "the certificate authority is not the one whose hash was given")
    if control_plane:
        if document["controlPlane"].get("certificateKey") != cluster.settings.get("certificate key"):
            raise Failed("it ended with status 1", "error downloading certs: the certificate key does not fit")
        _control_plane(site, host, _installed(host, "kubeadm"), first=False)
        cluster.join_etcd(host)
    _become_node(site, host)
    taints = document["nodeRegistration"].get("taints", [CONTROL_PLANE_TAINT] if control_plane else [])
    cluster.register(site, host, _installed(host, "kubelet"), control_plane=control_plane, taints=list(taints or []))
    return 25.0 if control_plane else 8.0


def _reset(site: TwinSite, host: Host) -> float:
    host.stop_unit(KUBELET_UNIT)
    for path in (*host.below(KUBERNETES), *host.below(ETCD_DATA), *host.below("/var/lib/kubelet")):
        if not path.startswith(f"{KUBERNETES}/raijin") and path != MANIFESTS:
            host.remove(path)
    host.things.pop(("containers", ""), None)
    return 6.0


def _upgrade(site: TwinSite, host: Host, version: str, *, leads: bool) -> float:
    """`kubeadm upgrade apply|node`: one minor at a time, and not before the API answers."""
    _served_or_fail(site, 0)
    wanted, tool = Version.parse(version), Version.parse(_installed(host, "kubeadm"))
    if wanted is None or tool is None or tool < wanted:
        raise Failed("it ended with status 1", f"kubeadm {tool} cannot upgrade to {version}")
    if host.entry(API_MANIFEST) is None:
        return 3.0
    found = re.search(r"image: \S+:(\S+)", host.text(API_MANIFEST))
    running = Version.parse(found[1]) if found else None
    if running is not None and wanted.minor > running.minor + 1:
        raise Failed("it ended with status 1", f"{running} cannot go to {version}: one minor at a time")
    staticpods.write(host, version, staticpods.flags(site))
    if leads and site.cluster is not None:
        _addons(site.cluster, version)
    return 60.0 if leads else 40.0


def _renew(host: Host, config: str) -> float:
    if config and not host.exists(config):
        raise Failed("it ended with status 1", f"unable to read config from {config}")
    for path in (path for path in RENEWED if host.entry(path) is not None):
        host.write(path, host.text(path), mode="600")
    host.renewals += 1
    return 4.0


_PHASES = {
    "certs": (f"{PKI}/apiserver.crt", f"{PKI}/apiserver.key"),
    "upload-config": (),
    "control-plane": tuple(f"{MANIFESTS}/{part}.yaml" for part in staticpods.PARTS),
    "etcd": (f"{MANIFESTS}/etcd.yaml",),
    "bootstrap-token": (),
    "addon": (),
    "kubelet-config": ("/var/lib/kubelet/config.yaml",),
}


def _phase(site: TwinSite, host: Host, words: list[str]) -> float | None:
    """One phase on a node that runs: it writes its files anew."""
    paths = _PHASES.get(words[0])
    if paths is None:
        return None
    config = _option(words, "--config")
    if config and not host.exists(config):
        raise Failed("it ended with status 1", f"unable to read config from {config}")
    for path in paths:
        host.write(path, host.text(path) or f"rehearsed {path}\n", mode="600")
    documents = _documents(host.text(config)) if config else {}
    if words[0] == "control-plane" and "ClusterConfiguration" in documents:
        own = staticpods.given(documents["ClusterConfiguration"])
        staticpods.write(host, str(documents["ClusterConfiguration"]["kubernetesVersion"]), own)
    if words[0] == "upload-config" and site.cluster is not None and "ClusterConfiguration" in documents:
        staticpods.upload(site.cluster, documents)
    if words[0] == "kubelet-config":
        staticpods.write_kubelet(site, host)
    return 5.0


def _point(site: TwinSite, host: Host, words: list[str]) -> float:
    """The kubeconfigs of a node name another address of the API; its kubelet is started anew."""
    for path in words[3:]:
        if host.exists(path):
            host.write(path, re.sub(r"server: \S+", f"server: {words[2]}", host.text(path)), mode="600")
    host.start_unit(KUBELET_UNIT)
    site.unit_changed(host, KUBELET_UNIT)
    return 2.0


def _upload(site: TwinSite, text: str) -> Completed:
    """kubeadm init phase upload-certs: the certificates in a Secret, for who has the key."""
    key = _documents(text)["InitConfiguration"].get("certificateKey")
    if site.cluster is None or not site.served() or not key:
        return Completed(1, "", "error execution phase upload-certs: the API does not answer\n", 0.0)
    site.cluster.settings["certificate key"] = key
    path = "/api/v1/namespaces/kube-system/secrets/kubeadm-certs"
    metadata = {"name": "kubeadm-certs", "namespace": "kube-system"}
    site.cluster.put(path, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {}})
    return Completed(0, "[upload-certs] Storing the certificates in Secret kubeadm-certs\n", "", 2.0)


TWIN = KubeadmTwin()
