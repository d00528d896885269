"""Where kubeadm and Raijin keep the files of a cluster on a host."""

from __future__ import annotations

KUBERNETES = "/etc/kubernetes"
ADMIN_CONF = f"{KUBERNETES}/admin.conf"
SUPER_ADMIN_CONF = f"{KUBERNETES}/super-admin.conf"
"""Of the emergency administrator, on the host that the cluster was started on only (kubeadm 1.29 and later)."""
KUBELET_CONF = f"{KUBERNETES}/kubelet.conf"
BOOTSTRAP_CONF = f"{KUBERNETES}/bootstrap-kubelet.conf"
MANIFESTS = f"{KUBERNETES}/manifests"
API_MANIFEST = f"{MANIFESTS}/kube-apiserver.yaml"
PKI = f"{KUBERNETES}/pki"
ETCD_PKI = f"{PKI}/etcd"
ETCD_DATA = "/var/lib/etcd"

FOLDER = f"{KUBERNETES}/raijin"
"""What Raijin hands to kubeadm: configurations, readable by root alone."""
INIT_FILE = f"{FOLDER}/init.yaml"
JOIN_FILE = f"{FOLDER}/join.yaml"
CERTIFICATES_FILE = f"{FOLDER}/certificates.yaml"

INIT_MARKER = "kubeadm-init"
JOIN_MARKER = "kubeadm-join"
"""Set on a control plane host when its start, or its joining, has ended well."""
