"""The agent on every node, and the containers that prepare the node for it."""

from __future__ import annotations

from raijin.network import documents as data
from raijin.network.cilium.configuration import HUBBLE_PORT, TLS_FOLDER
from raijin.network.cilium.names import (
    AGENT,
    CONFIG_MAP,
    IMAGE,
    LAST_WORDS,
    NAMESPACE,
    SERVER_SECRET,
    labels,
    whereabouts,
)
from raijin.network.cni import Document, Wanted

HEALTH_PORT = 9879
FIRST_WITH_APPARMOR_FIELD = 30
"""The first minor of Kubernetes with `securityContext.appArmorProfile`; before it, annotations say the same."""
_SELINUX = {"level": "s0", "type": "spc_t"}
_CONFINED = ("cilium-agent", "mount-cgroup", "apply-sysctl-overwrites", "clean-cilium-state")
_AGENT_RIGHTS = (
    "CHOWN KILL NET_ADMIN NET_RAW IPC_LOCK SYS_MODULE SYS_ADMIN SYS_RESOURCE DAC_OVERRIDE FOWNER SETGID SETUID SYSLOG"
)
_BPF = "/sys/fs/bpf"


def daemon_set(wanted: Wanted, stamp: str) -> Document:
    relay = wanted.cluster.network.cni.cilium.hubble.relay
    selector = {"k8s-app": AGENT}
    own = {**selector, **labels("cilium-agent")}
    security: Document = {"seccompProfile": {"type": "Unconfined"}}
    notes = {data.CONFIGURATION_NOTE: stamp}
    if wanted.cluster.kubernetes_version.minor >= FIRST_WITH_APPARMOR_FIELD:
        security["appArmorProfile"] = {"type": "Unconfined"}
    else:
        notes |= {f"container.apparmor.security.beta.kubernetes.io/{name}": "unconfined" for name in _CONFINED}
    pod: Document = {
        "securityContext": security,
        "initContainers": _preparing(wanted),
        "containers": [_agent(wanted, relay=relay)],
        "restartPolicy": "Always",
        "priorityClassName": "system-node-critical",
        "serviceAccountName": AGENT,
        "terminationGracePeriodSeconds": 1,
        "hostNetwork": True,
        "affinity": apart(selector),
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"operator": "Exists"}],
        "volumes": _volumes(relay=relay),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": data.metadata(AGENT, NAMESPACE, own),
        "spec": {
            "selector": {"matchLabels": selector},
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}},
            "template": {"metadata": {"labels": own, "annotations": notes}, "spec": pod},
        },
    }


def apart(selector: Document) -> Document:
    """One on each node: they take ports of the host."""
    term = {"labelSelector": {"matchLabels": selector}, "topologyKey": "kubernetes.io/hostname"}
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def _agent(wanted: Wanted, *, relay: bool) -> Document:
    peers = [{"name": "peer-service", "containerPort": HUBBLE_PORT, "hostPort": HUBBLE_PORT, "protocol": "TCP"}]
    tls = [data.mount("hubble-tls", TLS_FOLDER, readOnly=True)]
    return {
        "name": "cilium-agent",
        "image": wanted.image(IMAGE),
        "imagePullPolicy": "IfNotPresent",
        "command": ["cilium-agent"],
        "args": ["--config-dir=/tmp/cilium/config-map"],
        "startupProbe": _probe(failureThreshold=300, periodSeconds=2, initialDelaySeconds=5),
        "livenessProbe": _probe(
            {"require-k8s-connectivity": "false"}, periodSeconds=30, failureThreshold=10, timeoutSeconds=5
        ),
        "readinessProbe": _probe(periodSeconds=30, failureThreshold=3, timeoutSeconds=5),
        "env": [
            *whereabouts(wanted),
            *data.values({"CILIUM_CLUSTERMESH_CONFIG": "/var/lib/cilium/clustermesh/"}),
            {"name": "GOMEMLIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1"}}},
            *data.values({"KUBE_CLIENT_BACKOFF_BASE": "1", "KUBE_CLIENT_BACKOFF_DURATION": "120"}),
        ],
        "lifecycle": {"preStop": {"exec": {"command": ["/cni-uninstall.sh"]}}},
        "ports": [
            {"name": "health", "containerPort": HEALTH_PORT, "hostPort": HEALTH_PORT, "protocol": "TCP"},
            *(peers if relay else ()),
        ],
        "securityContext": _rights(_AGENT_RIGHTS),
        **LAST_WORDS,
        "volumeMounts": [
            data.mount("host-proc-sys-net", "/host/proc/sys/net"),
            data.mount("host-proc-sys-kernel", "/host/proc/sys/kernel"),
            data.mount("bpf-maps", _BPF, mountPropagation="HostToContainer"),
            data.mount("cilium-run", "/var/run/cilium"),
            data.mount("cilium-netns", "/var/run/cilium/netns", mountPropagation="HostToContainer"),
            data.mount("etc-cni-netd", "/host/etc/cni/net.d"),
            data.mount("clustermesh-secrets", "/var/lib/cilium/clustermesh", readOnly=True),
            data.mount("lib-modules", "/lib/modules", readOnly=True),
            data.mount("xtables-lock", "/run/xtables.lock"),
            data.mount("tmp", "/tmp"),  # noqa: S108  (in the pod)
            *(tls if relay else ()),
        ],
    }


def _preparing(wanted: Wanted) -> list[Document]:
    image = {"image": wanted.image(IMAGE), "imagePullPolicy": "IfNotPresent", **LAST_WORDS}
    on_host = [data.mount("hostproc", "/hostproc"), data.mount("cni-path", "/hostbin")]
    reaching = {"securityContext": _rights("SYS_ADMIN SYS_CHROOT SYS_PTRACE"), "volumeMounts": on_host}
    return [
        {
            "name": "config",
            **image,
            "command": ["cilium-dbg", "build-config"],
            "env": whereabouts(wanted),
            "securityContext": {"capabilities": {"add": ["NET_ADMIN"], "drop": ["ALL"]}},
            "volumeMounts": [data.mount("tmp", "/tmp")],  # noqa: S108  (in the pod)
        },
        {
            "name": "mount-cgroup",
            **image,
            "command": _on_host("cilium-mount", "--cgroup=/hostproc/1/ns/cgroup", "/run/cilium/cgroupv2"),
            **reaching,
        },
        {"name": "apply-sysctl-overwrites", **image, "command": _on_host("cilium-sysctlfix"), **reaching},
        {
            "name": "mount-bpf-fs",
            **image,
            "command": ["sh", "-ec", f"grep -q ' {_BPF} bpf ' /proc/mounts || mount -t bpf bpf {_BPF}"],
            "securityContext": {"privileged": True},
            "volumeMounts": [data.mount("bpf-maps", _BPF, mountPropagation="Bidirectional")],
        },
        {
            "name": "clean-cilium-state",
            **image,
            "command": ["/init-container.sh"],
            "env": [
                _from_config("CILIUM_ALL_STATE", "clean-cilium-state"),
                _from_config("CILIUM_BPF_STATE", "clean-cilium-bpf-state"),
                _from_config("WRITE_CNI_CONF_WHEN_READY", "write-cni-conf-when-ready"),
                *(v for v in whereabouts(wanted) if v["name"].startswith("KUBERNETES_")),
            ],
            "securityContext": _rights("NET_ADMIN SYS_MODULE SYS_ADMIN SYS_RESOURCE"),
            "volumeMounts": [
                data.mount("bpf-maps", _BPF),
                data.mount("cilium-cgroup", "/run/cilium/cgroupv2", mountPropagation="HostToContainer"),
                data.mount("cilium-run", "/var/run/cilium"),
            ],
        },
        {
            "name": "install-cni-binaries",
            **image,
            "command": ["/install-plugin.sh"],
            "resources": {"requests": {"cpu": "100m", "memory": "10Mi"}},
            "securityContext": {"seLinuxOptions": _SELINUX, "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [data.mount("cni-path", "/host/opt/cni/bin")],
        },
    ]


def _on_host(program: str, *arguments: str) -> list[str]:
    """Run a program of the image in the namespaces of the host: put there, entered with nsenter, taken away again."""
    namespaces = [word for word in arguments if word.startswith("--")]
    words = [word for word in arguments if not word.startswith("--")]
    enter = ["nsenter", *namespaces, "--mount=/hostproc/1/ns/mnt", f"/opt/cni/bin/{program}", *words]
    script = f"cp /usr/bin/{program} /hostbin/{program}\n{' '.join(enter)}\nrm /hostbin/{program}\n"
    return ["sh", "-ec", script]


def _from_config(name: str, key: str) -> Document:
    reference = {"name": CONFIG_MAP, "key": key, "optional": True}
    return {"name": name, "valueFrom": {"configMapKeyRef": reference}}


def _rights(words: str) -> Document:
    return {"seLinuxOptions": _SELINUX, "capabilities": {"add": words.split(), "drop": ["ALL"]}}


def _probe(headers: dict[str, str] | None = None, **numbers: int) -> Document:
    asked = {"brief": "true", **(headers or {})}
    get = {
        "host": "127.0.0.1",
        "path": "/healthz",
        "port": HEALTH_PORT,
        "scheme": "HTTP",
        "httpHeaders": data.values(asked),
    }
    return {"httpGet": get, **numbers}


def _volumes(*, relay: bool) -> list[Document]:
    return [
        {"name": "tmp", "emptyDir": {}},
        data.host_path("cilium-run", "/var/run/cilium", "DirectoryOrCreate"),
        data.host_path("cilium-netns", "/var/run/netns", "DirectoryOrCreate"),
        data.host_path("bpf-maps", _BPF, "DirectoryOrCreate"),
        data.host_path("hostproc", "/proc", "Directory"),
        data.host_path("cilium-cgroup", "/run/cilium/cgroupv2", "DirectoryOrCreate"),
        data.host_path("cni-path", "/opt/cni/bin", "DirectoryOrCreate"),
        data.host_path("etc-cni-netd", "/etc/cni/net.d", "DirectoryOrCreate"),
        data.host_path("lib-modules", "/lib/modules"),
        data.host_path("xtables-lock", "/run/xtables.lock", "FileOrCreate"),
        data.host_path("host-proc-sys-net", "/proc/sys/net", "Directory"),
        data.host_path("host-proc-sys-kernel", "/proc/sys/kernel", "Directory"),
        # How other clusters are reached; empty until the cluster is part of a mesh.
        projected(
            "clustermesh-secrets",
            {"cilium-clustermesh": {}, **{f"clustermesh-apiserver-{kind}-cert": _etcd(kind) for kind in _MESH}},
        ),
        *([projected("hubble-tls", {SERVER_SECRET: _files("server", "client-ca")})] if relay else ()),
    ]


_MESH = ("remote", "local")


def _etcd(kind: str) -> dict[str, str]:
    name = "common" if kind == "remote" else "local"
    return _files(f"{name}-etcd-client", f"{name}-etcd-client-ca")


def _files(name: str, authority: str) -> dict[str, str]:
    """The keys of a TLS secret, by the file that each becomes."""
    return {"tls.key": f"{name}.key", "tls.crt": f"{name}.crt", "ca.crt": f"{authority}.crt"}


def projected(volume: str, secrets: dict[str, dict[str, str]], *, optional: bool = True) -> Document:
    """A folder of files out of secrets: by secret, the file for each key; all keys under their own names when none."""
    sources = []
    for name, files in secrets.items():
        items = {"items": [{"key": key, "path": path} for key, path in files.items()]} if files else {}
        sources.append({"secret": {"name": name, "optional": optional, **items}})
    return {"name": volume, "projected": {"defaultMode": 0o400, "sources": sources}}
