"""What a simulated OKD cluster says of itself: version, operators, pools of machines, requests for certificates."""

from __future__ import annotations

import base64
import io
import ipaddress
import tarfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from raijin.model.version import Version
from raijin.platforms.okd import approval, backup
from raijin.platforms.okd.calls import BOOTSTRAP
from raijin.platforms.okd.operators import OPERATORS, POOLS
from raijin.transport.base import Completed
from raijin.transport.document import Document
from raijin.twin import saves
from raijin.twin.cluster import Cluster
from raijin.twin.host import Host
from raijin.twin.run import Failed

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite

CONFIG = "/apis/config.openshift.io/v1"
VERSION = f"{CONFIG}/clusterversions/version"
NAMESPACES = ("openshift-config", "openshift-etcd", "openshift-machine-api", "openshift-ovn-kubernetes")
KINDS = {
    ("config.openshift.io", "clusterversions"): ("ClusterVersion", False),
    ("config.openshift.io", "clusteroperators"): ("ClusterOperator", False),
    ("config.openshift.io", "schedulers"): ("Scheduler", False),
    ("machineconfiguration.openshift.io", "machineconfigpools"): ("MachineConfigPool", False),
    ("operator.openshift.io", "etcds"): ("Etcd", False),
}
_OPERATORS = ("authentication", "etcd", "ingress", "kube-apiserver", "machine-config", "network")
_AHEAD = 13
"""Kubernetes 1.(n + 13) is in OKD 4.n."""


def kubernetes_of(version: str) -> str:
    found = Version.parse(version)
    return f"v1.{found.minor + _AHEAD}.0" if found else ""


def running(cluster: Cluster) -> str:
    return str(cluster.settings["version"])


def _named(api: str, kind: str, name: str, **fields: Any) -> Document:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **fields}


def found(cluster: Cluster, version: str) -> None:
    """The objects of a cluster that has just been made."""
    cluster.kinds |= KINDS
    cluster.settings["version"] = _plain(version)
    config, machines = "config.openshift.io/v1", "machineconfiguration.openshift.io/v1"
    cluster.put(VERSION, _named(config, "ClusterVersion", "version", spec={"channel": "stable-scos-4"}))
    scheduler = {"mastersSchedulable": bool(cluster.settings["schedulable"])}
    cluster.put(f"{CONFIG}/schedulers/cluster", _named(config, "Scheduler", "cluster", spec=scheduler))
    cluster.put(
        "/apis/operator.openshift.io/v1/etcds/cluster", _named("operator.openshift.io/v1", "Etcd", "cluster", spec={})
    )
    for pool in ("master", "worker"):
        cluster.put(f"{POOLS}/{pool}", _named(machines, "MachineConfigPool", pool, spec={}))
        secret = _named(
            "v1", "Secret", f"{pool}-user-data-managed", data={"userData": _encoded(pointer(cluster, pool))}
        )
        secret["metadata"]["namespace"] = "openshift-machine-api"
        cluster.put(f"/api/v1/namespaces/openshift-machine-api/secrets/{pool}-user-data-managed", secret)
    ended: Document = {**BOOTSTRAP, "data": {"status": "complete"}}
    cluster.put("/api/v1/namespaces/kube-system/configmaps/bootstrap", ended)


def pointer(cluster: Cluster, role: str) -> str:
    return pointer_of(str(cluster.settings["name"]), str(cluster.settings["domain"]), role)


def pointer_of(name: str, domain: str, role: str) -> str:
    """master.ign or worker.ign: they lead to the machine config server."""
    source = f"https://api-int.{name}.{domain}:22623/config/{role}"
    return f'{{"ignition":{{"config":{{"merge":[{{"source":"{source}"}}]}},"version":"3.2.0"}}}}'


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _plain(version: str) -> str:
    return version.removeprefix("v")


def report(site: TwinSite, cluster: Cluster) -> None:
    """Operators, pools and the version, by what the machines are now. The ingress needs a node that takes pods."""
    nodes = list(cluster.nodes())
    open_ = [n for n in nodes if not n["spec"].get("taints") and not cluster.ready(site, str(n["metadata"]["name"]))]
    for name in _OPERATORS:
        whole = name != "ingress" or bool(open_)
        told = {"Available": whole, "Progressing": not whole, "Degraded": False}
        conditions = [{"type": kind, "status": str(value)} for kind, value in told.items()]
        document = _named("config.openshift.io/v1", "ClusterOperator", name, status={"conditions": conditions})
        cluster.put(f"{OPERATORS}/{name}", document)
    for pool in ("master", "worker"):
        status = {"conditions": [{"type": "Updated", "status": "True"}, {"type": "Degraded", "status": "False"}]}
        cluster.put(f"{POOLS}/{pool}", {**cluster.objects[f"{POOLS}/{pool}"], "status": status})
    cluster.settings["stands"] = cluster.settings.get("stands") or bool(open_)
    _tell_version(site, cluster)


def _tell_version(site: TwinSite, cluster: Cluster) -> None:
    version, wanted = running(cluster), _plain(site.version)
    state = "Completed" if cluster.settings["stands"] else "Partial"
    before = [{"version": old, "state": "Completed"} for old in cluster.settings.get("before", ())]
    offered = [] if wanted == version else [{"version": wanted, "image": f"quay.io/okd/rehearsed:{wanted}"}]
    status = {
        "desired": {"version": version},
        "history": [{"version": version, "state": state}, *before],
        "availableUpdates": offered,
        "conditions": [{"type": "Available", "status": str(state == "Completed")}],
    }
    cluster.put(VERSION, {**cluster.objects[VERSION], "status": status})


def upgraded(cluster: Cluster, wanted: str) -> bool:
    """Whether somebody told it to be another version: it is that now. A release by its digest is the wanted one."""
    update = (cluster.objects[VERSION].get("spec") or {}).get("desiredUpdate") or {}
    goal = str(update.get("version") or (_plain(wanted) if update.get("image") else ""))
    if not goal or goal == running(cluster):
        return False
    cluster.settings["before"] = [running(cluster), *cluster.settings.get("before", ())]
    cluster.settings["version"] = goal
    return True


def ask(cluster: Cluster, host: Host, *, serving: bool) -> None:
    """A kubelet asks for a certificate: with the token of the bootstrap, or as the node that it is."""
    signer = approval.SERVING if serving else approval.CLIENT
    usage = "server auth" if serving else "client auth"
    groups = [approval.NODES, approval.AUTHENTICATED] if serving else sorted(approval.BOOTSTRAPPER_GROUPS)
    spec = {
        "signerName": signer,
        "username": f"{approval.NODE}{host.name}" if serving else approval.BOOTSTRAPPER,
        "groups": groups,
        "usages": ["digital signature", usage],
        "request": _request(host, serving=serving),
    }
    cluster.serial += 1
    name = f"csr-{cluster.serial}"
    document = _named("certificates.k8s.io/v1", "CertificateSigningRequest", name, spec=spec, status={})
    cluster.put(f"{approval.API}/{name}", document)


def _request(host: Host, *, serving: bool) -> str:
    from cryptography import x509  # noqa: PLC0415  (a slow import, for few uses)
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    names = ((NameOID.ORGANIZATION_NAME, approval.NODES), (NameOID.COMMON_NAME, f"{approval.NODE}{host.name}"))
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in names])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if serving:
        own = [x509.DNSName(host.name), x509.IPAddress(ipaddress.ip_address(host.address))]
        builder = builder.add_extension(x509.SubjectAlternativeName(own), critical=False)
    made = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return base64.b64encode(made.public_bytes(serialization.Encoding.PEM)).decode()


def signed(cluster: Cluster) -> Iterator[tuple[str, bool]]:
    """The nodes whose requests were approved since this was asked last, and whether it is for serving."""
    for path in [path for path in cluster.objects if path.startswith(f"{approval.API}/")]:
        document = cluster.objects[path]
        status = document.get("status") or {}
        if status.get("conditions") and not status.get("certificate"):
            document["status"] = {**status, "certificate": "rehearsed"}
            verdict = approval.judge(document, {}, ())
            yield verdict.node, verdict.serving


def back_up(site: TwinSite, host: Host) -> Completed:
    """What cluster-backup.sh makes, packed: a real archive, because a person's machine opens it."""
    try:
        entries = {"etcd.db": saves.taken(site, host).encode(), f"okd/{backup.RESOURCES}": b"rehearsed\n"}
    except Failed as failed:
        return Completed(1, "", f"{failed.output}\n", 5.0)
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        for name, content in entries.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(content), int(host.epoch), 0o600
            tar.addfile(entry, io.BytesIO(content))
    host.write(backup.PACKED, sink.getvalue().decode("latin-1"), mode="600")
    return Completed(0, "", "", 20.0)
