"""kubeadm on simulated hosts: what its commands check, write and start, and what static pods and kubelets then do.

After the phases of kubeadm 1.34 (`kubeadm init|join|reset|upgrade` in the reference of kubernetes.io). Preflight checks
that Raijin's own programs are there to fulfil are made, so that a plan that forgets one fails here too.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import shlex
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from raijin.facts import etcd
from raijin.model.cluster import ClusterType
from raijin.model.version import Version
from raijin.platforms.kubeadm import external, upgrade
from raijin.platforms.kubeadm.paths import (
    ADMIN_CONF,
    API_MANIFEST,
    CRI_SOCKET,
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
from raijin.twin.cluster import CONTROL_PLANE_TAINT, Cluster, Member
from raijin.twin.host import Host
from raijin.twin.run import Failed

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite

Document = dict[str, Any]
PARTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
ETCD_VERSION = "3.6.5"
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


@cache
def certificate() -> str:
    """A certificate authority of its own, as PEM: joining hosts know a cluster by its key."""
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "rehearsal")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - dt.timedelta(days=1))
    signed = made.not_valid_after(now + dt.timedelta(days=1)).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


class KubeadmTwin:
    """Upstream Kubernetes by kubeadm."""

    type = ClusterType.VANILLA
    brings_network = False

    def lives(self, host: Host) -> bool:
        return host.up and host.runs("kubelet") and host.runs("containerd") and host.entry(KUBELET_CONF) is not None

    def member_runs(self, host: Host) -> bool:
        manifest = host.entry(f"{MANIFESTS}/etcd.yaml") is not None
        return self.lives(host) and manifest and host.exists(f"{ETCD_DATA}/member")

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
        yield from sorted(path for folder in (MANIFESTS, "/etc/cni/net.d") for path in host.below(folder))

    def unit_changed(self, site: TwinSite, host: Host, unit: str) -> None:
        """A kubelet that starts registers its node; one that stops leaves it behind."""
        if unit != KUBELET_UNIT or site.cluster is None or not self.lives(host) or not _served(self, site):
            return
        role = host.entry(API_MANIFEST) is not None
        node = site.cluster.node(host.name)
        taints = (node["spec"].get("taints") or []) if node else []
        site.cluster.register(site, host, _kubelet_version(host), control_plane=role, taints=taints)

    def static_pod(self, host: Host, name: str) -> int:
        manifest = host.entry(f"{MANIFESTS}/{name}.yaml")
        if manifest is None or not self.lives(host):
            return 0
        started = host.things.get(("pod", name))
        return max(manifest.at, started if isinstance(started, int) else 0)

    def restart_static_pod(self, host: Host, name: str) -> bool:
        if not self.static_pod(host, name):
            return False
        host.things["pod", name] = host.tick()
        return True

    def probe(self, site: TwinSite, host: Host, argv: tuple[str, ...]) -> bool | None:
        del site, host, argv
        return None

    def perform(self, site: TwinSite, host: Host, argv: tuple[str, ...]) -> float | None:
        program, *words = argv
        if program == "kubeadm":
            return _kubeadm(self, site, host, words)
        if program == "etcdctl":
            return _etcdctl(self, host, words)
        if program == "kubectl" and "rollout" in words and "restart" in words:
            return _served_or_fail(self, site, 2.0)
        return self._shell(site, host, words) if program == "sh" else None

    def _shell(self, site: TwinSite, host: Host, words: list[str]) -> float | None:
        if words[1] == upgrade.LOCALLY:
            return self.perform(site, host, tuple(words[4:]))
        if words[1] == external.EMPTY:
            return _look_outside(site)
        if "kubectl replace -f -" in words[1] and words[2] == ADMIN_CONF:
            return _served_or_fail(self, site, 10.0)  # encryption at rest: objects are written anew as they are
        return _point(site, host, words) if words[1].startswith("own=") and "server: " in words[1] else None

    def script(self, site: TwinSite, host: Host, script: str) -> Completed | None:
        if script == etcd.script(ETCD_ACCESS):
            return _members(self, site, host)
        upload = _UPLOAD.fullmatch(script)
        if upload is not None:
            return _upload(self, site, shlex.split(upload["text"])[0])
        start = f"{etcd.ETCDCTL}\nrun_etcdctl "
        if script.startswith(start):
            return _change_members(self, site, host, shlex.split(script[len(start) :]))
        return None


def _look_outside(site: TwinSite) -> float:
    if site.cluster is not None:
        raise Failed("it ended with status 1", "etcd outside holds the data of a cluster already")
    return 0.5


def _served(twin: KubeadmTwin, site: TwinSite) -> bool:
    return site.cluster is not None and any(twin.serves(site, host) for host in site.hosts.values())


def _served_or_fail(twin: KubeadmTwin, site: TwinSite, seconds: float) -> float:
    if not _served(twin, site):
        raise Failed("it ended with status 1", "The connection to the server was refused")
    return seconds


def _kubelet_version(host: Host) -> str:
    """Of the binary that is installed, by the name under which Raijin installed it (`kubelet-v1.34.2`)."""
    return _installed(host, "kubelet")


def _installed(host: Host, name: str) -> str:
    stamp = host.text(f"/var/lib/raijin/stamps/file:,usr,local,bin,{name}")
    found = re.search(rf"^= {name}-(v[0-9][^\s]*)", stamp)
    if found is None:
        raise Failed("it cannot be run (status 127)", f"{name}: not found")
    return found[1]


def _documents(text: str) -> dict[str, Document]:
    return {str(document["kind"]): document for document in read_yamls(text) if document}


def _option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1] if name in words else ""


def _kubeadm(twin: KubeadmTwin, site: TwinSite, host: Host, words: list[str]) -> float | None:
    _installed(host, "kubeadm")
    ignored = next((w.partition("=")[2].split(",") for w in words if w.startswith("--ignore-preflight-errors=")), [])
    config = _option(words, "--config")
    if "phase" in words[:3]:
        return _phase(host, words[words.index("phase") + 1 :])
    if words[0] == "init":
        return _init(site, host, config, ignored)
    if words[0] == "join":
        return _join(twin, site, host, config, ignored)
    if words[0] == "reset":
        return _reset(site, host)
    if words[0] == "upgrade":
        leads = words[1] == "apply"
        return _upgrade(twin, site, host, words[-1] if leads else _installed(host, "kubeadm"), leads=leads)
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
        for name in ("kube-system", "default", "kube-public", "kube-node-lease"):
            namespace = {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": name},
                "status": {"phase": "Active"},
            }
            cluster.put(f"/api/v1/namespaces/{name}", namespace)
        _addons(cluster, version)
    cluster.join_etcd(host)
    _control_plane(site, host, version, first=True)
    taints = registration.get("taints", [CONTROL_PLANE_TAINT])
    _become_node(host)
    cluster.register(site, host, _kubelet_version(host), control_plane=True, taints=list(taints or []))
    return 40.0


def _addons(cluster: Cluster, version: str) -> None:
    labels = {"k8s-app": "kube-proxy"}
    pod = {"containers": [{"name": "kube-proxy", "image": f"registry.k8s.io/kube-proxy:{version}"}]}
    cluster.put(
        "/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy",
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "kube-proxy", "namespace": "kube-system", "labels": labels},
            "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
        },
    )
    cluster.put(
        "/apis/apps/v1/namespaces/kube-system/deployments/coredns",
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "coredns", "namespace": "kube-system"},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"k8s-app": "kube-dns"}},
                "template": {"metadata": {"labels": {"k8s-app": "kube-dns"}}, "spec": {"containers": []}},
            },
        },
    )


def _control_plane(site: TwinSite, host: Host, version: str, *, first: bool) -> None:
    for name in _KEYS:
        host.write(f"{PKI}/{name}", certificate() if name == "ca.crt" else f"rehearsed {name}\n", mode="600")
    configs = [ADMIN_CONF, f"{KUBERNETES}/controller-manager.conf", f"{KUBERNETES}/scheduler.conf"]
    for path in (*configs, *([SUPER_ADMIN_CONF] if first else [])):
        host.write(path, _kubeconfig(site), mode="600")
    for part in PARTS:
        _manifest(host, part, f"registry.k8s.io/{part}:{version}")
    if site.cluster is None or not site.cluster.outside:
        _manifest(host, "etcd", f"registry.k8s.io/etcd:{ETCD_VERSION}-0")
        host.write(f"{ETCD_DATA}/member", kind="directory", mode="700")


def _manifest(host: Host, name: str, image: str) -> None:
    text = f"kind: Pod\nmetadata:\n  name: {name}\nspec:\n  containers:\n  - name: {name}\n    image: {image}\n"
    host.write(f"{MANIFESTS}/{name}.yaml", text, mode="600")


def _kubeconfig(site: TwinSite) -> str:
    cluster = site.cluster
    endpoint, ca = (cluster.settings["endpoint"], cluster.ca) if cluster else ("", certificate())
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "kubernetes",
                "cluster": {
                    "certificate-authority-data": base64.b64encode(ca.encode()).decode(),
                    "server": f"https://{endpoint}",
                },
            }
        ],
        "users": [{"name": "kubernetes-admin", "user": {"token": "of-a-rehearsal"}}],
        "contexts": [{"name": "admin", "context": {"cluster": "kubernetes", "user": "kubernetes-admin"}}],
        "current-context": "admin",
    }
    return yaml.safe_dump(document, sort_keys=False)


def _become_node(host: Host) -> None:
    """The files of a kubelet that has joined, and its start."""
    host.write(KUBELET_CONF, "rehearsed kubelet.conf\n", mode="600")
    host.write(f"{PKI}/ca.crt", certificate())
    for name in ("config.yaml", "kubeadm-flags.env", "pki/kubelet-client-current.pem"):
        host.write(f"/var/lib/kubelet/{name}", "rehearsed\n")
    host.start_unit(KUBELET_UNIT)


def _join(twin: KubeadmTwin, site: TwinSite, host: Host, config: str, ignored: list[str]) -> float:
    document = _documents(host.text(config)).get("JoinConfiguration")
    if document is None:
        raise Failed("it ended with status 1", f"there is no JoinConfiguration in {config}")
    control_plane = "controlPlane" in document
    _preflight(host, control_plane=control_plane, ignored=ignored)
    cluster = site.cluster
    if cluster is None or not _served(twin, site):
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
    _become_node(host)
    taints = document["nodeRegistration"].get("taints", [CONTROL_PLANE_TAINT] if control_plane else [])
    cluster.register(site, host, _kubelet_version(host), control_plane=control_plane, taints=list(taints or []))
    return 25.0 if control_plane else 8.0


def _reset(site: TwinSite, host: Host) -> float:
    host.stop_unit(KUBELET_UNIT)
    for path in (*host.below(KUBERNETES), *host.below(ETCD_DATA), *host.below("/var/lib/kubelet")):
        if not path.startswith(f"{KUBERNETES}/raijin") and path != MANIFESTS:
            host.remove(path)
    host.things.pop(("containers", ""), None)
    site.forget_dead_cluster()
    return 6.0


def _upgrade(twin: KubeadmTwin, site: TwinSite, host: Host, version: str, *, leads: bool) -> float:
    """`kubeadm upgrade apply|node`: one minor at a time, and not before the API answers."""
    _served_or_fail(twin, site, 0)
    wanted, tool = Version.parse(version), Version.parse(_installed(host, "kubeadm"))
    if wanted is None or tool is None or tool < wanted:
        raise Failed("it ended with status 1", f"kubeadm {tool} cannot upgrade to {version}")
    if host.entry(API_MANIFEST) is None:
        return 3.0
    found = re.search(r"image: \S+:(\S+)", host.text(API_MANIFEST))
    running = Version.parse(found[1]) if found else None
    if running is not None and wanted.minor > running.minor + 1:
        raise Failed("it ended with status 1", f"{running} cannot go to {version}: one minor at a time")
    for part in PARTS:
        _manifest(host, part, f"registry.k8s.io/{part}:{version}")
    if leads and site.cluster is not None:
        _addons(site.cluster, version)
    return 60.0 if leads else 40.0


_PHASES = {
    "certs": (f"{PKI}/apiserver.crt", f"{PKI}/apiserver.key"),
    "upload-config": (),
    "control-plane": tuple(f"{MANIFESTS}/{part}.yaml" for part in PARTS),
    "etcd": (f"{MANIFESTS}/etcd.yaml",),
    "bootstrap-token": (),
    "addon": (),
    "kubelet-config": ("/var/lib/kubelet/config.yaml",),
}


def _phase(host: Host, words: list[str]) -> float | None:
    """One phase on a node that runs: it writes its files anew."""
    paths = _PHASES.get(words[0])
    if paths is None:
        return None
    config = _option(words, "--config")
    if config and not host.exists(config):
        raise Failed("it ended with status 1", f"unable to read config from {config}")
    for path in paths:
        host.write(path, host.text(path) or f"rehearsed {path}\n", mode="600")
    return 5.0


def _point(site: TwinSite, host: Host, words: list[str]) -> float:
    """The kubeconfigs of a node name another address of the API; its kubelet is started anew."""
    for path in words[3:]:
        if host.exists(path):
            host.write(path, re.sub(r"server: \S+", f"server: {words[2]}", host.text(path)), mode="600")
    host.start_unit(KUBELET_UNIT)
    site.unit_changed(host, KUBELET_UNIT)
    return 2.0


def _etcdctl(twin: KubeadmTwin, host: Host, words: list[str]) -> float | None:
    if "snapshot" not in words or words[words.index("snapshot") + 1] != "save":
        return None
    if not twin.member_runs(host):
        raise Failed("it ended with status 1", "Error: context deadline exceeded")
    host.write(words[-1], "a rehearsed snapshot of etcd\n", mode="600")
    return 3.0


def _upload(twin: KubeadmTwin, site: TwinSite, text: str) -> Completed:
    """kubeadm init phase upload-certs: the certificates in a Secret, for who has the key."""
    key = _documents(text)["InitConfiguration"].get("certificateKey")
    if site.cluster is None or not _served(twin, site) or not key:
        return Completed(1, "", "error execution phase upload-certs: the API does not answer\n", 0.0)
    site.cluster.settings["certificate key"] = key
    path = "/api/v1/namespaces/kube-system/secrets/kubeadm-certs"
    metadata = {"name": "kubeadm-certs", "namespace": "kube-system"}
    site.cluster.put(path, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {}})
    return Completed(0, "[upload-certs] Storing the certificates in Secret kubeadm-certs\n", "", 2.0)


def _members(twin: KubeadmTwin, site: TwinSite, host: Host) -> Completed:
    """What the three questions of facts/etcd.py are answered with, one JSON document a line."""
    if site.cluster is None or not twin.member_runs(host) or not site.has_quorum():
        return Completed(0, "null\n", "Error: context deadline exceeded\n", 5.0)
    members = list(site.cluster.members.values())
    alive = [member for member in members if twin.member_runs(site.hosts[member.host])]
    leader = alive[0].id
    listed = [_listed(member) for member in members]
    status = [_status(member, leader) for member in alive]
    lines = [json.dumps({"members": listed}), json.dumps(status), json.dumps({"alarms": []})]
    return Completed(0, "\n".join([*lines, ""]), "", 0.2)


def _url(address: str, port: int) -> str:
    return f"https://[{address}]:{port}" if ":" in address else f"https://{address}:{port}"


def _listed(member: Member) -> Document:
    peers, clients = _url(member.address, 2380), _url(member.address, 2379)
    return {"ID": member.id, "name": member.host, "peerURLs": [peers], "clientURLs": [clients]}


def _status(member: Member, leader: int) -> Document:
    header = {"member_id": member.id, "revision": 1000}
    return {
        "Endpoint": _url(member.address, 2379),
        "Status": {"header": header, "version": ETCD_VERSION, "dbSize": 20480, "dbSizeInUse": 20480, "leader": leader},
    }


def _change_members(twin: KubeadmTwin, site: TwinSite, host: Host, words: list[str]) -> Completed | None:
    """etcdctl member remove ID."""
    if words[0] != CRI_SOCKET or "member" not in words or words[words.index("member") + 1] != "remove":
        return None
    cluster = site.cluster
    if cluster is None or not twin.member_runs(host) or not site.has_quorum():
        return Completed(1, "", "Error: context deadline exceeded\n", 5.0)
    gone = next((name for name, member in cluster.members.items() if f"{member.id:x}" == words[-1]), None)
    if gone is None:
        return Completed(1, "", "Error: etcdserver: member not found\n", 0.1)
    del cluster.members[gone]
    return Completed(0, f"Member {words[-1]} removed\n", "", 0.5)


TWIN = KubeadmTwin()
