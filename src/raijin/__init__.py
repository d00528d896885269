"""Raijin: on-premises Kubernetes from the power button to day two. See ARCHITECTURE.md for the map."""

__version__ = "0.1.0"
