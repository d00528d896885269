"""Backups of a cluster: how often, how many are kept, where, and who can read them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from raijin.model.base import Model, fault
from raijin.model.names import HostName, Name, Url
from raijin.model.secret import Secret

_CALENDAR = re.compile(r"[A-Za-z0-9*:,./~ -]+")


def _recipient(value: str) -> str:
    if not re.fullmatch(r"age1[02-9ac-hj-np-z]{58}", value):
        raise fault("is not a public key of age", "write it as `age-keygen` prints it: age1...")
    return value


def _calendar(value: str) -> str:
    if not _CALENDAR.fullmatch(value) or not re.search(r"[a-z]|\d", value):
        raise fault("is not a calendar event", "write it as systemd reads it, as in daily or *-*-* 03:00:00")
    return value


class S3(Model):
    """A bucket of an S3-compatible object store."""

    endpoint: Url | None = Field(
        default=None, description="Address of the service; default: that of AWS.", examples=["https://s3.example.org"]
    )
    bucket: str = Field(min_length=3, max_length=63, description="Name of the bucket.", examples=["cluster-backups"])
    region: str = Field(default="us-east-1", description="Region; services of one's own take any.")
    access_key: Secret = Field(description="Access key.", examples=["env:S3_ACCESS_KEY"])
    secret_key: Secret = Field(description="Secret key.", examples=["env:S3_SECRET_KEY"])


class BackupTarget(Model):
    """A place where backups are kept: a folder of the machine that Raijin runs on (a mounted NFS share is one), a
    folder of a host of the Site, or a bucket. `folder` alone, `host` with `folder`, or `s3`."""

    name: Name = Field(description="Name of the target.", examples=["nas"])
    folder: Path | None = Field(default=None, description="The folder.", examples=["/mnt/nas/backups"])
    host: HostName | None = Field(default=None, description="The host of the Site that has the folder, over SSH.")
    s3: S3 | None = Field(default=None, description="A bucket; `prefix` is put before the names of its objects.")
    prefix: str = Field(default="", description="What object names begin with, in a bucket.", examples=["home/"])


class Backup(Model):
    """Snapshots of etcd with all that a new control plane needs beside them, encrypted."""

    targets: tuple[BackupTarget, ...] = Field(
        default=(), description="Where backups are kept; default: the folder `backups` of RAIJIN_HOME."
    )
    keep: int = Field(default=14, ge=1, description="How many are kept in each target; older ones are removed.")
    recipients: tuple[Annotated[str, AfterValidator(_recipient)], ...] = Field(
        default=(),
        description="Public keys of age that can read the backups too, beside the key of this RAIJIN_HOME. Keep one "
        "elsewhere: with the machine that Raijin runs on, its own key is lost.",
    )
    schedule: Annotated[str, AfterValidator(_calendar)] | None = Field(
        default=None,
        description="When control plane hosts make backups by themselves, as systemd writes calendar events. They are "
        "kept in the folder `localFolder` of these hosts, where only root reads them, as etcd's own data is.",
        examples=["daily", "*-*-* 03:00:00"],
    )
    local_folder: Path = Field(
        default=Path("/var/backups/raijin"), description="Where control plane hosts keep their own backups."
    )
    local_keep: int = Field(default=5, ge=1, description="How many each control plane host keeps.")
