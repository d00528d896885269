"""The ways to make a Kubernetes cluster of hosts: one folder each."""
