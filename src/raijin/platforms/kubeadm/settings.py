"""kubeadm's settings on nodes that run already: what of the definition a node follows, and how it is brought there.

After "Reconfiguring a kubeadm cluster" of kubernetes.io. Each part has a marker on the host that says which settings it
follows; a start, a join and an upgrade leave the same markers, so that a plan is empty until a setting changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from raijin.model.version import Version
from raijin.operations.base import Operation
from raijin.operations.command import Command
from raijin.operations.directory import Directory
from raijin.operations.file import File
from raijin.operations.program import Program
from raijin.platforms.addresses import api_endpoint, node_address
from raijin.platforms.base import Context, Node
from raijin.platforms.kubeadm import apiserver
from raijin.platforms.kubeadm.config import Document, kubelet_configuration, running_documents, to_yaml
from raijin.platforms.kubeadm.paths import (
    ADMIN_CONF,
    CONFIG_FILE,
    FOLDER,
    KUBELET_CONF,
    PKI,
    SUPER_ADMIN_CONF,
)

SECONDS = 300
# What of ClusterConfiguration is no business of the manifests: it has a part of its own, or it cannot change.
_ELSEWHERE = frozenset(
    {
        "apiVersion",
        "kind",
        "kubernetesVersion",
        "controlPlaneEndpoint",
        "networking",
        "proxy",
        "etcd",
        "certificateValidityPeriod",
    }
)
_PHASE = ("kubeadm", "init", "phase")
_CONFIG = ("--config", CONFIG_FILE)
# $0: the new endpoint, own: the node's address. A kubelet that talks to the API server of its own host stays with it.
_POINT = (
    'for f in "$@"; do [ ! -e "$f" ] || sed -i "/server: https:..$own:/!s|^    server: .*|    server: $0|" "$f"; done; '
    "systemctl restart kubelet"
)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the settings. marker: of the host. value: of the settings, short. once: one host does it for all."""

    marker: str
    value: str
    title: str
    command: tuple[str, ...]
    once: bool = False


def configure(context: Context, node: Node, *, config: bool = True) -> Program:
    """Bring a node that is a member to the settings of the definition. config: kubeadm's file is written too."""
    operations: list[Operation] = [*_file(context, node)] if config and node.control_plane else []
    operations += apiserver.files(context) if node.control_plane else ()
    for part in _parts(context, node):
        mine = not part.once or node.name == context.first.name
        command = part.command if mine else ("true",)
        operations.append(Command(part.title, command, marker=part.marker, value=part.value, timeout=SECONDS))
    if node.control_plane:
        operations += apiserver.renewed(context)
        operations.append(apiserver.answers(context))
    return Program("follow the settings", context.cluster.name, tuple(operations))


def noted(context: Context, node: Node) -> tuple[Operation, ...]:
    """For the end of a start or a join: the node follows the settings now."""
    parts = (Command(f"note: {p.title}", ("true",), marker=p.marker, value=p.value) for p in _parts(context, node))
    return (*(_file(context, node) if node.control_plane else ()), *parts)


def file_at(context: Context, node: Node, version: Version) -> tuple[Operation, ...]:
    """kubeadm's file on a control plane host that goes to this version."""
    if not node.control_plane:
        return ()
    return _file(replace(context, cluster=context.cluster.model_copy(update={"version": str(version)})), node)


def _file(context: Context, node: Node) -> tuple[Operation, ...]:
    text = to_yaml(running_documents(context, node))
    return (Directory(FOLDER, mode="700"), File(CONFIG_FILE, text, mode="600"))


def _parts(context: Context, node: Node) -> Iterable[Part]:
    endpoint, documents = api_endpoint(context), dict[str, Document]()
    if node.control_plane:  # of all the others a worker follows nothing
        documents = {str(document["kind"]): document for document in running_documents(context, node)}
        yield from _control_plane(context, documents["ClusterConfiguration"])
        upload = (*_PHASE, "upload-config", "all", *_CONFIG)
        everything = [without(document, "kubernetesVersion", "apiVersion") for document in documents.values()]
        shared = [document for document in everything if document["kind"] != "InitConfiguration"]
        yield Part("settings-uploaded", digest(shared), "put the settings into the cluster", upload, once=True)
    kubelet = "kubeadm upgrade node phase kubelet-config && systemctl restart kubelet"
    wanted = digest(kubelet_configuration(context.cluster))
    yield Part("settings-kubelet", wanted, "configure the kubelet", ("sh", "-c", kubelet))
    files = (KUBELET_CONF, *((ADMIN_CONF, SUPER_ADMIN_CONF) if node.control_plane else ()))
    point = ("sh", "-c", f"own={node_address(node)}; {_POINT}", f"https://{endpoint}", *files)
    yield Part("settings-endpoint", endpoint, "use the address of the API", point)
    if node.control_plane:
        yield from _in_the_cluster(documents, endpoint)


def _control_plane(context: Context, cluster: Document) -> Iterable[Part]:
    names = sorted(map(str, cluster.get("apiServer", {}).get("certSANs") or ()))
    remake = (
        f"rm -f {PKI}/apiserver.crt {PKI}/apiserver.key && kubeadm init phase certs apiserver --config {CONFIG_FILE}"
    )
    yield Part(
        "settings-names",
        digest([names, api_endpoint(context)]),
        "make a certificate with the names of the API server",
        ("sh", "-c", remake),
    )
    manifests = {key: value for key, value in cluster.items() if key not in _ELSEWHERE}
    manifests["apiServer"] = without(manifests.get("apiServer") or {}, "certSANs")
    port = context.cluster.kubernetes.api_server_port
    yield Part(
        "settings-control-plane",
        digest([manifests, port]),
        "configure the control plane",
        (*_PHASE, "control-plane", "all", *_CONFIG),
    )
    if "external" not in (cluster.get("etcd") or {}):
        yield Part(
            "settings-etcd", digest(cluster.get("etcd") or {}), "configure etcd", (*_PHASE, "etcd", "local", *_CONFIG)
        )


def _in_the_cluster(documents: Mapping[str, Document], endpoint: str) -> Iterable[Part]:
    """What one control plane host does for all, where the cluster keeps it."""
    token = (*_PHASE, "bootstrap-token", *_CONFIG)
    yield Part("settings-cluster-info", endpoint, "tell those who join the address of the API", token, once=True)
    proxy = documents.get("KubeProxyConfiguration")
    if proxy is not None:
        restart = f"kubectl --kubeconfig {ADMIN_CONF} -n kube-system rollout restart daemonset kube-proxy"
        again = f"{' '.join((*_PHASE, 'addon', 'kube-proxy', *_CONFIG))} && {restart}"
        yield Part("settings-proxy", digest([proxy, endpoint]), "configure kube-proxy", ("sh", "-c", again), once=True)


def without(document: Mapping[str, object], *keys: str) -> Document:
    return {key: value for key, value in document.items() if key not in keys}


def digest(value: object) -> str:
    """Short, and the same for settings that mean the same in any version of kubeadm's configuration."""
    return hashlib.sha256(json.dumps(_plain(value), sort_keys=True).encode()).hexdigest()[:16]


def _plain(value: object) -> object:
    """Extra arguments are a mapping in v1beta3 and a list of names and values in v1beta4."""
    if isinstance(value, Mapping):
        return {str(key): _arguments(item) if key == "extraArgs" else _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _arguments(value: object) -> object:
    pairs = value.items() if isinstance(value, Mapping) else ((i["name"], i["value"]) for i in _list(value))
    return sorted([str(name), str(text)] for name, text in pairs)


def _list(value: object) -> Iterable[Mapping[str, object]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
