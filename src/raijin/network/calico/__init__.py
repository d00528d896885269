"""Calico as documents: what it is made of, here and within Canal."""
