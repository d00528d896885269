"""The units that matter to a cluster: container runtimes, Kubernetes, firewalls, time and names."""

from __future__ import annotations

from dataclasses import dataclass

FIREWALLS = ("firewalld", "ufw", "nftables", "iptables", "netfilter-persistent", "shorewall")

SNIPPET = r"""
u_names='kubelet containerd crio docker k3s k3s-agent rke2-server rke2-agent k0scontroller k0sworker etcd
  systemd-timesyncd chronyd chrony ntpd ntpsec systemd-resolved NetworkManager systemd-networkd multipathd
  unattended-upgrades iscsid firewalld ufw nftables iptables netfilter-persistent shorewall'
if [ -d /run/systemd/system ]; then
  # systemd looks long for a unit that does not exist, so its folders are looked into first (systemd.unit(5)).
  u_there=
  for u_name in $u_names; do
    for u_dir in /etc/systemd/system /lib/systemd/system /usr/lib/systemd/system /run/systemd/generator.late \
      /run/systemd/system /run/systemd/generator /run/systemd/transient /usr/local/lib/systemd/system \
      /etc/systemd/system.control /run/systemd/system.control /run/systemd/generator.early \
      /etc/systemd/system.attached /run/systemd/system.attached; do
      if [ -e "$u_dir/$u_name.service" ]; then u_there="$u_there $u_name.service"; break; fi
    done
  done
  [ -z "$u_there" ] || systemctl show -p Id,LoadState,ActiveState,UnitFileState -- $u_there
elif [ -d /run/openrc ]; then
  for u_name in $u_names; do
    [ ! -e "/etc/init.d/$u_name" ] || { u_state=inactive; u_boot=disabled
      [ ! -e "/run/openrc/started/$u_name" ] || u_state=active
      [ ! -e "/etc/runlevels/default/$u_name" ] || u_boot=enabled
      printf 'Id=%s\nLoadState=loaded\nActiveState=%s\nUnitFileState=%s\n\n' "$u_name" "$u_state" "$u_boot"; }
  done
else echo none; fi
"""


@dataclass(frozen=True, slots=True)
class Units:
    """Of each unit that exists: `active`, `inactive`, `failed`, ...; `disabled` or `masked` when it is off for good."""

    states: dict[str, str]

    def active(self, name: str) -> bool:
        return self.states.get(name) == "active"

    @property
    def firewalls(self) -> tuple[str, ...]:
        """The firewalls that are on."""
        return tuple(name for name in FIREWALLS if self.active(name))


def parse(text: str) -> Units:
    if text.strip() == "none":
        raise ValueError("neither systemd nor OpenRC runs")
    found: dict[str, str] = {}
    for block in text.strip().split("\n\n"):
        values = dict(line.partition("=")[::2] for line in block.splitlines())
        if not values or values.get("LoadState") == "not-found":
            continue
        state, boot = values.get("ActiveState", ""), values.get("UnitFileState", "")
        off = state == "inactive" and boot in {"disabled", "masked"}
        found[values["Id"].removesuffix(".service")] = boot if off else state
    return Units(found)
