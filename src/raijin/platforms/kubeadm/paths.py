"""Where kubeadm and Raijin keep the files of a cluster on a host."""

from __future__ import annotations

from raijin.facts.etcd import EtcdAccess

KUBERNETES = "/etc/kubernetes"
ADMIN_CONF = f"{KUBERNETES}/admin.conf"
SUPER_ADMIN_CONF = f"{KUBERNETES}/super-admin.conf"
"""Of the emergency administrator, on the host that the cluster was started on only (kubeadm 1.29 and later)."""
KUBELET_CONF = f"{KUBERNETES}/kubelet.conf"
KUBELET_PKI = "/var/lib/kubelet/pki"
BOOTSTRAP_CONF = f"{KUBERNETES}/bootstrap-kubelet.conf"
MANIFESTS = f"{KUBERNETES}/manifests"
API_MANIFEST = f"{MANIFESTS}/kube-apiserver.yaml"
PKI = f"{KUBERNETES}/pki"
ETCD_PKI = f"{PKI}/etcd"
ROTATION = f"{PKI}/rotation"
"""Of control plane hosts, while authorities are replaced: the new ones, and what the controller manager signs with."""
ETCD_DATA = "/var/lib/etcd"

FOLDER = f"{KUBERNETES}/raijin"
"""What Raijin hands to kubeadm: configurations, readable by root alone."""
INIT_FILE = f"{FOLDER}/init.yaml"
JOIN_FILE = f"{FOLDER}/join.yaml"
CONFIG_FILE = f"{FOLDER}/kubeadm.yaml"
"""Of every control plane host: the settings that it follows."""

ENCRYPTION_FILE = f"{FOLDER}/encryption.yaml"
"""The keys that Secrets are encrypted with in etcd; of every control plane host."""
AUDIT_POLICY = f"{FOLDER}/audit-policy.yaml"
AUDIT_LOG = "/var/log/kubernetes/audit/audit.log"
CRI_SOCKET = "unix:///run/containerd/containerd.sock"
# The paths of the static pod's own certificates (kubeadm: phases/etcd). The server's is good for clients too.
ETCD_ACCESS = EtcdAccess(
    "https://127.0.0.1:2379", f"{ETCD_PKI}/ca.crt", f"{ETCD_PKI}/server.crt", f"{ETCD_PKI}/server.key", CRI_SOCKET
)

INIT_MARKER = "kubeadm-init"
JOIN_MARKER = "kubeadm-join"
"""Set on a control plane host when its start, or its joining, has ended well."""
