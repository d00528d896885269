"""Services around a cluster: load balancer, DNS, DHCP, PXE, storage, monitoring."""

from __future__ import annotations

from pydantic import Field

from raijin.model.base import FreeDict, Model
from raijin.model.choice import Choice
from raijin.model.names import Name


class ServiceType(Choice):
    """What a service does."""

    LOAD_BALANCER = "LOAD_BALANCER"
    DNS = "DNS"
    DHCP = "DHCP"
    STORAGE = "STORAGE"
    MONITORING = "MONITORING"
    PXE_BOOT = "PXE_BOOT"
    NTP = "NTP"
    REGISTRY = "REGISTRY"

    @classmethod
    def aliases(cls) -> dict[str, str]:
        return {"PXE": "PXE_BOOT", "LB": "LOAD_BALANCER"}


class Service(Model):
    """A service that a cluster or a site depends on."""

    name: Name = Field(description="Name of the service.", examples=["load-balancer"])
    type: ServiceType = Field(description="What the service does.")
    configuration: FreeDict = Field(default={}, description="Settings of the service, by its type.")
    depends_on: tuple[Name, ...] = Field(default=(), description="Services that must run before this one.")
    required: bool = Field(default=True, description="Whether the cluster waits for it and fails without it.")
    startup_order: int = Field(
        default=0, ge=0, description="Order of start among services that do not depend on each other; low first."
    )
