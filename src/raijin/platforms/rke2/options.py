"""The options of RKE2's commands, which are the keys of its configuration files too.

Source: rancher/rke2 pkg/cli/cmds/{server,agent,root}.go, pkg/images and pkg/podtemplate at 6ce1a8019e9d (master,
2026-08-21): those of K3s that it keeps, and its own.
"""

from __future__ import annotations

SERVER = frozenset(
    {
        "advertise-address", "agent-token", "agent-token-file", "airgap-extra-registry", "alsologtostderr",
        "audit-policy-file", "bind-address", "cloud-controller-manager-extra-env",
        "cloud-controller-manager-extra-mount", "cloud-controller-manager-image", "cloud-provider-config",
        "cloud-provider-name", "cluster-cidr", "cluster-dns", "cluster-domain", "cluster-reset",
        "cluster-reset-restore-path", "cni", "config", "container-runtime-endpoint",
        "control-plane-probe-configuration", "control-plane-resource-limits", "control-plane-resource-requests",
        "data-dir", "datastore-cafile", "datastore-certfile", "datastore-endpoint", "datastore-keyfile",
        "debug", "default-runtime", "disable", "disable-agent", "disable-apiserver", "disable-cloud-controller",
        "disable-controller-manager", "disable-default-registry-endpoint", "disable-etcd", "disable-kube-proxy",
        "disable-scheduler", "egress-selector-mode", "embedded-registry", "enable-pprof", "enable-servicelb",
        "etcd-arg", "etcd-disable-snapshots", "etcd-expose-metrics", "etcd-extra-env", "etcd-extra-mount",
        "etcd-image", "etcd-s3", "etcd-s3-access-key", "etcd-s3-bucket", "etcd-s3-bucket-lookup-type",
        "etcd-s3-config-secret", "etcd-s3-endpoint", "etcd-s3-endpoint-ca", "etcd-s3-folder",
        "etcd-s3-insecure", "etcd-s3-proxy", "etcd-s3-region", "etcd-s3-retention", "etcd-s3-secret-key",
        "etcd-s3-session-token", "etcd-s3-skip-ssl-verify", "etcd-s3-timeout", "etcd-snapshot-compress",
        "etcd-snapshot-dir", "etcd-snapshot-name", "etcd-snapshot-reconcile-interval",
        "etcd-snapshot-retention", "etcd-snapshot-schedule-cron", "helm-controller-arg", "helm-job-image",
        "image-credential-provider-bin-dir", "image-credential-provider-config", "ingress-controller",
        "kube-apiserver-arg", "kube-apiserver-extra-env", "kube-apiserver-extra-mount", "kube-apiserver-image",
        "kube-cloud-controller-manager-arg", "kube-controller-manager-arg", "kube-controller-manager-extra-env",
        "kube-controller-manager-extra-mount", "kube-controller-manager-image", "kube-proxy-arg",
        "kube-proxy-extra-env", "kube-proxy-extra-mount", "kube-proxy-image", "kube-scheduler-arg",
        "kube-scheduler-extra-env", "kube-scheduler-extra-mount", "kube-scheduler-image", "kubelet-arg",
        "kubelet-path", "lb-server-port", "log", "node-external-dns", "node-external-ip", "node-internal-dns",
        "node-ip", "node-label", "node-name", "node-name-from-cloud-provider-metadata", "node-taint",
        "nonroot-devices", "pause-image", "pod-security-admission-config-file", "prime", "private-registry",
        "profile", "protect-kernel-defaults", "resolv-conf", "runtime-image", "secrets-encryption",
        "secrets-encryption-provider", "selinux", "server", "service-cidr", "service-node-port-range",
        "servicelb-namespace", "snapshotter", "supervisor-metrics", "system-default-registry", "tls-san",
        "tls-san-security", "token", "token-file", "v", "vmodule", "with-node-id", "write-kubeconfig",
        "write-kubeconfig-group", "write-kubeconfig-mode", "write-kubeconfig-name",
    }
)  # fmt: skip
"""Of `rke2 server`, and keys of config.yaml on servers."""

AGENT = frozenset(
    {
        "airgap-extra-registry", "alsologtostderr", "audit-policy-file", "bind-address",
        "cloud-controller-manager-extra-env", "cloud-controller-manager-extra-mount",
        "cloud-controller-manager-image", "cloud-provider-config", "cloud-provider-name", "config",
        "container-runtime-endpoint", "control-plane-probe-configuration", "control-plane-resource-limits",
        "control-plane-resource-requests", "data-dir", "debug", "default-runtime",
        "disable-default-registry-endpoint", "enable-pprof", "etcd-extra-env", "etcd-extra-mount", "etcd-image",
        "image-credential-provider-bin-dir", "image-credential-provider-config", "kube-apiserver-extra-env",
        "kube-apiserver-extra-mount", "kube-apiserver-image", "kube-controller-manager-extra-env",
        "kube-controller-manager-extra-mount", "kube-controller-manager-image", "kube-proxy-arg",
        "kube-proxy-extra-env", "kube-proxy-extra-mount", "kube-proxy-image", "kube-scheduler-extra-env",
        "kube-scheduler-extra-mount", "kube-scheduler-image", "kubelet-arg", "kubelet-path", "lb-server-port",
        "log", "node-external-dns", "node-external-ip", "node-internal-dns", "node-ip", "node-label",
        "node-name", "node-name-from-cloud-provider-metadata", "node-taint", "nonroot-devices", "pause-image",
        "pod-security-admission-config-file", "private-registry", "profile", "protect-kernel-defaults",
        "resolv-conf", "runtime-image", "selinux", "server", "snapshotter", "token", "token-file", "v",
        "vmodule", "with-node-id",
    }
)  # fmt: skip
"""Of `rke2 agent`, and keys of config.yaml on agents."""
