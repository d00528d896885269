"""The programs that run a host: its init system, package manager, and access control in the kernel."""

from __future__ import annotations

from dataclasses import dataclass

from raijin.facts.base import pairs

SNIPPET = r"""
if [ -d /run/systemd/system ]; then echo init:systemd
elif [ -d /run/openrc ]; then echo init:openrc
else read -r y_init </proc/1/comm; printf 'init:%s\n' "$y_init"; fi
for y_tool in apt-get:apt dnf:dnf yum:yum zypper:zypper apk:apk pacman:pacman; do
  if command -v "${y_tool%:*}" >/dev/null 2>&1; then printf 'packages:%s\n' "${y_tool#*:}"; break; fi
done
if [ -r /sys/fs/selinux/enforce ]; then read -r y_mode </sys/fs/selinux/enforce; printf 'selinux:%s\n' "$y_mode"; fi
if [ -r /sys/module/apparmor/parameters/enabled ]; then
  read -r y_mode </sys/module/apparmor/parameters/enabled; printf 'apparmor:%s\n' "$y_mode"
fi
"""


@dataclass(frozen=True, slots=True)
class System:
    """init: systemd, openrc, or the name of process 1. packages: apt, dnf, zypper, apk, ... or empty.

    selinux: enforcing, permissive or disabled.
    """

    init: str
    packages: str
    selinux: str
    apparmor: bool


def parse(text: str) -> System:
    values = dict(pairs(text))
    selinux = {"1": "enforcing", "0": "permissive"}.get(values.get("selinux", ""), "disabled")
    return System(values["init"], values.get("packages", ""), selinux, values.get("apparmor") == "Y")
