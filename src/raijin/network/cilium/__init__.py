"""Cilium as documents, after its chart (install/kubernetes/cilium, Apache-2.0) of v1.20, compared with v1.15's."""
