"""RKE2 (cluster type RKE2)."""
