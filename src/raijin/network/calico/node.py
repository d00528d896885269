"""calico-node on every node, and the plugin that it installs. After manifests/calico.yaml and its variants of v3.32."""

from __future__ import annotations

import json
from collections.abc import Iterable

from raijin.network import documents as data
from raijin.network.calico.images import NODE, PLUGIN, image
from raijin.network.calico.rights import NAMESPACE
from raijin.network.cni import Document, Wanted

HEALTH_PORT = 9099
_NODE_NAME = "spec.nodeName"
_LAST_WORDS = {"terminationMessagePolicy": "FallbackToLogsOnError"}
_PRIVILEGED = {"securityContext": {"privileged": True}, **_LAST_WORDS}

VOLUMES = (
    data.host_path("lib-modules", "/lib/modules"),
    data.host_path("var-run-calico", "/var/run/calico", "DirectoryOrCreate"),
    data.host_path("var-lib-calico", "/var/lib/calico", "DirectoryOrCreate"),
    data.host_path("xtables-lock", "/run/xtables.lock", "FileOrCreate"),
    data.host_path("sys-fs", "/sys/fs/", "DirectoryOrCreate"),
    data.host_path("bpffs", "/sys/fs/bpf", "Directory"),
    data.host_path("nodeproc", "/proc"),
    data.host_path("cni-bin-dir", "/opt/cni/bin", "DirectoryOrCreate"),
    data.host_path("cni-net-dir", "/etc/cni/net.d"),
    data.host_path("cni-log-dir", "/var/log/calico/cni"),
    data.host_path("policysync", "/var/run/nodeagent", "DirectoryOrCreate"),
)


def daemon_set(
    name: str, init: Iterable[Document], containers: Iterable[Document], volumes: Iterable[Document], stamp: str = ""
) -> Document:
    """The pods of every node, whose account has the DaemonSet's name."""
    labels = {"k8s-app": name}
    notes = {"annotations": {data.CONFIGURATION_NOTE: stamp}} if stamp else {}
    pod: Document = {
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "hostNetwork": True,
        "tolerations": [
            {"effect": "NoSchedule", "operator": "Exists"},
            {"key": "CriticalAddonsOnly", "operator": "Exists"},
            {"effect": "NoExecute", "operator": "Exists"},
        ],
        "serviceAccountName": name,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": 0,
        "priorityClassName": "system-node-critical",
        "initContainers": list(init),
        "containers": list(containers),
        "volumes": list(volumes),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": data.metadata(name, NAMESPACE, labels),
        "spec": {
            "selector": {"matchLabels": labels},
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
            "template": {"metadata": {"labels": labels, **notes}, "spec": pod},
        },
    }


def installer(wanted: Wanted, file: str, chain: Document, further: Iterable[Document] = ()) -> Document:
    """The container that puts the plugin and its configuration on the node."""
    return {
        "name": "install-cni",
        "image": image(wanted, PLUGIN),
        "imagePullPolicy": "IfNotPresent",
        "command": ["/opt/cni/bin/install"],
        "env": [
            *data.values({"CNI_CONF_NAME": file, "CNI_NETWORK_CONFIG": json.dumps(chain, indent=2)}),
            data.from_field("KUBERNETES_NODE_NAME", _NODE_NAME),
            *data.values({"SLEEP": "false"}),
            *further,
            *api(wanted),
        ],
        "volumeMounts": [
            data.mount("cni-bin-dir", "/host/opt/cni/bin"),
            data.mount("cni-net-dir", "/host/etc/cni/net.d"),
        ],
        **_PRIVILEGED,
    }


def chain_of(addresses: Document, mtu: int) -> Document:
    """The plugins in a row; the installer fills in what stands between underscores.

    addresses: who gives them. mtu: of pods, in bytes; 0: what calico-node finds.
    """
    calico: Document = {
        "type": "calico",
        "log_level": "info",
        "log_file_path": "/var/log/calico/cni/cni.log",
        "datastore_type": "kubernetes",
        "nodename": "__KUBERNETES_NODE_NAME__",
        "mtu": mtu,
        "ipam": addresses,
        "policy": {"type": "k8s"},
        "kubernetes": {"kubeconfig": "__KUBECONFIG_FILEPATH__"},
    }
    portmap = {"type": "portmap", "snat": True, "capabilities": {"portMappings": True}}
    return {"name": "k8s-pod-network", "cniVersion": "0.3.1", "plugins": [calico, portmap]}


def mounts_bpf(wanted: Wanted) -> Document:
    """The container that mounts what eBPF programs are kept in, where the host has not."""
    return {
        "name": "mount-bpffs",
        "image": image(wanted, NODE),
        "imagePullPolicy": "IfNotPresent",
        "command": ["calico-node", "-init", "-best-effort"],
        "volumeMounts": [
            data.mount("sys-fs", "/sys/fs", mountPropagation="Bidirectional"),
            data.mount("var-run-calico", "/var/run/calico", mountPropagation="Bidirectional"),
            data.mount("nodeproc", "/nodeproc", readOnly=True),
        ],
        **_PRIVILEGED,
    }


def agent(wanted: Wanted, environment: Iterable[Document], *, bird: bool) -> Document:
    """calico-node itself: Felix, and BIRD where routes are told by BGP."""
    probes = [["-felix-live", "-felix-ready"], *([["-bird-live", "-bird-ready"]] if bird else [])]
    live, ready = (["/bin/calico-node", *(pair[turn] for pair in probes)] for turn in (0, 1))
    return {
        "name": "calico-node",
        "image": image(wanted, NODE),
        "imagePullPolicy": "IfNotPresent",
        "env": [
            *data.values({"DATASTORE_TYPE": "kubernetes", "WAIT_FOR_DATASTORE": "true"}),
            data.from_field("NODENAME", _NODE_NAME),
            *environment,
            *data.values({"CALICO_DISABLE_FILE_LOGGING": "true"}),
            *api(wanted),
        ],
        "resources": {"requests": {"cpu": "250m"}},
        "lifecycle": {"preStop": {"exec": {"command": ["/bin/calico-node", "-shutdown"]}}},
        "livenessProbe": {
            "exec": {"command": live},
            "periodSeconds": 10,
            "initialDelaySeconds": 10,
            "failureThreshold": 6,
            "timeoutSeconds": 10,
        },
        "readinessProbe": {"exec": {"command": ready}, "periodSeconds": 10, "timeoutSeconds": 10},
        "volumeMounts": [
            data.mount("cni-net-dir", "/host/etc/cni/net.d"),
            data.mount("lib-modules", "/lib/modules", readOnly=True),
            data.mount("xtables-lock", "/run/xtables.lock"),
            data.mount("var-run-calico", "/var/run/calico"),
            data.mount("var-lib-calico", "/var/lib/calico"),
            data.mount("policysync", "/var/run/nodeagent"),
            data.mount("bpffs", "/sys/fs/bpf"),
            data.mount("cni-log-dir", "/var/log/calico/cni", readOnly=True),
        ],
        **_PRIVILEGED,
    }


def api(wanted: Wanted) -> list[Document]:
    """Where the API servers are, for programs that must reach them before the addresses of services work."""
    host, port = wanted.api
    return data.values({"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": str(port)}) if host else []
