"""What of a host decides who gets at a cluster: modes of its files, flags of its static pods, settings of its kubelet.

No content of a key or of a kubeconfig is read. Of flags only those in FLAGS are told; of the kubelet's file not what
would fetch static pods from elsewhere, whose headers may hold a token (KubeletConfiguration, `staticPodURLHeader`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from raijin.transport.yamls import read_yaml

KUBELET_CONFIG = "/var/lib/kubelet/config.yaml"
PRIVATE = (
    "/etc/kubernetes/*.conf",
    "/etc/kubernetes/pki/*.key",
    "/etc/kubernetes/pki/etcd/*.key",
    "/etc/kubernetes/manifests/*.yaml",
    "/etc/kubernetes/raijin/encryption.yaml",
    "/var/lib/kubelet/pki/kubelet-client-current.pem",
    "/var/lib/kubelet/pki/kubelet.key",
    "/var/lib/etcd",
    *(
        pattern
        for product in ("k3s", "rke2")
        for pattern in (
            f"/etc/rancher/{product}/{product}.yaml",
            f"/var/lib/rancher/{product}/server/tls/*.key",
            f"/var/lib/rancher/{product}/server/tls/etcd/*.key",
            f"/var/lib/rancher/{product}/server/token",
            f"/var/lib/rancher/{product}/server/db",
            f"/var/lib/rancher/{product}/agent/*.key",
            f"/var/lib/rancher/{product}/agent/*.kubeconfig",
        )
    ),
)
"""What nobody but root is to read."""
MANIFESTS = ("/etc/kubernetes/manifests", "/var/lib/rancher/rke2/agent/pod-manifests")
FLAGS = (
    "anonymous-auth", "authorization-mode", "authorization-config", "authentication-config", "token-auth-file",
    "enable-admission-plugins", "disable-admission-plugins", "insecure-port", "encryption-provider-config",
    "audit-policy-file", "audit-log-path", "client-cert-auth", "auto-tls", "peer-client-cert-auth", "peer-auto-tls",
)  # fmt: skip

SNIPPET = rf"""
set --
for s_path in {" ".join(PRIVATE)}; do [ ! -e "$s_path" ] || set -- "$@" "$s_path"; done
[ "$#" = 0 ] || stat -L -c 'mode %a %U %n' -- "$@"
set --
for s_path in {" ".join(f"{folder}/{part}.yaml" for folder in MANIFESTS for part in ("kube-apiserver", "etcd"))}; do
  [ ! -r "$s_path" ] || set -- "$@" "$s_path"
done
[ "$#" = 0 ] || awk '
  FNR == 1 {{ name = FILENAME; sub(/.*\//, "", name); sub(/[.]yaml$/, "", name); print "pod " name }}
  $1 == "-" && $2 ~ /^["\047]?--({"|".join(FLAGS)})(=|["\047]?$)/ {{ sub(/^ *- */, ""); print "flag " name " " $0 }}
  ' "$@"
[ ! -r {KUBELET_CONFIG} ] || awk '/^[^ #-]/ {{ on = !/^staticPodURL/ }} on {{ print "kubelet " $0 }}' {KUBELET_CONFIG}
"""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A file or folder that is for root alone. mode: its permission bits."""

    path: str
    mode: int
    owner: str

    @property
    def by_group(self) -> bool:
        return bool(self.mode & 0o070)

    @property
    def by_all(self) -> bool:
        return bool(self.mode & 0o007)


@dataclass(frozen=True, slots=True)
class Kubelet:
    """Settings of a kubelet, with its defaults for what its file leaves out (KubeletConfiguration v1beta1)."""

    read_only_port: int = 0
    anonymous: bool = False
    authorization: str = "Webhook"


@dataclass(frozen=True, slots=True)
class Security:
    """pods: flags of those static pods that were looked at, by name, without `--`. kubelet: None without its file."""

    files: tuple[Guarded, ...] = ()
    pods: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    kubelet: Kubelet | None = None


_MODE = re.compile(r"mode ([0-7]+) (\S+) (/.*)")


def parse(text: str) -> Security:
    """Raises ValueError."""
    files: list[Guarded] = []
    pods: dict[str, dict[str, str]] = {}
    kubelet: list[str] = []
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "mode" and (found := _MODE.fullmatch(line)):
            files.append(Guarded(found[3], int(found[1], 8), found[2]))
        elif word == "pod":
            pods.setdefault(rest, {})
        elif word == "flag":
            name, _, flag = rest.partition(" ")
            key, equals, value = flag.strip("\"' ").removeprefix("--").partition("=")
            pods.setdefault(name, {})[key] = value if equals else "true"
        elif word == "kubelet":
            kubelet.append(rest)
    return Security(tuple(files), pods, _kubelet("\n".join(kubelet)) if kubelet else None)


def _kubelet(text: str) -> Kubelet:
    try:
        document: Any = read_yaml(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{KUBELET_CONFIG} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise ValueError(f"{KUBELET_CONFIG} is no mapping")  # noqa: TRY004  (a host's answer, not an argument)
    anonymous = ((document.get("authentication") or {}).get("anonymous") or {}).get("enabled")
    mode = (document.get("authorization") or {}).get("mode")
    return Kubelet(int(document.get("readOnlyPort") or 0), bool(anonymous), str(mode or "Webhook"))
