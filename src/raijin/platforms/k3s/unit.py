"""The units of K3s, after the ones that its installer writes (k3s-io/k3s install.sh, create_systemd_service_file)."""

from __future__ import annotations

_UNIT = """\
[Unit]
Description=Lightweight Kubernetes ({role})
Documentation=https://docs.k3s.io
Wants=network-online.target
After=network-online.target
Conflicts={other}.service

[Service]
Type={type}
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/sysconfig/%N
# The containers of pods go on while the program is started anew.
KillMode=process
Delegate=yes
# Limits other than these cost accounting in the kernel.
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec={seconds}
Restart=always
RestartSec=5s
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStart=/usr/local/bin/k3s {role}

[Install]
WantedBy=multi-user.target
"""
START_SECONDS = 570
"""Less than a step that starts it waits: the step then says what the unit's log says."""


def unit_text(*, server: bool) -> str:
    """A server tells when its API answers; an agent counts as started at once, and is waited for by other means."""
    role, other, kind = ("server", "k3s-agent", "notify") if server else ("agent", "k3s", "exec")
    return _UNIT.format(role=role, other=other, type=kind, seconds=START_SECONDS)
