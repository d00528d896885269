"""What K3s and RKE2 have in common: one program on each host that is kubelet, runtime and, on servers, control plane.

RKE2 is built on K3s: configuration files, tokens, snapshots, registries and the layout of the data folder are the same
code there. A distribution says in its `Distribution` where it differs.
"""
