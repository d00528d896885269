"""Certificates that the parts of a network prove themselves to each other with: which there are to be.

They are made when a plan is carried out and go straight into Secrets of the cluster (platforms/certificates.py): keys
are in no plan and in no file.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs; kept in a Secret with its key, so that further certificates are of the same."""

    namespace: str
    secret: str
    common_name: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """One in a Secret of type kubernetes.io/tls, with its authority's beside it.

    name: common name and DNS name. server: it also proves a server; all prove clients.
    """

    namespace: str
    secret: str
    name: str
    authority: Authority
    server: bool
