"""The rehearsal twin: a simulated site behind the transport seam, for `raijin rehearse` and for scale.

The planner, the compiler of programs, the engine and the client of the Kubernetes API are the real ones; hosts and
cluster are models. host.py is what is on a host, effects.py the table of operations, cluster.py and api.py the
cluster, one module per platform what its own programs do, faults.py what may go wrong. What is not modelled is an
error that names it. A rehearsal never stands in for a test on real machines.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from raijin.errors import Unsupported
from raijin.model.cluster import ClusterType

if TYPE_CHECKING:
    from raijin.twin.platform import PlatformTwin

TWINS: dict[ClusterType, str] = {
    ClusterType.VANILLA: "raijin.twin.kubeadm",
    ClusterType.K3S: "raijin.twin.k3s",
    ClusterType.RKE2: "raijin.twin.rke2",
    ClusterType.TALOS: "raijin.twin.talos",
    ClusterType.OKD: "raijin.twin.okd",
}
"""Where the twin of each platform is; its module has it as TWIN."""


def twin_of(kind: ClusterType) -> PlatformTwin:
    """Raises Unsupported for a platform that has none."""
    if kind not in TWINS:
        raise Unsupported(
            f"clusters of type {kind} cannot be rehearsed yet: their platform has no twin",
            remedy="try the definition on lab machines (`raijin lab up`), or write the twin (docs/how-to/rehearse.md)",
        )
    return cast("PlatformTwin", import_module(TWINS[kind]).TWIN)
