"""Real Linux machines on one Debian or Ubuntu box: systemd-nspawn containers that look like servers.

    up(spec)          base image (image) -> network of the box (network) -> disk, keys (guest, keys) -> boot (machine)
    status()          what the record says (state) joined with what runs (processes)
    down(names)       the way back; the box is left as it was
    power_off/on      one machine, in order or as a power failure would

Facts that only a small or locked-down box has (no CAP_SYS_RESOURCE, no modules, cgroup v1) are dealt with here, inside
the machine, so that nothing above has to know about them.
"""

from __future__ import annotations

from raijin.machines.lab.lab import LabStatus, default_cache, default_home, down, power_off, power_on, status, up
from raijin.machines.lab.prerequisites import install_prerequisites, missing_packages
from raijin.machines.lab.provider import LabProvider
from raijin.machines.lab.spec import LabSpec, LabUser, parse_size

__all__ = [
    "LabProvider",
    "LabSpec",
    "LabStatus",
    "LabUser",
    "default_cache",
    "default_home",
    "down",
    "install_prerequisites",
    "missing_packages",
    "parse_size",
    "power_off",
    "power_on",
    "status",
    "up",
]
