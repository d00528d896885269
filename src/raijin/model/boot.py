"""How an operating system lands on a machine."""

from __future__ import annotations

from pydantic import Field

from raijin.model.base import FreeDict, Model
from raijin.model.choice import Choice


class BootMethod(Choice):
    """How an operating system lands on a machine."""

    EXISTING = "EXISTING"
    TEMPLATE = "TEMPLATE"
    ISO = "ISO"
    PXE = "PXE"
    HYBRID = "HYBRID"


class Boot(Model):
    """How the machines of a node group boot, where it differs from the cluster."""

    method: BootMethod | None = Field(default=None, description="Default: the cluster's `bootMethod`.")
    config_template: str | None = Field(
        default=None, description="The machine configuration to serve.", examples=["scos-master"]
    )
    image: str | None = Field(default=None, description="Boot image or ISO.")
    kernel_args: tuple[str, ...] = Field(default=(), description="Arguments added to the kernel command line.")
    configuration: FreeDict = Field(default={}, description="Settings of the boot method.")


class CloudInit(Model):
    """First-boot configuration of a machine made from a template."""

    packages: tuple[str, ...] = Field(default=(), description="Packages to install.", examples=[["curl", "jq"]])
    run_cmd: tuple[str, ...] = Field(default=(), description="Commands to run once.")
    user_data: str | None = Field(default=None, description="Whole cloud-config text, instead of the other fields.")
    ssh_authorized_keys: tuple[str, ...] = Field(default=(), description="Public keys that may log in.")


class NodeTemplate(Model):
    """What a machine of the group is made from."""

    image_source: str | None = Field(
        default=None,
        description="The image or VM template to clone.",
        examples=["local-zfs:9001/ubuntu-24.04-template"],
    )
    cpu: int | None = Field(default=None, ge=1, description="Virtual processors.")
    memory_mb: int | None = Field(default=None, ge=128, description="Memory in MiB.")
    disk_gb: int | None = Field(default=None, ge=1, description="System disk in GiB.")
    cloud_init: CloudInit | None = Field(default=None, description="First-boot configuration.")
