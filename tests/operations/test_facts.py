"""The real facts script, under every shell, on this machine and in one of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from raijin.facts.base import Unknown
from raijin.facts.gather import HostFacts, from_json, parse, script
from raijin.operations.archive import Archive
from raijin.operations.claim import Claim
from raijin.operations.command import Command
from raijin.operations.install import Install

if TYPE_CHECKING:
    from tests.operations.conftest import Host, Machine

KUBELET = b'#!/bin/sh\necho asked >>"$0.asked"; echo Kubernetes v1.30.0\n'


def test_this_machine(host: Host) -> None:
    done = host.execute(script())
    assert (done.returncode, done.stderr) == (0, "")
    facts = parse(done.stdout)
    unknown = {name for name in facts.to_json() if isinstance(getattr(facts, name), Unknown)}
    assert unknown <= {"units", "cgroup"}, unknown
    assert from_json(facts.to_json()) == facts
    assert not isinstance(facts.identity, Unknown)
    assert facts.identity.hostname == os.uname().nodename
    assert facts.identity.uid == 0
    assert not isinstance(facts.cpu, Unknown)
    assert facts.cpu.threads >= len(os.sched_getaffinity(0))
    assert not isinstance(facts.disks, Unknown)
    assert [space.path for space in facts.disks.space] == ["/", "/var", "/var/lib", "/tmp"]


def test_it_writes_nothing(machine: Machine) -> None:
    before = machine.written()
    assert machine.execute(script()).returncode == 0
    assert machine.written() == before


def test_cut_short_it_executes_nothing(host: Host) -> None:
    text = script()
    for end in range(0, text.rindex("\nraijin_facts\n"), len(text) // 40):
        assert "raijin-facts" not in host.execute(text[:end]).stdout


def test_what_raijin_installed_is_known_without_asking_it(machine: Machine) -> None:
    tools = machine.tarball({"bin/crictl": "#!/bin/sh\necho asked >>/asked; echo crictl version v9.9.9\n"})
    done = machine.run(
        Claim("lab"),
        Install("/usr/local/bin/kubelet", machine.stage(KUBELET), "kubelet-v1.34.2-linux-amd64"),
        Archive("/usr/local/bin", machine.stage(tools), "crictl-v1.34.0-linux-amd64.tar.gz", strip=1),
        Command("x", ("true",), marker="once"),
    )
    assert set(done.states) == {"changed"}
    facts = parse(machine.execute(script(str(machine.base))).stdout)
    assert not isinstance(facts.kubernetes, Unknown)
    versions = {part.name: part.version for part in facts.kubernetes.parts}
    assert (versions["kubelet"], versions["crictl"]) == ("1.34.2", "1.34.0")
    assert not machine.at("/asked").exists()
    assert not machine.at("/usr/local/bin/kubelet.asked").exists()
    assert not isinstance(facts.raijin, Unknown)
    assert (facts.raijin.owner, facts.raijin.receipts, facts.raijin.markers) == ("lab", {"lab": 2}, ("once",))
    # Once somebody has replaced it, it has to be asked.
    machine.at("/usr/local/bin/kubelet").write_bytes(KUBELET)
    facts = parse(machine.execute(script(str(machine.base))).stdout)
    assert not isinstance(facts.kubernetes, Unknown)
    part = facts.kubernetes.part("kubelet")
    assert part is not None
    assert (part.version, part.sha256) == ("1.30.0", "")


def test_a_host_with_few_programs(machine: Machine) -> None:
    """No ip, no ss, no systemd-detect-virt: what the kernel tells is enough."""
    machine.sh("rm -f $(command -v ip) $(command -v ss) $(command -v systemd-detect-virt) $(command -v lspci)")
    machine.outside(
        """
        ip link set lo up; ip link add br0 type bridge; ip link set br0 up
        ip addr add 192.0.2.9/24 dev br0; ip route add default via 192.0.2.1
        """
    )
    facts = parse(machine.execute(script()).stdout)
    assert not isinstance(facts.network, Unknown)
    assert (facts.network.default_interface, facts.network.gateway) == ("br0", "192.0.2.1")
    (bridge,) = facts.network.interfaces
    assert "192.0.2.9/24" in bridge.addresses
    assert not isinstance(facts.ports, Unknown)
    assert not isinstance(facts.hardware, Unknown)


def test_systemd_is_asked_for_units_that_exist_and_for_no_other(machine: Machine) -> None:
    machine.sh("mkdir -p /run/systemd/system /etc/systemd/system /run/systemd/generator.late /usr/bin")
    machine.sh("rm -f /etc/systemd/system/*.service /lib/systemd/system/*.service /usr/lib/systemd/system/*.service")
    show = r'for name; do printf "Id=%s\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\n" "$name"; done'
    machine.at("/usr/bin/systemctl").unlink(missing_ok=True)
    machine.at("/usr/bin/systemctl").write_text(f'#!/bin/sh\necho "$@" >>/asked\nshift 4\n{show}\n')
    machine.at("/usr/bin/systemctl").chmod(0o755)
    facts = parse(machine.execute(script()).stdout)
    assert not isinstance(facts.units, Unknown)
    assert facts.units.states == {}
    assert not machine.at("/asked").exists()
    machine.sh("ln -s /dev/null /etc/systemd/system/ufw.service; : >/run/systemd/generator.late/ntpd.service")
    facts = parse(machine.execute(script()).stdout)
    assert not isinstance(facts.units, Unknown)
    assert facts.units.states == {"ntpd": "active", "ufw": "active"}
    assert machine.at("/asked").read_text() == (
        "show -p Id,LoadState,ActiveState,UnitFileState -- ntpd.service ufw.service\n"
    )


def test_for_a_plan_the_dear_facts_of_a_claimed_host_are_not_asked_for(machine: Machine) -> None:
    def facts(*, for_plan: bool = True) -> HostFacts:
        return parse(machine.execute(script(str(machine.base), for_plan=for_plan)).stdout)

    assert not isinstance(facts().ports, Unknown)
    machine.run(Claim("lab"))
    left_out = {name for name, value in facts().to_json().items() if value == {"unknown": "it was not asked for"}}
    assert left_out == {"units", "ports", "security"}
    assert not isinstance(facts(for_plan=False).ports, Unknown)
