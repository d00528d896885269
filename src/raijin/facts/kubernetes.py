"""The parts of Kubernetes that are installed."""

from __future__ import annotations

import re
from dataclasses import dataclass

SNIPPET = r"""
k_found=
# PATH is walked by hand: each $(command -v) would be a process.
set -f; IFS=:
for k_name in kubelet kubeadm kubectl containerd crictl runc crio docker k3s rke2 k0s etcd etcdctl helm; do
  for k_dir in $PATH; do
    k_path=$k_dir/$k_name
    if [ -f "$k_path" ] && [ -x "$k_path" ]; then k_found="$k_found$k_path$NL"; break; fi
  done
done
unset IFS; set +f
for k_path in /opt/cni/bin/bridge /opt/cni/bin/flannel; do [ ! -f "$k_path" ] || k_found="$k_found$k_path$NL"; done
if [ -n "$k_found" ]; then
  # What Raijin installed is stamped with its name. Only another binary is asked for its version, which costs far more.
  k_stamps=$(cat "$BASE"/stamps/file:* "$BASE"/stamps/archive:* 2>/dev/null)$NL
  printf '%s' "$k_stamps"
  set -f; IFS=$NL; set -- $(TZ=UTC0 stat -c '%i.%s.%z|%n' -- $k_found); unset IFS; set +f
  for k_id in "$@"; do
    k_path=${k_id#*|}
    printf 'part %s\n' "$k_id"
    case $k_stamps in *" $k_id$NL"*) continue;; esac
    case $k_path in
      */kubeadm) k_version=$("$k_path" version -o short 2>/dev/null);;
      */kubectl) k_version=$("$k_path" version --client 2>/dev/null);;
      */etcdctl|*/helm) k_version=$("$k_path" version 2>/dev/null);;
      */cni/bin/*) k_version=;;
      *) k_version=$("$k_path" --version 2>/dev/null);;
    esac
    for k_word in $k_version; do
      case $k_word in v[0-9]*.*|[0-9]*.*.*) printf 'version %s %s\n' "$k_path" "$k_word"; break;; esac
    done
  done
fi
for k_path in /etc/kubernetes/admin.conf /etc/kubernetes/kubelet.conf /etc/kubernetes/manifests/* /var/lib/etcd/member \
  /etc/kubernetes/raijin/encryption.yaml /etc/systemd/system/raijin-backup.timer /etc/cni/net.d/* \
  /etc/rancher/k3s/k3s.yaml /etc/rancher/rke2/rke2.yaml /var/lib/rancher/k3s /var/lib/rancher/rke2 \
  /var/lib/rancher/*/server/db/etcd/member /var/lib/rancher/*/server/db/state.db \
  /var/lib/rancher/*/agent/kubelet.kubeconfig /var/lib/rancher/*/agent/pod-manifests/kube-vip.yaml; do
  [ ! -e "$k_path" ] || printf 'file %s\n' "$k_path"
done
# The images of static pods: what version of the control plane a host runs.
for k_path in /etc/kubernetes/manifests/*.yaml; do
  [ -r "$k_path" ] || continue
  while read -r k_key k_value _; do
    [ "$k_key" != image: ] || printf 'image %s\n' "$k_value"
  done <"$k_path"
done
"""


@dataclass(frozen=True, slots=True)
class Part:
    """version: without the leading v; empty when it does not tell. sha256: when Raijin installed it as one file."""

    name: str
    path: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """files: those of the well-known paths that exist: kubeconfigs, manifests, etcd's member, CNI configurations.

    images: those that the static pods of the host name.
    """

    parts: tuple[Part, ...]
    files: tuple[str, ...]
    images: tuple[str, ...] = ()

    @property
    def present(self) -> bool:
        """Does (or did) a node of some cluster run here?"""
        marks = ("/etc/kubernetes/", "/var/lib/etcd/", "/etc/rancher/", "/var/lib/rancher/")
        return any(path.startswith(marks) for path in self.files)

    def part(self, name: str) -> Part | None:
        return next((part for part in self.parts if part.name == name), None)


_VERSION = re.compile(r"\d+\.\d+(\.\d+)?([-+.][0-9A-Za-z.+-]*[0-9A-Za-z])?")


def parse(text: str) -> Kubernetes:
    stamps: dict[str, tuple[str, str]] = {}
    ids, versions, files, images, title = dict[str, str](), dict[str, str](), list[str](), list[str](), ""
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "=":
            title = rest
        elif word == "part":
            ids[rest.partition("|")[2]] = rest
        elif word == "version":
            path, _, versions[path] = rest.partition(" ")
        elif word == "file":
            files.append(rest)
        elif word == "image":
            images.append(rest.strip("\"'"))
        elif word == "-" or len(word) == 64:
            stamps[rest] = (title, word.removeprefix("-"))
    parts = tuple(_part(path, stamps.get(id_), versions) for path, id_ in ids.items())
    return Kubernetes(parts, tuple(files), tuple(images))


def _part(path: str, stamp: tuple[str, str] | None, versions: dict[str, str]) -> Part:
    name = path.rpartition("/")[2]
    title, sha256 = stamp or (versions.get(path, ""), "")
    found = _VERSION.search(title.partition("-linux-")[0].removesuffix(".tar.gz").removesuffix(".tgz"))
    return Part(name, path, found[0] if found else "", sha256)
