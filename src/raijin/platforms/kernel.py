"""The kernel as Kubernetes wants it, whatever distribution it is."""

from __future__ import annotations

from raijin.operations.base import Operation
from raijin.operations.kernelmodule import KernelModule
from raijin.operations.sysctl import Sysctl
from raijin.platforms.base import Context

MODULES = ("overlay", "br_netfilter")
SYSCTLS = (
    ("net.bridge.bridge-nf-call-iptables", "1"),
    ("net.bridge.bridge-nf-call-ip6tables", "1"),
    ("net.ipv4.ip_forward", "1"),
    # The kubelet sets these by itself (pkg/kubelet/cm, setupKernelTunables). Set here they are known, survive a restart
    # of the host, and are put back when it leaves.
    ("kernel.keys.root_maxbytes", "25000000"),
    ("kernel.keys.root_maxkeys", "1000000"),
    ("kernel.panic", "10"),
    ("kernel.panic_on_oops", "1"),
    ("vm.overcommit_memory", "1"),
    ("vm.panic_on_oom", "0"),
)


def kernel(context: Context) -> tuple[Operation, ...]:
    """Modules and settings."""
    dual = any(network.version == 6 for network in context.cluster.network.pod_networks)
    settings = (*SYSCTLS, ("net.ipv6.conf.all.forwarding", "1")) if dual else SYSCTLS
    return (
        KernelModule(MODULES, path="/etc/modules-load.d/90-raijin.conf"),
        Sysctl(settings, path="/etc/sysctl.d/90-raijin.conf"),
    )
