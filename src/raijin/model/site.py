"""A site: the machines, networks, storage and links that clusters are made of."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from raijin.model.artifacts import Artifacts, Proxy
from raijin.model.base import Model
from raijin.model.host import Become, Host, Ssh
from raijin.model.machines import Machines
from raijin.model.names import HostName, Name
from raijin.model.network import SiteNetwork
from raijin.model.power import Power, Sleep
from raijin.model.service import Service
from raijin.model.storage import Nas
from raijin.model.wan import WanBalance, WanLink


class Site(Model):
    """The machines of one place and what stands around them."""

    kind: Literal["Site"] = Field(default="Site", description="Says that this document is a Site.")
    name: Name = Field(default="site", description="Name of the site.", examples=["basement"])
    hosts: tuple[Host, ...] = Field(default=(), description="The machines of the site.")
    machines: Machines | None = Field(
        default=None, description="Who makes the machines of groups that have a `count` and name no hosts."
    )
    ssh: Ssh = Field(default=Ssh.bare(), description="How hosts are reached, where they do not say otherwise.")
    become: Become = Field(default=Become.bare(), description="How to become root, where hosts do not say otherwise.")
    power: Power | None = Field(default=None, description="How machines are turned on and off, if not said otherwise.")
    sleep: Sleep = Field(default=Sleep.bare(), description="When idle hosts are put to sleep.")
    networks: tuple[SiteNetwork, ...] = Field(default=(), description="The networks of the site.")
    services: tuple[Service, ...] = Field(default=(), description="Services that all clusters of the site share.")
    nas: tuple[Nas, ...] = Field(default=(), description="Network storage of the site.")
    storage_class_default: HostName | None = Field(
        default=None, description="The StorageClass that is used when none is named.", examples=["nas-ssd"]
    )
    wan_links: tuple[WanLink, ...] = Field(default=(), description="Internet links, in order of preference.")
    wan_balance: WanBalance = Field(default=WanBalance.FAILOVER, description="How traffic is spread over the links.")
    artifacts: Artifacts = Field(default=Artifacts.bare(), description="Where binaries and images come from.")
    proxy: Proxy = Field(default=Proxy.bare(), description="The HTTP proxy of the site.")
