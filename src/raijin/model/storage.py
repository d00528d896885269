"""Network storage of a site."""

from __future__ import annotations

from pydantic import Field

from raijin.model.base import Model
from raijin.model.choice import Choice
from raijin.model.names import Address, HostName, Name
from raijin.model.secret import Secret


class NasType(Choice):
    """Whose NAS it is."""

    SYNOLOGY = "synology"
    TRUENAS = "truenas"
    QNAP = "qnap"
    GENERIC = "generic"


class NasProtocol(Choice):
    """How volumes are reached."""

    NFS = "NFS"
    ISCSI = "ISCSI"
    SMB = "SMB"


class Nas(Model):
    """A NAS that clusters of the site use for volumes."""

    name: Name = Field(default="nas", description="Name of the NAS.")
    type: NasType = Field(default=NasType.GENERIC, description="Whose NAS it is; GENERIC: any NFS server.")
    ip: Address = Field(description="Its address.", examples=["192.0.2.200"])
    share: str | None = Field(default=None, description="The exported share.", examples=["/volume1/kubernetes"])
    protocol: NasProtocol = Field(default=NasProtocol.NFS, description="How volumes are reached.")
    user: str | None = Field(default=None, description="User of its management interface.")
    password: Secret | None = Field(default=None, description="Password of that user.")
    storage_class: HostName | None = Field(
        default=None, description="Name of the StorageClass that it serves.", examples=["nas-ssd"]
    )
