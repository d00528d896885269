"""K3s (cluster type K3S)."""
