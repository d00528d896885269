"""haproxy before the API servers, and keepalived that carries their one address from host to host.

After "High Availability Considerations" of kubeadm (docs/ha-considerations.md), with health checks of the API servers
themselves, VRRP version 3 between named peers (no multicast, which many switches filter), and shorter times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from raijin.operations.base import Operation
from raijin.operations.directory import Directory
from raijin.operations.package import Package
from raijin.operations.template import Template
from raijin.operations.unit import Unit

HAPROXY_CONFIG = "/etc/haproxy/haproxy.cfg"
KEEPALIVED_CONFIG = "/etc/keepalived/keepalived.conf"
ADVERT_SECONDS = 0.5
"""A backup takes over after a little more than three of these."""

_HAPROXY = """\
# Written by Raijin: the API servers of {{ cluster }} under one address.
global
    log /dev/log local0
    user haproxy
    group haproxy
    daemon

defaults
    mode tcp
    log global
    option dontlognull
    # A host that has lost its power answers nothing: each try goes to another one, after a second.
    option redispatch 1
    retries 3
    timeout connect 1s
    timeout check 3s
    # Watches and open shells are silent for long; a dead peer is noticed by keep-alive.
    timeout client 1h
    timeout server 1h
    option clitcpka
    option srvtcpka

frontend kube-apiserver
    bind {{ bind }}
    default_backend kube-apiserver

backend kube-apiserver
    balance leastconn
    # Three checks in a row: while etcd chooses another leader, none of them is ready for a second or two.
    option httpchk GET /readyz
    http-check expect status 200
    default-server check check-ssl verify none inter 1s fastinter 500ms downinter 500ms fall 3 rise 1
    default-server on-marked-down shutdown-sessions
{% for server in servers %}
    server {{ server.name }} {{ server.address }}
{% endfor %}
{% for service in services %}

frontend {{ service.name }}
    bind {{ service.bind }}
    default_backend {{ service.name }}

backend {{ service.name }}
    balance {{ service.balance }}
    default-server check inter 2s fall 3 rise 2
{% for server in service.servers %}
    server {{ server.name }} {{ server.address }}
{% endfor %}
{% endfor %}
"""

_KEEPALIVED = """\
# Written by Raijin: the address of the API servers of {{ cluster }}.
global_defs {
    router_id {{ name }}
    vrrp_version 3
    enable_script_security
    script_user root
}

vrrp_script haproxy_runs {
    script "/bin/sh -c '/bin/kill -0 $(/bin/cat /run/haproxy.pid)'"
    interval 1
    timeout 2
    fall 2
    rise 1
}

vrrp_instance kube-apiserver {
    state BACKUP
    interface {{ interface }}
    virtual_router_id {{ router_id }}
    # All alike, so that no change of the others moves the address; at the start the highest own address wins.
    priority 100
    nopreempt
    advert_int {{ advert }}
    unicast_src_ip {{ own }}
    unicast_peer {
{% for peer in peers %}
        {{ peer }}
{% endfor %}
    }
    virtual_ipaddress {
        {{ address }}/{{ prefix }} dev {{ interface }}
    }
    track_script {
        haproxy_runs
    }
}
"""


@dataclass(frozen=True, slots=True)
class Carrier:
    """A host that can carry the address. interface: the one that carries it; prefix: of its network, in bits."""

    name: str
    address: str
    interface: str
    prefix: int


@dataclass(frozen=True, slots=True)
class Service:
    """What else is behind the address: a port, and name and `address:port` of those who serve it.

    sticky: who comes from one address is sent to one server as long as it answers.
    """

    name: str
    port: int
    servers: Sequence[tuple[str, str]]
    sticky: bool = False

    def words(self) -> dict[str, object]:
        return {
            "name": self.name,
            "bind": f":::{self.port} v4v6",
            "balance": "source" if self.sticky else "roundrobin",
            "servers": [{"name": name, "address": address} for name, address in self.servers],
        }


@dataclass(frozen=True, slots=True)
class Balancer:
    """What all carriers of one cluster have in common. servers: name and `address:port` of each API server."""

    cluster: str
    address: str
    port: int
    router_id: int
    carriers: Sequence[Carrier]
    servers: Sequence[tuple[str, str]]
    services: Sequence[Service] = ()

    def operations(self, own: Carrier) -> tuple[Operation, ...]:
        """What one carrier runs, and how it is configured."""
        haproxy = {
            "cluster": self.cluster,
            "bind": f":::{self.port} v4v6",
            "servers": [{"name": name, "address": address} for name, address in self.servers],
            "services": [service.words() for service in self.services],
        }
        keepalived = {
            "cluster": self.cluster,
            "name": own.name,
            "interface": own.interface,
            "router_id": self.router_id,
            "advert": ADVERT_SECONDS,
            "own": own.address,
            "peers": [carrier.address for carrier in self.carriers if carrier.name != own.name],
            "address": self.address,
            "prefix": own.prefix,
        }
        return (
            # Its package makes it, and systemd a file in it, which stay when the package goes (Debian 12).
            Directory("/var/lib/haproxy", filled=True),
            Package(("haproxy", "keepalived")),
            Directory("/etc/haproxy"),
            Template(HAPROXY_CONFIG, _HAPROXY, haproxy),
            Unit("haproxy", watches=(HAPROXY_CONFIG,)),
            Directory("/etc/keepalived"),
            Template(KEEPALIVED_CONFIG, _KEEPALIVED, keepalived),
            Unit("keepalived", watches=(KEEPALIVED_CONFIG,)),
        )
