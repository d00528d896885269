"""The twin of K3s: see rancher.py."""

from raijin.model.cluster import ClusterType
from raijin.platforms.k3s.platform import DISTRIBUTION
from raijin.twin.rancher import RancherTwin

TWIN = RancherTwin(ClusterType.K3S, DISTRIBUTION, always_etcd=False)
