"""The twin of RKE2: see rancher.py."""

from raijin.model.cluster import ClusterType
from raijin.platforms.rke2.platform import DISTRIBUTION
from raijin.twin.rancher import RancherTwin

TWIN = RancherTwin(ClusterType.RKE2, DISTRIBUTION, always_etcd=True)
