"""Upstream Kubernetes by kubeadm (cluster type VANILLA)."""
