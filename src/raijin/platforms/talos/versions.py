"""Which Kubernetes goes with which Talos.

Sources, in siderolabs/talos: DefaultKubernetesVersion in pkg/machinery/constants of each tag of v1.12 and v1.13, and
pkg/machinery/compatibility/talos112 and talos113 (Kubernetes from and to, hosts upgraded from).
"""

from __future__ import annotations

from raijin.model.version import Version

NEWEST = {12: Version(1, 12, 11), 13: Version(1, 13, 9)}
"""The newest release of each minor that is served."""
SUPPORTED = {12: (30, 35), 13: (31, 36)}
"""By minor of Talos: the oldest and newest minor of Kubernetes."""
_DEFAULTS = (
    ((12, 0), "v1.35.0"),
    ((12, 5), "v1.35.2"),
    ((12, 7), "v1.35.4"),
    ((13, 0), "v1.36.0"),
    ((13, 3), "v1.36.1"),
    ((13, 5), "v1.36.2"),
    ((13, 9), "v1.36.3"),
)


def default_kubernetes(talos: Version) -> str:
    """The version that `talosctl gen config` of this release would write. Raises IndexError for a minor not served."""
    fitting = [version for since, version in _DEFAULTS if since[0] == talos.minor and since[1] <= talos.patch]
    return fitting[-1]
