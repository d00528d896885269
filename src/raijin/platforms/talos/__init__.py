"""Talos Linux: machines that are their own Kubernetes, spoken to by `talosctl` from here (cluster type TALOS)."""
