"""Where a distribution keeps its files on a host, and how its parts are called.

Sources: k3s-io/k3s install.sh, pkg/server, pkg/daemons/config; rancher/rke2 bundle/ and pkg/cli (1.35, 2026-08);
docs.k3s.io "Architecture", "Backup and restore", "k3s token"; docs.rke2.io "Server configuration", "Backup".
"""

from __future__ import annotations

from dataclasses import dataclass

from raijin.facts.etcd import EtcdAccess
from raijin.platforms.base import Node

NODE_FOLDER = "/etc/rancher/node"
"""Of both: the password by which a server knows a node again."""
SOCKET = "unix:///run/k3s/containerd/containerd.sock"
API_PORT = 6443
AUTHORITY_FILES = {
    "client": "client-ca", "server": "server-ca", "request-header": "request-header-ca", "etcd-peer": "etcd/peer-ca",
    "etcd-server": "etcd/server-ca",
}  # fmt: skip
"""Of each authority below server/tls, without `.crt` and `.key`."""
KUBELET_HEALTH_PORT = 10248


@dataclass(frozen=True, slots=True)
class Distribution:
    """product: `k3s`. units: of a server and of an agent. supervisor_port: where nodes join; 0: the API server's.

    program: its path. kubectl: the command that talks to the API of the host. crictl: the path of the one that talks to
    containerd. start_seconds: that it may take.
    """

    product: str
    name: str
    server_unit: str
    agent_unit: str
    program: str
    kubectl: tuple[str, ...]
    crictl: str
    supervisor_port: int = 0
    start_seconds: int = 600

    @property
    def config_folder(self) -> str:
        return f"/etc/rancher/{self.product}"

    @property
    def config_file(self) -> str:
        return f"{self.config_folder}/config.yaml"

    @property
    def drop_ins(self) -> str:
        """Files that are read after `config_file`, in the order of their names; a later value replaces an earlier."""
        return f"{self.config_folder}/config.yaml.d"

    @property
    def starting_file(self) -> str:
        """There only while the cluster is started on this host, or joined by it."""
        return f"{self.drop_ins}/80-raijin-starting.yaml"

    @property
    def guard_file(self) -> str:
        return f"{self.drop_ins}/10-raijin-guard.yaml"

    @property
    def datastore_file(self) -> str:
        return f"{self.drop_ins}/20-raijin-datastore.yaml"

    @property
    def registries_file(self) -> str:
        return f"{self.config_folder}/registries.yaml"

    @property
    def kubeconfig(self) -> str:
        return f"{self.config_folder}/{self.product}.yaml"

    @property
    def token_file(self) -> str:
        """What this host starts and joins with."""
        return f"{self.config_folder}/token"

    @property
    def agent_token_file(self) -> str:
        """On servers: what agents join with."""
        return f"{self.config_folder}/agent-token"

    @property
    def data(self) -> str:
        return f"/var/lib/rancher/{self.product}"

    @property
    def server_data(self) -> str:
        return f"{self.data}/server"

    @property
    def server_token(self) -> str:
        """Written by a server: its token with the hash of the cluster's authority in front."""
        return f"{self.server_data}/token"

    @property
    def full_agent_token(self) -> str:
        """The same for agents."""
        return f"{self.server_data}/agent-token"

    @property
    def etcd_data(self) -> str:
        return f"{self.server_data}/db/etcd"

    @property
    def etcd_member(self) -> str:
        return f"{self.etcd_data}/member"

    @property
    def sqlite(self) -> str:
        return f"{self.server_data}/db/state.db"

    @property
    def images(self) -> str:
        """Archives of images that are imported whenever the program starts."""
        return f"{self.data}/agent/images"

    @property
    def static_pods(self) -> str:
        return f"{self.data}/agent/pod-manifests"

    @property
    def address_pod(self) -> str:
        """The static pod of kube-vip, which carries the address of the API."""
        return f"{self.static_pods}/kube-vip.yaml"

    @property
    def kubelet_kubeconfig(self) -> str:
        return f"{self.data}/agent/kubelet.kubeconfig"

    @property
    def etcd(self) -> EtcdAccess:
        """A server's member, with the client certificate of the API server."""
        tls = f"{self.server_data}/tls/etcd"
        return EtcdAccess(
            "https://127.0.0.1:2379", f"{tls}/server-ca.crt", f"{tls}/client.crt", f"{tls}/client.key", SOCKET
        )

    @property
    def start_marker(self) -> str:
        return f"{self.product}-start"

    @property
    def join_marker(self) -> str:
        return f"{self.product}-join"

    @property
    def markers(self) -> tuple[str, str]:
        """Set on a host when its start, or its joining, has ended well."""
        return self.start_marker, self.join_marker

    def unit(self, node: Node) -> str:
        return self.server_unit if node.control_plane else self.agent_unit

    def port(self, api_port: int) -> int:
        """The TCP port at which nodes join."""
        return self.supervisor_port or api_port
