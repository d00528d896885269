"""A host: one machine of a site, how it is reached, and what it is like."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from raijin.model.artifacts import Delivery
from raijin.model.base import Model, fault
from raijin.model.choice import Choice
from raijin.model.duration import Duration, parse_duration
from raijin.model.labels import Labels, Taint
from raijin.model.names import Address, HostName, MacAddress, is_dns_name, parse_ip
from raijin.model.network import Interface
from raijin.model.power import Power
from raijin.model.secret import Secret

_JUMP = re.compile(r"(?:(?P<user>[^\s@]+)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s@:]+)(?::(?P<port>\d{1,5}))?")


class ConnectionKind(Choice):
    """The wire to a host."""

    SSH = "ssh"
    LOCAL = "local"


class BecomeMethod(Choice):
    """How the user that connects becomes root."""

    SUDO = "sudo"
    NONE = "none"


class Arch(Choice):
    """Processor architecture, as Go and Kubernetes name it."""

    AMD64 = "amd64"
    ARM64 = "arm64"
    ARM = "arm"

    @classmethod
    def aliases(cls) -> dict[str, str]:
        return {"X86_64": "AMD64", "AARCH64": "ARM64", "ARMHF": "ARM", "ARMV7L": "ARM"}


def split_jump(text: str) -> tuple[str | None, str, int | None] | None:
    """User, host and port of a jump; None when it is not of the form `[user@]host[:port]`."""
    match = _JUMP.fullmatch(text)
    if match is None:
        return None
    host = match["host"].strip("[]")
    port = int(match["port"]) if match["port"] else None
    if not (is_dns_name(host.lower()) or parse_ip(host)) or not 0 < (port or 22) < 65536:
        return None
    return match["user"], host, port


def _jump(value: str) -> str:
    if split_jump(value) is None:
        raise fault("is not a jump host", "write the name of another host, or user@address:port")
    return value


def _public_key(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( .*)?", value.strip()):
        raise fault(
            "is not a public key", "write the type and the key, as `ssh-keyscan` prints them: ssh-ed25519 AAAA..."
        )
    return value.strip()


class Ssh(Model):
    """How a host is reached over SSH. Fields that a host leaves out are taken from the site's `ssh`."""

    user: str = Field(default="root", min_length=1, description="The user who logs in.", examples=["raijin"])
    port: int = Field(default=22, ge=1, le=65535, description="The TCP port of the SSH server.")
    key: Path | None = Field(
        default=None, description="Path of the private key; `~` is your home.", examples=["~/.ssh/id_ed25519"]
    )
    passphrase: Secret | None = Field(default=None, description="Passphrase of the private key.")
    password: Secret | None = Field(default=None, description="Password of the user; prefer a key.")
    agent: bool = Field(default=True, description="Offer the keys of the running SSH agent.")
    jump: Annotated[str, AfterValidator(_jump)] | None = Field(
        default=None,
        description="The host to go through: the name of another host, or user@address:port.",
        examples=["bastion", "raijin@198.51.100.1:22"],
    )
    known_hosts: Path | None = Field(
        default=None, description="File of known host keys; default: your own and the one that Raijin keeps."
    )
    host_key: Annotated[str, AfterValidator(_public_key)] | None = Field(
        default=None,
        description="The only public key that is accepted from the host.",
        examples=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB..."],
    )
    trust_first_use: bool = Field(
        default=False, description="Accept the key of a host that was never seen before, and remember it."
    )
    connect_timeout: Duration = Field(
        default=parse_duration("15s"), description="How long to wait for a connection and the log-in."
    )


class Become(Model):
    """How the user that connects becomes root. Not used when that user is root."""

    method: BecomeMethod = Field(default=BecomeMethod.SUDO, description="sudo, or none when the user is root.")
    password: Secret | None = Field(default=None, description="The password that sudo asks for, if any.")


def _own_name(data: dict[str, Any]) -> str:
    return str(data.get("name", ""))


class Host(Model):
    """One machine of a site."""

    name: HostName = Field(description="Name of the host and of its node in Kubernetes (RFC 1123).", examples=["n1"])
    address: Address = Field(
        default_factory=_own_name,
        validate_default=True,
        description="IP address or DNS name at which the host is reached; default: its name.",
        examples=["192.0.2.11"],
    )
    connection: ConnectionKind = Field(
        default=ConnectionKind.SSH, description="ssh, or local for the machine that Raijin runs on."
    )
    ssh: Ssh = Field(default=Ssh.bare(), description="How the host is reached, where it differs from the site's `ssh`.")
    become: Become = Field(default=Become.bare(), description="How to become root, where it differs from the site.")
    mac: MacAddress | None = Field(
        default=None, description="MAC address of the first network card: DHCP, PXE and wake-on-LAN need it."
    )
    arch: Arch | None = Field(default=None, description="Processor architecture; default: looked up on the host.")
    labels: Labels = Field(default={}, description="Node labels of this host.", examples=[{"zone": "rack-1"}])
    taints: tuple[Taint, ...] = Field(default=(), description="Node taints of this host.")
    interfaces: tuple[Interface, ...] = Field(default=(), description="Network interfaces that Raijin sets up.")
    power: Power | None = Field(default=None, description="How the machine is turned on and off.")
    always_on: bool = Field(default=False, description="Never put this host to sleep.")
    delivery: Delivery | None = Field(
        default=None, description="How artifacts travel to this host, where it differs from the site."
    )

    @property
    def is_local(self) -> bool:
        return self.connection is ConnectionKind.LOCAL
