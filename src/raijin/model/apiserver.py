"""What the API server writes down of its clients, and how it keeps what they trust it with."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from raijin.model.base import NON_EMPTY, FreeDict, Model, fault
from raijin.model.choice import Choice

_RESOURCE = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9.-]*)?")
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


def _resource(value: str) -> str:
    if not _RESOURCE.fullmatch(value):
        raise fault(
            "is no resource", "write the plural, as in `secrets`, or with its group, as in `ingresses.example.org`"
        )
    return value


def _key(value: str) -> str:
    if not _KEY.fullmatch(value):
        raise fault("is no name of a key", "use up to 31 small letters, digits and hyphens, as in 2026-11")
    return value


class EncryptionProvider(Choice):
    """How data is encrypted. All take a key of 32 bytes (Kubernetes: providers of EncryptionConfiguration)."""

    SECRETBOX = "SECRETBOX"
    AESCBC = "AESCBC"
    AESGCM = "AESGCM"


class Encryption(Model):
    """Encryption at rest: what is kept in etcd can be read with the key alone, which etcd and its backups do not hold.

    Raijin's own backups hold the key, and are encrypted.
    """

    provider: EncryptionProvider = Field(
        default=EncryptionProvider.SECRETBOX, description="How data is encrypted; SECRETBOX is XSalsa20 with Poly1305."
    )
    key: Annotated[str, AfterValidator(_key)] = Field(
        default="first",
        description="The name of the key. Raijin makes the key itself; another name makes another one, and everything "
        "is written anew with it.",
        examples=["2026-11"],
    )
    resources: Annotated[tuple[Annotated[str, AfterValidator(_resource)], ...], NON_EMPTY] = Field(
        default=("secrets",), description="What is encrypted.", examples=[["secrets", "configmaps"]]
    )


class Audit(Model):
    """The audit log of every API server: who asked for what, and when."""

    rules: Annotated[tuple[FreeDict, ...], NON_EMPTY] = Field(
        default=({"level": "Metadata", "omitStages": ["RequestReceived"]},),
        description="Rules of the policy (audit.k8s.io/v1), the first that fits counts. Default: who, what and when of "
        "each request, without its content.",
        examples=[[{"level": "None", "users": ["system:kube-proxy"]}, {"level": "Metadata"}]],
    )
    max_age_days: int = Field(default=30, ge=1, description="How many days old logs are kept.")
    max_files: int = Field(default=10, ge=1, description="How many old logs are kept.")
    max_size_megabytes: int = Field(default=100, ge=1, description="The size from which on a new log is begun.")
