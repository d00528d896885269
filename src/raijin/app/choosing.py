"""Which host a person means: by name, by address, or one that is not in the definition yet."""

from __future__ import annotations

import ipaddress

from raijin.app.session import Session
from raijin.definition.definition import effective_host
from raijin.errors import NotFound
from raijin.model.host import Host
from raijin.model.node_group import NodeRole


def host_to_prepare(session: Session, wanted: str) -> tuple[Host, NodeRole]:
    """A host by name or address: placed in the cluster, of the site, or (an address) not yet in the definition."""
    for placed in session.definition.hosts_of(session.cluster):
        if wanted in {placed.name, str(placed.host.address)}:
            return placed.host, placed.role
    for host in session.definition.site().hosts:
        if wanted in {host.name, str(host.address)}:
            return host, NodeRole.WORKER
    try:
        address = ipaddress.ip_address(wanted)
    except ValueError:
        remedy = f"add it: `raijin worker add {wanted} --ip ADDRESS`, or give its address"
        raise NotFound(f"no host {wanted} is defined", remedy=remedy) from None
    name = f"host-{wanted.replace('.', '-').replace(':', '-')}"
    site = session.definition.site()
    fresh = effective_host(site, Host.model_validate({"name": name, "address": str(address)}))
    return session.definition.overrides.member(fresh, NodeRole.WORKER), NodeRole.WORKER
