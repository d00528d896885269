"""Turning machines on and off: wake-on-LAN, IPMI, Redfish; and when a host may sleep."""

from __future__ import annotations

from pydantic import Field

from raijin.model.base import Model
from raijin.model.choice import Choice
from raijin.model.names import Address, IpAddress, Url
from raijin.model.secret import Secret


class PowerMethod(Choice):
    """How a machine is turned on and off."""

    NONE = "NONE"
    WOL = "WOL"
    IPMI = "IPMI"
    REDFISH = "REDFISH"
    PROXMOX = "PROXMOX"
    LIBVIRT = "LIBVIRT"
    PDU = "PDU"

    @classmethod
    def aliases(cls) -> dict[str, str]:
        return {"WAKE_ON_LAN": "WOL", "WAKEONLAN": "WOL", "IDRAC": "REDFISH", "ILO": "REDFISH"}


class Power(Model):
    """How a machine is turned on and off. Fields that a host leaves out are taken from the site's `power`."""

    method: PowerMethod = Field(
        default=PowerMethod.NONE, description="WOL needs the host's `mac`; IPMI and REDFISH need `address`."
    )
    address: Address | None = Field(
        default=None, description="Address of the management controller (BMC, iDRAC, iLO) or of the power unit."
    )
    user: str | None = Field(default=None, description="User of the management controller.", examples=["root"])
    password: Secret | None = Field(default=None, description="Password of the management controller.")
    broadcast: IpAddress | None = Field(
        default=None, description="Where wake-on-LAN packets are sent; default: the broadcast address of the network."
    )
    verify_tls: bool = Field(default=True, description="Check the certificate of the management controller.")
    alerts: bool = Field(default=False, description="Subscribe to hardware alerts of the management controller.")
    webhook: Url | None = Field(default=None, description="Where hardware alerts are sent.")


class Sleep(Model):
    """When idle hosts are put to sleep to save power."""

    enabled: bool = Field(default=False, description="Put idle hosts to sleep.")
    idle_minutes: int = Field(default=120, ge=1, description="How long a host must be idle before it sleeps.")
    check_minutes: int = Field(default=60, ge=1, description="How often idleness is looked at.")
